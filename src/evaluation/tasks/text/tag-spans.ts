/**
 * How tags mark spans. `lenient`: a span goes on while the type stays the same and begins wherever one can, as conlleval
 * counts it and seqeval by default; `IOB2` and `IOBES`: only spans that are marked without a fault, as seqeval's strict
 * mode.
 */
export type SpanRule = 'lenient' | 'IOB2' | 'IOBES';

type Part = 'O' | 'B' | 'I' | 'E' | 'S';

/** What each class of a model marks, by its index. */
export interface TagTable {
  readonly rule: SpanRule;
  readonly parts: readonly Part[];
  /** Index in `typeNames`; -1 for what is outside of spans. */
  readonly types: Int32Array;
  readonly typeNames: readonly string[];
}

const TAG = /^([BIES])(?:-([^-]|[^-].*[^-]))?$/;
const PARTS: Readonly<Record<SpanRule, string>> = { lenient: 'BIES', IOB2: 'BI', IOBES: 'BIES' };

/**
 * @param outside tags that mark no span
 * @returns the first tag that the rule does not know, where there is one
 */
export function readTags(
  tags: readonly string[],
  outside: readonly string[],
  rule: SpanRule,
): TagTable | { readonly unknownTag: string } {
  const typeNames: string[] = [];
  const parts: Part[] = [];
  const types = new Int32Array(tags.length).fill(-1);
  for (const [index, tag] of tags.entries()) {
    if (outside.includes(tag)) {
      parts.push('O');
      continue;
    }
    const [, part, type = ''] = TAG.exec(tag) ?? [];
    if (part === undefined || !PARTS[rule].includes(part)) return { unknownTag: tag };
    if (!typeNames.includes(type)) typeNames.push(type);
    parts.push(part as Part);
    types[index] = typeNames.indexOf(type);
  }
  return { rule, parts, types, typeNames };
}

/**
 * Spans of a sequence of classes, three numbers each: first position, last position, type. A class of -1 is outside.
 * Source: E. Tjong Kim Sang and S. Buchholz, CoNLL-2000 (conlleval); L. Ramshaw and M. Marcus (1995) for the tags.
 */
export function findSpans(classes: ArrayLike<number>, table: TagTable): readonly number[] {
  return table.rule === 'lenient' ? lenientSpans(classes, table) : strictSpans(classes, table);
}

/** Spans that are in both lists: same positions, same type. */
export function countCommonSpans(a: readonly number[], b: readonly number[]): number {
  let common = 0;
  let j = 0;
  for (let i = 0; i < a.length; i += 3) {
    while (j < b.length && (b[j] as number) < (a[i] as number)) j += 3;
    if (a[i] === b[j] && a[i + 1] === b[j + 1] && a[i + 2] === b[j + 2]) common += 1;
  }
  return common;
}

function lenientSpans(classes: ArrayLike<number>, { parts, types }: TagTable): readonly number[] {
  const spans: number[] = [];
  let start = 0;
  let previousPart: Part = 'O';
  let previousType = -1;
  for (let i = 0; i <= classes.length; i += 1) {
    const part = parts[classes[i] ?? -1] ?? 'O';
    const type = types[classes[i] ?? -1] ?? -1;
    const goesOn =
      (previousPart === 'B' || previousPart === 'I') &&
      (part === 'I' || part === 'E') &&
      type === previousType;
    if (!goesOn) {
      if (previousPart !== 'O') spans.push(start, i - 1, previousType);
      start = i;
    }
    previousPart = part;
    previousType = type;
  }
  return spans;
}

function strictSpans(classes: ArrayLike<number>, { rule, parts, types }: TagTable): readonly number[] {
  const spans: number[] = [];
  let i = 0;
  while (i < classes.length) {
    const start = i;
    const type = types[classes[start] as number] ?? -1;
    let last = parts[classes[start] as number] ?? 'O';
    i += 1;
    if (last !== 'B' && last !== 'S') continue;
    while (i < classes.length && (last === 'B' || last === 'I')) {
      const part = parts[classes[i] as number] ?? 'O';
      if ((part !== 'I' && part !== 'E') || types[classes[i] as number] !== type) break;
      last = part;
      i += 1;
    }
    if (rule === 'IOB2' || last === 'E' || last === 'S') spans.push(start, i - 1, type);
  }
  return spans;
}
