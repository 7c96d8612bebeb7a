import { problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isConvertible } from './convert-elements.ts';
import type { NpzArchive, NpzArray } from './npz.ts';
import { pairedOutput } from './paired-output.ts';
import { isFreeDim, type ModelInput, type SampleInput, type SampleProblem } from './sample-source.ts';

/** Which array feeds which input of the model. */
export interface BoundInput {
  readonly array: NpzArray;
  readonly fed: SampleInput;
}

export interface SplitBinding {
  readonly inputs: readonly BoundInput[];
  readonly count: number;
  readonly unusedArrays: readonly string[];
}

/** The arrays of an archive, without the means to read them. */
type ArrayList = Pick<NpzArchive, 'path' | 'arrays' | 'unreadable'>;

/**
 * Matches the arrays `<split>/<input name>` with the inputs of a model by name, and checks element types, dimensions
 * and lengths. Nothing is guessed: an array of another name is named in the hint and not used.
 * @param modelOutputs only for the hint that an input without an array may be a state of a recurrent model
 */
export function bindSplit(
  archive: ArrayList,
  split: string,
  modelInputs: readonly ModelInput[],
  modelOutputs: readonly ModelInput[] = [],
): Result<SplitBinding, SampleProblem> {
  const available = namesInSplit(archive, split);
  if (available.length === 0) return err(missingSplit(archive, split));
  const inputs: BoundInput[] = [];
  for (const input of modelInputs) {
    const bound = bindInput(archive, split, input);
    if (bound === undefined) {
      const state = pairedOutput(input, modelOutputs);
      return err(missingInput(archive, split, input, { modelInputs, available, state }));
    }
    if (!bound.ok) return bound;
    inputs.push(bound.value);
  }
  const count = commonCount(archive, split, inputs);
  if (!count.ok) return count;
  const wanted = new Set([...modelInputs.map((input) => input.name), 'labels']);
  return ok({ inputs, count: count.value, unusedArrays: available.filter((name) => !wanted.has(name)) });
}

/** Undefined where the split has no array for the input. */
function bindInput(
  archive: ArrayList,
  split: string,
  input: ModelInput,
): Result<BoundInput, SampleProblem> | undefined {
  const key = `${split}/${input.name}`;
  const place = { file: archive.path, tensor: key };
  const unreadable = archive.unreadable.get(key);
  if (unreadable !== undefined) return err(unreadable);
  const array = archive.arrays.get(key);
  if (array === undefined) return undefined;
  if (!isConvertible(array.type, input.type)) {
    return err(
      problem(
        'dtype-mismatch',
        `the array is ${array.type}, the model's input '${input.name}' is ${input.type}`,
        {
          place,
          hint: `save it as the model wants it: \`array.astype(np.${numpyName(input.type)})\`; rounding is never guessed`,
        },
      ),
    );
  }
  const dims = fedDims(array.shape, input.dims);
  if (dims === undefined) {
    return err(
      problem(
        'shape-mismatch',
        `the array is [${array.shape}], the model's input '${input.name}' is [${formatDims(input.dims)}]`,
        { place, hint: shapeHint(array.shape, input.dims) },
      ),
    );
  }
  return ok({ array, fed: { name: input.name, type: input.type, dims } });
}

/**
 * Dimensions of one fed sample, or undefined when the array cannot feed the input. Axis 0 of the array counts the
 * samples: it becomes a leading 1 where the ranks are equal, and disappears where the model's rank is one less.
 */
function fedDims(
  arrayShape: readonly number[],
  modelDims: ModelInput['dims'],
): readonly number[] | undefined {
  if (arrayShape.length === 0) return undefined;
  const row = arrayShape.slice(1);
  // ONNX Runtime reports no dimensions both for a scalar and for an unknown rank; only the first can take [n].
  const unknownRank = modelDims === undefined || (modelDims.length === 0 && row.length > 0);
  if (unknownRank) return [1, ...row];
  const dims = modelDims.length === arrayShape.length ? [1, ...row] : row;
  if (dims.length !== modelDims.length) return undefined;
  const fits = modelDims.every((wanted, axis) => isFreeDim(wanted) || wanted === dims[axis]);
  return fits ? dims : undefined;
}

