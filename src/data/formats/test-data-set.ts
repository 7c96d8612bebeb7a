import { basename, join, relative } from 'node:path';
import { decodeFloat16 } from '../../core/float16.ts';
import type { Truth } from '../../core/item.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { NumericArray, Tensor } from '../../core/tensor.ts';
import type { FieldInfo, FieldValue, ItemCollection } from '../item-collection.ts';
import { invalid } from '../labels/parse-truth.ts';
import { quoteNames } from '../quote-names.ts';
import { attemptItem } from './attempt-item.ts';
import { bytesContentKey, fileContentKey } from './content-key.ts';
import {
  type DecodeTensorProto,
  describeTensorFile,
  readTensorFile,
  type TensorFile,
} from './tensor-file.ts';
import { findTestDataSets, type TestDataSet } from './test-data-files.ts';

export type { DecodeTensorProto } from './tensor-file.ts';

/**
 * Folders of test data as ONNX models come with, one item each: `test_data_set_0/` with `input_0.pb`, or `.npy`, for
 * the first input of the model, and so on, and `output_0` for its first output. `path` is such a folder, or holds such
 * folders of any name. A field is called as its TensorProto in the first set, otherwise `input_0` and so on; the truth
 * is the tensor `output_0`.
 *
 * The arrays are those of a whole run, so a first axis of 1, which counts the batch, is dropped from fields and truth.
 * An array whose first axis is not 1 is kept as it is: it fits an input whose dims it has in full, without a batch
 * axis. Opening reads all sets once, to check them; then one set at a time is held. Without `decodeTensorProto` only
 * `.npy` is read.
 * Errors: `data-unreadable`, `no-samples`, `data-invalid` for sets that differ in their files or types,
 * `labels-invalid`, and what the arrays' own formats find.
 */
export function openTestDataSet(
  path: string,
  decodeTensorProto: DecodeTensorProto | undefined,
): Promise<Result<ItemCollection, Problem>> {
  return attemptAsync(async () => {
    const { sets, others } = await findTestDataSets(path);
    const [first] = sets;
    if (first === undefined) throw noSets(path, others);
    if (first.inputs.size === 0) throw invalidSet(path, first, 'has no file input_0.pb or input_0.npy');
    for (const set of sets) checkFiles(path, set, first);
    const { fields, namesInputs } = await describeFields(path, sets, decodeTensorProto);
    return {
      path,
      count: sets.length,
      fields,
      namesInputs,
      unused: [...others, ...listUnusedOutputs(path, sets)],
      describe: (index) => ({ id: (sets[index] as TestDataSet).folder || basename(path) }),
      contentKey: (index) => attemptItem(path, index, () => contentKeyOf(sets[index] as TestDataSet)),
      read: (index) =>
        attemptItem(path, index, async () => {
          const set = sets[index] as TestDataSet;
          const values: [string, FieldValue][] = [];
          for (const [position, file] of inputFiles(set).entries()) {
            const tensor = await readTensorFile(file, decodeTensorProto);
            values.push([(fields[position] as FieldInfo).name, { kind: 'tensor', tensor }]);
          }
          const truth = await readTruth(set, decodeTensorProto);
          return { fields: Object.fromEntries(values), ...(truth === undefined ? {} : { truth }) };
        }),
      close: async () => {},
    };
  });
}

/** The files of the inputs by their numbers. Each number has one file, as `checkFiles` has seen. */
function inputFiles({ inputs }: TestDataSet): readonly string[] {
  return sortedNumbers(inputs).map((number) => inputs.get(number)?.[0] as string);
}

function sortedNumbers(files: ReadonlyMap<number, unknown>): readonly number[] {
  return [...files.keys()].sort((a, b) => a - b);
}

function checkFiles(root: string, set: TestDataSet, first: TestDataSet): void {
  for (const files of [...set.inputs.values(), ...set.outputs.values()]) {
    if (files.length > 1) {
      throw invalidSet(root, set, `has ${quoteNames(files.map((file) => basename(file)))} for one array`);
    }
  }
  const [numbers, expected] = [set, first].map(({ inputs }) => sortedNumbers(inputs).join(', '));
  if (numbers !== expected) {
    throw invalidSet(root, set, `has the inputs ${numbers || 'none'}, but '${first.folder}' has ${expected}`);
  }
  if (set.outputs.has(0) !== first.outputs.has(0)) {
    const [having, lacking] = set.outputs.has(0) ? [set, first] : [first, set];
    throw invalidSet(root, lacking, `has no output_0, but '${having.folder}' has`);
  }
}

