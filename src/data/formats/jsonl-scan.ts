import type { LabelSpec } from '../../core/data-spec.ts';
import { ProblemError, type ProblemPlace, problem } from '../../core/problem.ts';
import type { FieldInfo } from '../item-collection.ts';
import { groupName } from '../labels/label-table.ts';
import { nameOf } from '../labels/nested-numbers.ts';
import { createTruthParser, invalid, type ParseTruth } from '../labels/parse-truth.ts';
import { quoteNames } from '../quote-names.ts';
import { type FieldTally, finishField, invalidItem, startField, tallyField } from './jsonl-fields.ts';
import { LineIndex } from './line-index.ts';
import { type JsonObject, parseJsonLine, scanLines } from './scan-lines.ts';

/** What one pass over a file has found. The lines themselves are not kept. */
export interface JsonlContents {
  readonly lines: LineIndex;
  readonly fields: readonly FieldInfo[];
  readonly ids: readonly string[] | undefined;
  readonly groups: readonly string[] | undefined;
  readonly sequences: readonly string[] | undefined;
  /** Undefined where the lines have no truth. */
  readonly truthOf: ((object: JsonObject, place: ProblemPlace) => ReturnType<ParseTruth>) | undefined;
  readonly unused: readonly string[];
}

/** The keys with a meaning of their own; undefined where the first line has no such key. */
interface SpecialKeys {
  readonly truth: string | undefined;
  readonly group: string | undefined;
  readonly id: string | undefined;
  readonly sequence: string | undefined;
}

const MAX_UNUSED_KEYS = 100;

/** Reads every line once and checks all of it. Throws a `ProblemError` with the line. */
export async function scanJsonl(file: string, labels: LabelSpec | undefined): Promise<JsonlContents> {
  const lines = new LineIndex();
  const columns = { ids: [] as string[], groups: [] as string[], sequences: [] as string[] };
  const lineOfId = new Map<string, number>();
  const intern = createInterner();
  const unused = new Map<string, string>();
  let keys: SpecialKeys | undefined;
  let fields: readonly FieldTally[] = [];
  let known: ReadonlySet<string> = new Set();
  let truthOf: JsonlContents['truthOf'];

  await scanLines(file, (bytes, { line, start }) => {
    const place = { file, line };
    const object = parseJsonLine(bytes, place, 'item-invalid');
    const isFirst = keys === undefined;
    keys ??= findSpecialKeys(object, labels, place);
    if (isFirst) {
      fields = startFields(object, keys, line, unused);
      known = new Set(Object.keys(object));
      truthOf = createTruthReader(keys.truth, labels, file);
    }
    for (const field of fields) tallyField(field, object, place, isFirst);
    truthOf?.(object, place);
    if (keys.id !== undefined)
      columns.ids.push(uniqueId(requireKey(object, keys.id, place), lineOfId, place));
    if (keys.group !== undefined) {
      columns.groups.push(intern(groupName(requireKey(object, keys.group, place), place)));
    }
    if (keys.sequence !== undefined) {
      columns.sequences.push(intern(sequenceName(requireKey(object, keys.sequence, place), place)));
    }
    noteNewKeys(object, known, line, unused);
    lines.add({ line, start, sizeBytes: bytes.length });
  });

  if (keys === undefined) throw noItems(file, 'it holds no line that is not blank');
  if (fields.length === 0) throw noItems(file, 'no key of its first line holds numbers or a text to feed');
  return {
    lines,
    fields: fields.map((field) => finishField(field, file)),
    ids: keys.id === undefined ? undefined : columns.ids,
    groups: keys.group === undefined ? undefined : columns.groups,
    sequences: keys.sequence === undefined ? undefined : columns.sequences,
    truthOf,
    unused: [...unused.values()],
  };
}

function findSpecialKeys(
  object: JsonObject,
  labels: LabelSpec | undefined,
  place: ProblemPlace,
): SpecialKeys {
  const has = (key: string) => Object.hasOwn(object, key);
  const find = (setting: 'truth' | 'group', otherwise: string, needed: boolean) => {
    const key = labels?.[setting] ?? otherwise;
    if (has(key)) return key;
    if (!needed) return undefined;
    throw invalid(`the line has no '${key}'; its keys are ${quoteNames(Object.keys(object))}`, place, {
      hint: `name the key in \`labels.${setting}\``,
    });
  };
  const wantsTruth = [labels?.truth, labels?.kind, labels?.classes].some((setting) => setting !== undefined);
  return {
    truth: find('truth', 'label', wantsTruth),
    group: find('group', 'group', labels?.group !== undefined),
    id: has('id') ? 'id' : undefined,
    sequence: has('sequence') ? 'sequence' : undefined,
  };
}

function startFields(
  object: JsonObject,
  keys: SpecialKeys,
  line: number,
  unused: Map<string, string>,
): readonly FieldTally[] {
  const special = new Set(Object.values(keys));
  return Object.entries(object).flatMap(([name, value]) => {
    if (special.has(name)) return [];
    const field = startField(name, value);
    if (field !== undefined) return [field];
    unused.set(name, `'${name}' (${nameOf(value)} in line ${line}, neither numbers nor a text)`);
    return [];
  });
}

function createTruthReader(
  key: string | undefined,
  labels: LabelSpec | undefined,
  file: string,
): JsonlContents['truthOf'] {
  if (key === undefined) return undefined;
  const parseTruth = createTruthParser(labels, { file });
  return (object, place) => parseTruth(requireKey(object, key, place), place);
}

function requireKey(object: JsonObject, key: string, place: ProblemPlace): unknown {
  if (Object.hasOwn(object, key)) return object[key];
  throw invalidItem(
    `the line has no '${key}', which the first line has`,
    place,
    'give every line the same keys',
  );
}

function uniqueId(
  value: unknown,
  lineOf: Map<string, number>,
  place: ProblemPlace & { readonly line: number },
): string {
  if ((typeof value !== 'string' || value === '') && !Number.isSafeInteger(value)) {
    throw invalidItem(`the id is ${nameOf(value)}`, place, 'an id is a text or a whole number');
  }
  const id = String(value);
  const before = lineOf.get(id);
  if (before !== undefined) {
    throw invalidItem(
      `the id '${id}' stands in line ${before} already`,
      place,
      'give each line an id of its own',
    );
  }
  lineOf.set(id, place.line);
  return id;
}

function sequenceName(value: unknown, place: ProblemPlace): string {
  if (typeof value === 'string' || Number.isSafeInteger(value)) return String(value);
  throw new ProblemError(
    problem('sequence-invalid', `the sequence is ${nameOf(value)}`, {
      place,
      hint: 'give each line the number or the name of its sequence',
    }),
  );
}

function noteNewKeys(
  object: JsonObject,
  known: ReadonlySet<string>,
  line: number,
  unused: Map<string, string>,
): void {
  if (unused.size >= MAX_UNUSED_KEYS) return;
  for (const key in object) {
    if (known.has(key) || unused.has(key)) continue;
    unused.set(key, `'${key}' (first in line ${line}; the first line does not have it)`);
  }
}

/** Gives the same text back for equal texts, so that those which many lines share are held once. */
function createInterner(): (text: string) => string {
  const texts = new Map<string, string>();
  return (text) => {
    const kept = texts.get(text);
    if (kept !== undefined) return kept;
    texts.set(text, text);
    return text;
  };
}

function noItems(file: string, why: string): ProblemError {
  return new ProblemError(
    problem('no-samples', `the file holds no items: ${why}`, {
      place: { file },
      hint: 'write one JSON object a line, such as {"text": "…", "label": 0}',
    }),
  );
}