function shapeHint(arrayShape: readonly number[], modelDims: ModelInput['dims'] = []): string {
  const batch = modelDims[0];
  const wantsBatch = typeof batch === 'number' && batch > 1 && modelDims.length === arrayShape.length;
  if (wantsBatch) {
    return `the model takes ${batch} samples at a time; export it with a batch of 1 or a free batch dimension`;
  }
  const row = modelDims.map((dim) => (isFreeDim(dim) ? 'any' : dim));
  return `axis 0 counts the samples; expected [samples, ${row.slice(1).join(', ')}] or [samples, ${row.join(', ')}]`;
}

function commonCount(
  archive: ArrayList,
  split: string,
  inputs: readonly BoundInput[],
): Result<number, SampleProblem> {
  const lengths = inputs.map(({ array }) => array.shape[0] ?? 0);
  const count = lengths[0] ?? 0;
  if (lengths.some((length) => length !== count)) {
    const list = inputs.map(({ array }, i) => `'${array.name}' has ${lengths[i]}`).join(', ');
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

function missingSplit(archive: ArrayList, split: string): SampleProblem {
  const names = allNames(archive);
  const splits = [...new Set(names.filter((name) => name.includes('/')).map((name) => name.split('/')[0]))];
  const found =
    splits.length > 0
      ? `the splits are ${quoteList(splits)}`
      : `its arrays are ${quoteList(names)}, none of which is in a split`;
  return problem('split-missing', `the file has no split '${split}'; ${found}`, {
    place: { file: archive.path },
    hint: `name the arrays '${split}/<input name>', or choose another split with --split`,
  });
}

function missingInput(
  archive: ArrayList,
  split: string,
  input: ModelInput,
  known: {
    readonly modelInputs: readonly ModelInput[];
    readonly available: readonly string[];
    /** The output that may be the input's next value. */
    readonly state: ModelInput | undefined;
  },
): SampleProblem {
  const { modelInputs, available, state } = known;
  const others = available.filter((name) => name !== 'labels');
  const only = modelInputs.length === 1 && others.length === 1 ? others[0] : undefined;
  const save = `save the array as '${split}/${input.name}'`;
  return problem(
    'input-missing',
    `the split '${split}' has no array for the model's input '${input.name}'; ` +
      `it has ${quoteList(available)}, the model needs ${quoteList(modelInputs.map(({ name }) => name))}`,
    {
      place: { file: archive.path, tensor: `${split}/${input.name}` },
      hint:
        state !== undefined
          ? `if it is a state that the model gives back as '${state.name}', add --state ${state.name}=${input.name}` +
            ` (in a profile: data.states); otherwise ${save}`
          : only === undefined
            ? save
            : `if '${split}/${only}' is what the model takes, save it as '${split}/${input.name}'`,
    },
  );
}

function namesInSplit(archive: ArrayList, split: string): readonly string[] {
  const prefix = `${split}/`;
  return allNames(archive)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

function allNames(archive: ArrayList): readonly string[] {
  return [...archive.arrays.keys(), ...archive.unreadable.keys()];
}

const MAX_LISTED = 12;

function quoteList(names: readonly (string | undefined)[]): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, MAX_LISTED).map((name) => `'${name}'`);
  return shown.join(', ') + (names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '');
}

function formatDims(dims: ModelInput['dims']): string {
  return dims?.map((dim) => (isFreeDim(dim) ? `${dim}` || '?' : dim)).join(',') ?? 'unknown';
}

function numpyName(type: string): string {
  return type === 'bool' ? 'bool_' : type;
}
