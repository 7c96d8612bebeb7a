import { createHash } from 'node:crypto';
import { ALL_ITEMS, type LabelSpec } from '../../core/data-spec.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { NumericArray } from '../../core/tensor.ts';
import type { FieldInfo, FieldValue, Item, ItemCollection } from '../item-collection.ts';
import { type NpzArchive, type NpzArray, openNpz } from '../npz.ts';
import { quoteNames } from '../quote-names.ts';
import { readIntegers } from './npz-integers.ts';
import { readNpzTruths, type TruthAt } from './npz-truths.ts';

export interface NpzChoice {
  /** The arrays are `<split>/<input name>`, unless `arrays` names others. */
  readonly split: string;
  /** By input, `labels`, `sequence` and `group`: the names that the arrays have in the file. */
  readonly arrays?: Readonly<Record<string, string>>;
  readonly labels?: LabelSpec;
  /** Labels are read and checked only where somebody compares with them. */
  readonly withTruth: boolean;
  /** The inputs that arrays must feed; all that there are where it is absent. Others may have any length. */
  readonly needed?: readonly string[];
}

/** Arrays with a meaning of their own, unless the model has an input of that name. */
const SPECIAL = ['labels', 'sequence', 'group'] as const;

/** The split that a bare array `labels` belongs to. */
const LABELLED_SPLIT = 'eval';

/**
 * One split of an `.npz` file. Axis 0 of every array counts the items. `labels` with one integer an item are classes, other
 * numbers are tensors. An integer array `sequence` tells sequences apart, `group` says which items belong together.
 * Whatever is wrong with an array that is needed is its field's problem, for whoever binds it.
 * Errors: what `openNpz` finds; `split-missing`, `array-missing`, `sample-count-mismatch`, `no-samples`, `labels-invalid`, `sequence-invalid`,
 * `group-invalid`.
 */
export async function openNpzCollection(
  path: string,
  choice: NpzChoice,
): Promise<Result<ItemCollection, Problem>> {
  const opened = await openNpz(path);
  if (!opened.ok) return opened;
  const collection = await describeArchive(opened.value, choice);
  if (!collection.ok) await opened.value.close();
  return collection;
}

async function describeArchive(
  archive: NpzArchive,
  choice: NpzChoice,
): Promise<Result<ItemCollection, Problem>> {
  const names = fieldArrays(archive, choice);
  if (names.size === 0) return err(missingSplit(archive, choice));
  const missing = [...names].find(([, array]) => !allNames(archive).includes(array));
  if (missing !== undefined) return err(missingArray(archive, ...missing));
  const special = new Set(SPECIAL.filter((name) => choice.needed?.includes(name) !== true));
  const fields = [...names].flatMap(([name, array]) =>
    special.has(name as never) ? [] : [describeField(archive, name, array)],
  );
  const { needed = fields.map(({ name }) => name) } = choice;
  const wanted = fields.filter(({ kind, name }) => kind === 'tensor' && needed.includes(name));
  const rest = { names, fields, wanted };
  const lengths = wanted.map(({ name }) => rowsOf(archive, names, name));
  // Where nothing that is needed is there, nothing counts the items, and the binding says what is missing.
  if (lengths.length === 0) return ok(createCollection(archive, choice, { ...rest, count: 0 }));
  const count = commonCount(archive, choice, lengths);
  if (!count.ok) return count;
  const arrayOf = (name: (typeof SPECIAL)[number]) => (special.has(name) ? names.get(name) : undefined);
  const labels = choice.withTruth ? (arrayOf('labels') ?? bareLabels(archive, choice)) : undefined;
  const truths = await readNpzTruths(archive, labels, count.value, choice.labels);
  if (!truths.ok) return truths;
  const sequence = await readIntegers(archive, arrayOf('sequence'), count.value, 'sequence');
  if (!sequence.ok) return sequence;
  const group = await readIntegers(archive, arrayOf('group'), count.value, 'group');
  if (!group.ok) return group;
  return ok(
    createCollection(archive, choice, {
      ...rest,
      count: count.value,
      truthAt: truths.value,
      sequence: sequence.value,
      group: group.value,
    }),
  );
}

interface Contents {
  readonly names: ReadonlyMap<string, string>;
  readonly fields: readonly FieldInfo[];
  /** The fields that are read. */
  readonly wanted: readonly FieldInfo[];
  readonly count: number;
  readonly truthAt?: TruthAt | undefined;
  readonly sequence?: NumericArray | undefined;
  readonly group?: NumericArray | undefined;
}

