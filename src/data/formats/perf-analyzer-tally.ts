import type { DataSpec } from '../../core/data-spec.ts';
import type { JsonElement, JsonMember } from '../../core/json-elements.ts';
import { ProblemError, type ProblemPlace, problem } from '../../core/problem.ts';
import type { FieldInfo } from '../item-collection.ts';
import type { ModelInput } from '../sample-source.ts';
import { invalidItem } from './jsonl-fields.ts';
import { LineIndex } from './line-index.ts';
import { type Entry, entryAt, entryField, onlyOutput, parseElement } from './perf-analyzer-entries.ts';
import { type FieldTarget, fieldTargets } from './perf-analyzer-targets.ts';
import { readExpected, readValue } from './perf-analyzer-values.ts';

export interface ScanOptions {
  readonly spec: DataSpec;
  readonly modelInputs: readonly ModelInput[];
  readonly withTruth: boolean;
}

/** What one pass over a file has found. The entries themselves are not kept. */
export interface PerfAnalyzerContents {
  /** Of the elements of `data`: items, or streams of them. */
  readonly elements: LineIndex;
  /** Of the elements of `validation_data`; undefined where truths are not wanted or there are none. */
  readonly expected: LineIndex | undefined;
  /** The first item of each stream; undefined where elements are items. */
  readonly starts: readonly number[] | undefined;
  readonly count: number;
  readonly fields: readonly FieldInfo[];
  readonly targets: ReadonlyMap<string, FieldTarget>;
  /** The fields that something is made of. The others are only named. */
  readonly read: readonly string[];
  readonly unused: readonly string[];
}

/** What perf_analyzer reads itself, and never sends to a model of tensors. */
const RESERVED: ReadonlySet<string> = new Set(['model', 'timestamp', 'payload', 'ipc_stream']);

const NO_STREAM = -1;

/** What has been seen of the entries so far. */
export class EntryTally {
  readonly #file: string;
  readonly #options: ScanOptions;
  readonly #elements = new LineIndex();
  readonly #expected = new LineIndex();
  readonly #unused = new Map<string, string>();
  #starts: number[] | undefined;
  #count = 0;
  #fields: FieldInfo[] | undefined;
  #targets: ReadonlyMap<string, FieldTarget> = new Map();
  /** The only output of every entry so far; undefined before the first, null where there is none. */
  #output: string | undefined | null;
  /** Steps of each stream, to compare those of inputs and outputs. */
  readonly #steps: Readonly<Record<string, number[]>> = { data: [], validation_data: [] };

  constructor(file: string, options: ScanOptions) {
    this.#file = file;
    this.#options = options;
  }