async function describeFields(
  root: string,
  sets: readonly TestDataSet[],
  decode: DecodeTensorProto | undefined,
): Promise<{ readonly fields: readonly FieldInfo[]; readonly namesInputs: boolean }> {
  const [first] = sets as readonly [TestDataSet, ...TestDataSet[]];
  const numbers = sortedNumbers(first.inputs);
  const known = await describeInputs(first, decode);
  const varies = new Set<number>();
  for (const set of sets.slice(1)) {
    for (const [position, { type, dims }] of (await describeInputs(set, decode)).entries()) {
      const expected = known[position] as TensorFile;
      if (type !== expected.type) {
        const input = `input_${numbers[position]}`;
        throw invalidSet(root, set, `has ${type} in ${input}, but '${first.folder}' has ${expected.type}`);
      }
      if (dims.join() !== expected.dims.join()) varies.add(position);
    }
  }
  const fields = known.map(({ name, type, dims }, position): FieldInfo => {
    const number = `input_${numbers[position]}`;
    const kept = varies.has(position) ? undefined : dims;
    return { kind: 'tensor', name: name || number, type, dims: kept, place: number };
  });
  const names = fields.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    throw invalidSet(root, first, `gives one name to several inputs: ${quoteNames(names)}`);
  }
  return { fields, namesInputs: known.every(({ name }) => name !== '') };
}

async function describeInputs(
  set: TestDataSet,
  decode: DecodeTensorProto | undefined,
): Promise<readonly TensorFile[]> {
  const inputs: TensorFile[] = [];
  for (const file of inputFiles(set)) inputs.push(await describeTensorFile(file, decode));
  return inputs;
}

function listUnusedOutputs(root: string, sets: readonly TestDataSet[]): readonly string[] {
  return sets.flatMap(({ outputs }) =>
    [...outputs].flatMap(([number, files]) =>
      number === 0 ? [] : files.map((file) => relative(root, file)),
    ),
  );
}

async function contentKeyOf(set: TestDataSet): Promise<string> {
  const keys: string[] = [];
  for (const file of inputFiles(set)) {
    keys.push(await fileContentKey(file));
  }
  return bytesContentKey(Buffer.from(keys.join('\n')));
}

async function readTruth(
  { outputs }: TestDataSet,
  decode: DecodeTensorProto | undefined,
): Promise<Truth | undefined> {
  const file = outputs.get(0)?.[0];
  if (file === undefined) return undefined;
  const tensor = await readTensorFile(file, decode);
  if (tensor.type === 'string') {
    throw invalid(
      'the output holds texts, which cannot be compared as numbers',
      { file },
      {
        hint: 'remove the file, and compare with the original model instead',
      },
    );
  }
  return { kind: 'tensor', dims: tensor.dims, values: toNumbers(tensor) };
}

function toNumbers({ type, data }: Tensor): ArrayLike<number> {
  if (type === 'float16') return Float64Array.from(data as Uint16Array, decodeFloat16);
  if (type !== 'int64' && type !== 'uint64')
    return data as Exclude<NumericArray, BigInt64Array | BigUint64Array>;
  return Float64Array.from(data as Iterable<bigint> & ArrayLike<bigint>, Number);
}

function invalidSet(root: string, { folder }: TestDataSet, fault: string): ProblemError<'data-invalid'> {
  return new ProblemError(
    problem('data-invalid', `the set '${folder || basename(root)}' ${fault}`, {
      place: { file: join(root, folder) },
      hint: 'every set has the same files: input_0, input_1, … and the outputs, each as .pb or as .npy',
    }),
  );
}

function noSets(path: string, others: readonly string[]): ProblemError<'no-samples'> {
  return new ProblemError(
    problem('no-samples', `the folder holds no test data; it holds ${quoteNames(others)}`, {
      place: { file: path },
      hint: 'put input_0.pb (or .npy), … and output_0.pb into folders test_data_set_0, test_data_set_1, …',
    }),
  );
}