function createCollection(
  archive: NpzArchive,
  { split }: NpzChoice,
  { names, fields, wanted, count, truthAt, sequence, group }: Contents,
): ItemCollection {
  const readField = async (name: string, index: number): Promise<Result<FieldValue, Problem>> => {
    const array = archive.arrays.get(names.get(name) ?? '') as NpzArray;
    const row = await archive.readRows(array.name, index, 1);
    if (!row.ok) return row;
    return ok({
      kind: 'tensor',
      tensor: { type: array.type, dims: array.shape.slice(1), data: row.value },
    });
  };
  return {
    path: archive.path,
    count,
    fields,
    namesInputs: true,
    unused: fields.flatMap((field) => (wanted.includes(field) ? [] : [field.name])),
    describe: (index) => ({
      id: `${split}/${index}`,
      ...(sequence === undefined ? {} : { sequence: String(sequence[index]) }),
      ...(group === undefined ? {} : { group: String(group[index]) }),
    }),
    contentKey: async (index) => {
      const hash = createHash('sha256');
      for (const { name } of wanted) {
        const field = await readField(name, index);
        if (!field.ok) return field;
        const { data } = (field.value as FieldValue & { kind: 'tensor' }).tensor;
        const { buffer, byteOffset, byteLength } = data as NumericArray;
        hash.update(new Uint8Array(buffer, byteOffset, byteLength));
      }
      return ok(hash.digest('hex'));
    },
    read: async (index) => {
      const values: Record<string, FieldValue> = {};
      for (const { name } of wanted) {
        const field = await readField(name, index);
        if (!field.ok) return field;
        values[name] = field.value;
      }
      const truth = await truthAt?.(index);
      if (truth === undefined) return ok<Item>({ fields: values });
      if (!('ok' in truth)) return ok<Item>({ fields: values, truth });
      return truth.ok ? ok<Item>({ fields: values, truth: truth.value }) : truth;
    },
    close: () => archive.close(),
  };
}

/** The array in the file of every field that the split has. */
function fieldArrays(archive: NpzArchive, { split, arrays }: NpzChoice): ReadonlyMap<string, string> {
  if (arrays !== undefined) return new Map(Object.entries(arrays));
  const prefix = `${split}/`;
  return new Map(
    allNames(archive)
      .filter((name) => name.startsWith(prefix))
      .map((name) => [name.slice(prefix.length), name]),
  );
}

function bareLabels(archive: NpzArchive, { split, arrays }: NpzChoice): string | undefined {
  if (arrays !== undefined || split !== LABELLED_SPLIT) return undefined;
  return allNames(archive).find((name) => name === 'labels');
}

function describeField(archive: NpzArchive, name: string, place: string): FieldInfo {
  const unreadable = archive.unreadable.get(place);
  if (unreadable !== undefined) return { kind: 'unreadable', name, problem: unreadable };
  const array = archive.arrays.get(place) as NpzArray;
  if (array.shape.length === 0) return { kind: 'unreadable', name, problem: withoutAxis(archive, place) };
  return { kind: 'tensor', name, type: array.type, dims: array.shape.slice(1), place };
}

interface ArrayLength {
  readonly array: string;
  readonly length: number;
}

function rowsOf(archive: NpzArchive, names: ReadonlyMap<string, string>, field: string): ArrayLength {
  const { name, shape } = archive.arrays.get(names.get(field) ?? '') as NpzArray;
  return { array: name, length: shape[0] ?? 0 };
}

function commonCount(
  archive: NpzArchive,
  { split }: NpzChoice,
  lengths: readonly ArrayLength[],
): Result<number, Problem> {
  const count = lengths[0]?.length ?? 0;
  if (lengths.some(({ length }) => length !== count)) {
    const list = lengths.map(({ array, length }) => `'${array}' has ${length}`).join(', ');
    return err(
      problem('sample-count-mismatch', `the inputs have different numbers of samples: ${list}`, {
        place: { file: archive.path },
        hint: 'row i of every array must belong to the same sample',
      }),
    );
  }
  if (count > 0) return ok(count);
  return err(
    problem('no-samples', `the split '${split}' holds no samples`, {
      place: { file: archive.path },
      hint: 'write at least one row into every array',
    }),
  );
}

function missingSplit(archive: NpzArchive, { split }: NpzChoice): Problem {
  const names = allNames(archive);
  const splits = [
    ...new Set(names.filter((name) => name.includes('/')).map((name) => name.split('/')[0] ?? '')),
  ];
  const found =
    splits.length > 0
      ? `the splits are ${quoteNames(splits)}`
      : `its arrays are ${quoteNames(names)}, none of which is in a split`;
  return problem('split-missing', `the file has no split '${split}'; ${found}`, {
    place: { file: archive.path },
    hint:
      split === ALL_ITEMS
        ? `name the arrays '${split}/<input name>', or map them under data.arrays.${split}`
        : `name the arrays '${split}/<input name>', or choose another split with --split`,
  });
}

function withoutAxis({ path }: NpzArchive, array: string): Problem {
  return problem('shape-mismatch', 'the array is a single number, without an axis that counts the samples', {
    place: { file: path, tensor: array },
    hint: 'save one row for each sample: shape [samples, …]',
  });
}

function missingArray(archive: NpzArchive, name: string, array: string): Problem {
  return problem(
    'array-missing',
    `the file has no array '${array}', which is named for '${name}'; it has ${quoteNames(allNames(archive))}`,
    { place: { file: archive.path, tensor: array }, hint: 'correct the name under `arrays`' },
  );
}

function allNames(archive: NpzArchive): readonly string[] {
  return [...archive.arrays.keys(), ...archive.unreadable.keys()];
}