  visit({ member, index, bytes, line, start }: JsonElement): void {
    const place = { file: this.#file, line, field: `/${member}/${index}` };
    const element = parseElement(bytes, place);
    const isInput = member === 'data';
    (isInput ? this.#elements : this.#expected).add({ line, start, sizeBytes: bytes.length });
    if (isInput) this.#checkKind(element, index, place);
    const steps = Array.isArray(element) ? element.map((_, step) => step) : [undefined];
    this.#steps[member]?.push(Array.isArray(element) ? element.length : NO_STREAM);
    for (const step of steps) {
      const field = entryField(member, { element: index, step });
      const entry = entryAt(element, step, { ...place, field });
      if (isInput) this.#addEntry(entry, { ...place, field });
      else this.#checkExpected(entry, { ...place, field });
    }
  }

  finish(members: readonly JsonMember[]): PerfAnalyzerContents {
    const fields = this.#fields;
    if (fields === undefined) throw noItems(this.#file, "its list 'data' is empty");
    if (fields.length === 0) throw noItems(this.#file, 'its first entry holds nothing to feed');
    const hasTruth = this.#expected.count > 0 && typeof this.#output === 'string';
    if (this.#expected.count > 0) this.#checkSteps();
    for (const { name } of members) {
      if (name === 'data' || (name === 'validation_data' && (hasTruth || !this.#options.withTruth))) continue;
      const why = name === 'validation_data' ? ' (not one output in every entry, and the same one)' : '';
      this.#unused.set(`/${name}`, `'${name}'${why}`);
    }
    return {
      elements: this.#elements,
      expected: hasTruth ? this.#expected : undefined,
      starts: this.#starts,
      count: this.#count,
      fields,
      targets: this.#targets,
      read: fields.filter((field) => this.#isRead(field)).map(({ name }) => name),
      unused: [...this.#unused.values()],
    };
  }

  /** Entries are objects or streams of objects, all of one kind. */
  #checkKind(element: unknown, index: number, place: ProblemPlace): void {
    const isStream = Array.isArray(element);
    if (index === 0 && isStream) this.#starts = [];
    if (isStream !== (this.#starts !== undefined)) {
      const message = isStream
        ? 'the entry is a stream, but the first one is none'
        : 'the entry is no stream, but the first one is';
      throw invalidItem(message, place, 'write all entries as objects, or all as lists of objects');
    }
    this.#starts?.push(this.#count);
  }

  #addEntry(entry: Entry, place: ProblemPlace): void {
    this.#count += 1;
    if (this.#fields === undefined) {
      this.#fields = this.#startFields(entry, place);
    } else {
      this.#fields = this.#fields.map((field) => this.#meetField(field, entry, place));
    }
    for (const key in entry) {
      if (this.#unused.has(key) || this.#fields.some(({ name }) => name === key) || RESERVED.has(key))
        continue;
      this.#unused.set(key, `'${key}' (first in ${place.field})`);
    }
  }

  #startFields(entry: Entry, place: ProblemPlace): FieldInfo[] {
    const { spec, modelInputs } = this.#options;
    const isInput = (name: string) => modelInputs.some((input) => input.name === name);
    const names = Object.keys(entry).filter(
      (name) => mayFeed(entry[name]) && (!RESERVED.has(name) || isInput(name)),
    );
    this.#targets = fieldTargets(names, spec, modelInputs);
    return names.map((name) => {
      const value = entry[name];
      const isRead = this.#targets.has(name) || spec.module !== undefined || isText(value);
      // A value that nothing is made of may be anything.
      return isRead
        ? this.#describe(name, value, place)
        : { kind: 'tensor', name, type: 'float64', dims: undefined };
    });
  }

  /** A text is found by whoever wants one, whatever its name. */
  #isRead({ name, kind }: FieldInfo): boolean {
    return kind === 'text' || this.#targets.has(name) || this.#options.spec.module !== undefined;
  }

  #describe(name: string, value: unknown, place: ProblemPlace): FieldInfo {
    const read = readValue(value, this.#targets.get(name), { ...place, field: `${place.field}/${name}` });
    if (read.kind !== 'tensor') return { kind: 'text', name };
    return { kind: 'tensor', name, type: read.tensor.type, dims: read.tensor.dims };
  }

  #meetField(field: FieldInfo, entry: Entry, place: ProblemPlace): FieldInfo {
    const { name } = field;
    if (!this.#isRead(field)) return field;
    if (!Object.hasOwn(entry, name)) {
      const hint = 'give every entry the same inputs';
      throw invalidItem(`the entry has no '${name}', which the first one has`, place, hint);
    }
    const met = this.#describe(name, entry[name], place);
    if (met.kind !== field.kind) {
      const at = { ...place, field: `${place.field}/${name}` };
      const hint = 'write texts in all entries, or numbers in all';
      throw invalidItem('it is another kind of value than in the first entry', at, hint);
    }
    if (field.kind !== 'tensor' || met.kind !== 'tensor') return field;
    return field.dims?.join() === met.dims?.join() ? field : { ...field, dims: undefined };
  }

  #checkExpected(entry: Entry, place: ProblemPlace): void {
    const name = onlyOutput(entry) ?? null;
    if (this.#output === undefined) this.#output = name;
    else if (this.#output !== name) this.#output = null;
    if (this.#output === null || name === null) return;
    readExpected(entry[name], { ...place, field: `${place.field}/${name}` });
  }

  #checkSteps(): void {
    const [inputs, outputs] = [this.#steps['data'] ?? [], this.#steps['validation_data'] ?? []];
    const index = inputs.findIndex((steps, at) => steps !== outputs[at]);
    if (index === -1) return;
    const message = `the entry does not have the steps of '/data/${index}'`;
    const place = { file: this.#file, field: `/validation_data/${index}` };
    throw invalidItem(message, place, 'give each step its outputs, in the same order');
  }
}

function noItems(file: string, why: string): ProblemError<'no-samples'> {
  return new ProblemError(
    problem('no-samples', `the file holds no items: ${why}`, {
      place: { file, field: '/data' },
      hint: 'write an entry for each sample: {"data": [{"INPUT": [1, 2]}]}',
    }),
  );
}

/** Whether a value may feed something: a list, or an object around one. */
function mayFeed(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): boolean {
  if (!Array.isArray(value)) return mayFeed(value) && isText((value as Entry)['content'] ?? 0);
  return value.length === 1 && typeof value[0] === 'string';
}
