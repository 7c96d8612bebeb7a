/** `text`: Prometheus text 0.0.4, which everything reads. `openmetrics`: OpenMetrics 1.0, which has exemplars, units and infos. */
export type ExpositionFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The media type of each format, and the version that a range may ask for. */
const OFFERED = {
  openmetrics: { type: 'application', subtype: 'openmetrics-text', version: '1.0.0' },
  text: { type: 'text', subtype: 'plain', version: '0.0.4' },
} as const;

interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** From 0, not wanted, to 1. */
  readonly quality: number;
}

/**
 * The format that a scraper wants, by its `Accept` header (RFC 9110, 12.5.1). The most specific range that fits a format
 * gives its quality. Of equals, the one that is named wins over the one that only a wildcard lets in, and text over all:
 * so a browser, curl and a header that asks for nothing we have get text.
 */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  const ranges = splitList(accept ?? '').flatMap((part) => parseRange(part) ?? []);
  const text = bestMatch(ranges, OFFERED.text);
  const openMetrics = bestMatch(ranges, OFFERED.openmetrics);
  if (openMetrics.quality === 0) return 'text';
  if (openMetrics.quality !== text.quality)
    return openMetrics.quality > text.quality ? 'openmetrics' : 'text';
  return openMetrics.specificity > text.specificity ? 'openmetrics' : 'text';
}

function bestMatch(
  ranges: readonly MediaRange[],
  offered: (typeof OFFERED)[ExpositionFormat],
): { readonly quality: number; readonly specificity: number } {
  let best = { quality: 0, specificity: -1 };
  for (const range of ranges) {
    const specificity = specificityOf(range, offered);
    if (specificity > best.specificity) best = { quality: range.quality, specificity };
  }
  return best;
}

/** How closely a range names the format: 3 with its version, 2 without, 1 by its first half, 0 for anything; -1 not at all. */
function specificityOf(range: MediaRange, offered: (typeof OFFERED)[ExpositionFormat]): number {
  if (range.type === '*') return range.subtype === '*' ? 0 : -1;
  if (range.type !== offered.type) return -1;
  if (range.subtype === '*') return 1;
  if (range.subtype !== offered.subtype) return -1;
  const version = range.parameters.get('version');
  if (version === undefined) return 2;
  return version === offered.version ? 3 : -1;
}

/** The items of a list in a header; commas within quotes do not divide. */
function splitList(header: string): string[] {
  return header.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? [];
}

function parseRange(text: string): MediaRange | undefined {
  const [range = '', ...rest] = text.split(';').map((part) => part.trim());
  const [type, subtype, ...more] = range.toLowerCase().split('/');
  if (type === undefined || type === '' || subtype === undefined || subtype === '' || more.length > 0)
    return undefined;
  const parameters = new Map(
    rest.map((part) => {
      const [name = '', value = ''] = part.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')];
    }),
  );
  return { type, subtype, parameters, quality: parseQuality(parameters.get('q')) };
}

function parseQuality(text: string | undefined): number {
  if (text === undefined) return 1;
  // Whatever is no number of RFC 9110 was not meant to be wanted most.
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0;
}
