export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    readonly timestamp: number;
  };
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit?: string;
  readonly samples: readonly ParsedSample[];
}

type Format = 'text' | 'openmetrics';

interface Family {
  readonly name: string;
  type: string;
  help: string;
  unit?: string;
  readonly samples: ParsedSample[];
}

/**
 * Reads an exposition back, by the grammar of its format and with nothing of what wrote it. It is strict: what OpenMetrics
 * forbids (a blank line, a missing end, samples apart from their family, a series twice) throws.
 */
export function parseExposition(text: string, format: Format): readonly ParsedFamily[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the last line is not # EOF');
  const families: Family[] = [];
  for (const line of lines) {
    const [, keyword, name = '', rest = ''] =
      /^# (HELP|TYPE|UNIT) ([A-Za-z_:][A-Za-z0-9_:]*) (.*)$/s.exec(line) ?? [];
    if (keyword !== undefined) describe(families, name, { keyword, rest, format });
    else addSample(families.at(-1), parseSample(line), format);
  }
  refuseDoubles(families);
  return families;
}

function describe(
  families: Family[],
  name: string,
  { keyword, rest, format }: { readonly keyword: string; readonly rest: string; readonly format: Format },
): void {
  let family = families.at(-1);
  if (family?.name !== name) {
    family = { name, type: 'unknown', help: '', samples: [] };
    families.push(family);
  }
  if (family.samples.length > 0) throw new Error(`a comment after samples of ${name}`);
  if (keyword === 'HELP') family.help = unescaped(rest, format === 'openmetrics' ? '\\n"' : '\\n');
  if (keyword === 'TYPE') family.type = rest;
  if (keyword === 'UNIT') family.unit = rest;
}

function addSample(family: Family | undefined, sample: ParsedSample, format: Format): void {
  const fits =
    family !== undefined &&
    suffixes(family.type, format).some((suffix) => sample.name === `${family.name}${suffix}`);
  if (!fits) throw new Error(`${sample.name} is no sample of ${family?.name}`);
  family.samples.push(sample);
}

function refuseDoubles(families: readonly Family[]): void {
  const identities = families.flatMap(({ name, samples }) => [
    name,
    ...samples.map((sample) => `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`),
  ]);
  const double = identities.find((identity, at) => identities.indexOf(identity) !== at);
  if (double !== undefined) throw new Error(`${double} comes twice`);
}

function suffixes(type: string, format: Format): readonly string[] {
  if (type === 'histogram') return ['_bucket', '_sum', '_count'];
  if (format === 'text') return [''];
  if (type === 'counter') return ['_total'];
  return type === 'info' ? ['_info'] : [''];
}

function parseSample(line: string): ParsedSample {
  const name = /^[A-Za-z_:][A-Za-z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error(`no name: ${JSON.stringify(line)}`);
  const { labels, end } = parseLabels(line, name.length);
  const [, value = '', mark, rest = ''] = /^ (\S+)(?:( # )(.*))?$/s.exec(line.slice(end)) ?? [];
  if (value === '') throw new Error(`no value: ${JSON.stringify(line)}`);
  if (mark === undefined) return { name, labels, value: parseValue(value) };
  const exemplar = parseLabels(rest, 0);
  const [, exemplarValue = '', timestamp = ''] = /^ (\S+) (\S+)$/.exec(rest.slice(exemplar.end)) ?? [];
  return {
    name,
    labels,
    value: parseValue(value),
    exemplar: {
      labels: exemplar.labels,
      value: parseValue(exemplarValue),
      timestamp: parseValue(timestamp),
    },
  };
}

function parseLabels(line: string, start: number) {
  const labels: Record<string, string> = {};
  if (line[start] !== '{') return { labels, end: start };
  let at = start + 1;
  while (line[at] !== '}') {
    const [pair, name = '', value = ''] =
      /^([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"/.exec(line.slice(at)) ?? [];
    if (pair === undefined) throw new Error(`no label at ${at}: ${JSON.stringify(line)}`);
    if (Object.hasOwn(labels, name)) throw new Error(`a label twice: ${line}`);
    labels[name] = unescaped(value, '\\n"');
    at += pair.length;
    if (line[at] === ',') at += 1;
    else if (line[at] !== '}') throw new Error(`labels do not end at ${at}: ${JSON.stringify(line)}`);
  }
  return { labels, end: at + 1 };
}

function unescaped(text: string, known: string): string {
  return text.replaceAll(/\\([\s\S]?)/g, (_, next: string) => {
    if (next === '' || !known.includes(next)) throw new Error(`unknown escape in ${JSON.stringify(text)}`);
    return next === 'n' ? '\n' : next;
  });
}

function parseValue(text: string): number {
  if (text === 'NaN') return Number.NaN;
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw new Error(`no number: ${text}`);
  return Number(text);
}
