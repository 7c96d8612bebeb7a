import type { ExpositionFormat } from './exposition-format.ts';

// What both formats escape is the same for label values; in the help, OpenMetrics escapes quotes as well.
const LABEL_SPECIALS = /[\\"\n]/g;
const HELP_SPECIALS: Readonly<Record<ExpositionFormat, RegExp>> = {
  text: /[\\\n]/g,
  openmetrics: LABEL_SPECIALS,
};

/** The labels of a series as both formats write them, `{a="x",b="y"}`; nothing where there are none. No two sets of labels share a text. */
export function labelsText<N extends string>(
  names: readonly N[],
  labels: Readonly<Partial<Record<N, unknown>>>,
): string {
  let text = '';
  for (const name of names) {
    text += `${text === '' ? '{' : ','}${name}="${escapeLabelValue(String(labels[name] ?? ''))}"`;
  }
  return text === '' ? '' : `${text}}`;
}

function escapeLabelValue(value: string): string {
  return escapeSpecials(value, LABEL_SPECIALS);
}

export function escapeHelp(help: string, format: ExpositionFormat): string {
  return escapeSpecials(help, HELP_SPECIALS[format]);
}

function escapeSpecials(text: string, specials: RegExp): string {
  // Nearly no text has any, and to look is cheaper than to replace.
  if (text.search(specials) < 0) return text;
  return text.replaceAll(specials, (special) => (special === '\n' ? '\\n' : `\\${special}`));
}

/** A value as both formats spell it. */
export function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/**
 * The bound of a bucket as OpenMetrics wants it, `1.0`. The text format gets the same, so that a series does not become
 * another when a scraper changes the format; Prometheus 3 does so by itself.
 */
export function boundText(bound: number): string {
  const text = valueText(bound);
  return Number.isInteger(bound) && !text.includes('e') ? `${text}.0` : text;
}

// The longest that fits is the unit, so `bytes_per_second` stands before what could end it.
const UNITS = [
  'bytes_per_second',
  'seconds',
  'bytes',
  'joules',
  'celsius',
  'watts',
  'hertz',
  'ratio',
  'decibels',
] as const;

/** The unit that the name of a family (without `_total`) ends in; undefined for plain counts. */
export function unitOf(familyName: string): (typeof UNITS)[number] | undefined {
  return UNITS.find((unit) => familyName.endsWith(`_${unit}`));
}
