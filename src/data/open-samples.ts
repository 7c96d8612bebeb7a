import { ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { NamedTensors, Tensor } from '../core/tensor.ts';
import type { CarriedState } from './carried-state.ts';
import { convertElements } from './convert-elements.ts';
import { initialStates } from './initial-states.ts';
import { readLabels } from './labels.ts';
import { type NpzArchive, openNpz } from './npz.ts';
import type { ModelInput, Sample, SampleProblem, SampleSource } from './sample-source.ts';
import { readSequenceStarts } from './sequences.ts';
import { type BoundInput, bindSplit, type SplitBinding } from './split-binding.ts';

export interface OpenSamplesOptions {
  /** `calib`, `eval` or any other prefix that the file's arrays have. */
  readonly split: string;
  readonly modelInputs: readonly ModelInput[];
  /** Lets a missing input that looks like a carried state say so, and states be checked. */
  readonly modelOutputs?: readonly ModelInput[];
  /** Inputs that the run before gives. They need no array; the first sample of a sequence brings zeros for them. */
  readonly states?: readonly CarriedState[];
  /** At most this many samples, from the first. A positive integer. */
  readonly limit?: number;
}

/**
 * Opens one split of an `.npz` file for one model. Everything that can be known without reading samples is checked
 * here: the split, the inputs' names, element types, dimensions and lengths. Where states are carried, an integer array
 * `<split>/sequence` tells the sequences apart: one starts wherever its value changes. Without it there is but one.
 * Errors: see `SampleProblem`; `read` may still find a damaged file or a value that the model's type cannot hold.
 */
export async function openSamples(
  path: string,
  options: OpenSamplesOptions,
): Promise<Result<SampleSource, SampleProblem>> {
  const { split, limit = Number.POSITIVE_INFINITY } = options;
  if (!(limit >= 1) || limit % 1 > 0)
    throw new RangeError(`the limit must be a positive integer, not ${limit}`);
  const archive = await openNpz(path);
  if (!archive.ok) return archive;
  const source = await bindSource(archive.value, split, limit, options);
  if (!source.ok) await archive.value.close();
  return source;
}

async function bindSource(
  archive: NpzArchive,
  split: string,
  limit: number,
  { modelInputs, modelOutputs, states = [] }: OpenSamplesOptions,
): Promise<Result<SampleSource, SampleProblem>> {
  const carried = new Set(states.map(({ input }) => input));
  const fedInputs = modelInputs.filter(({ name }) => !carried.has(name));
  if (fedInputs.length === 0 && states.length > 0) {
    const hint = 'leave out of the states what the data holds';
    return err(problem('state-invalid', 'every input of the model is a state, so no data is read', { hint }));
  }
  const binding = bindSplit(archive, split, fedInputs, modelOutputs);
  if (!binding.ok) return binding;
  const count = Math.min(limit, binding.value.count);
  if (states.length === 0) return ok(createSource(archive, split, binding.value, count));
  const fed = binding.value.inputs.map(({ fed: input }) => input);
  const outputs = modelOutputs === undefined ? {} : { modelOutputs };
  const initial = initialStates({ states, modelInputs, fed, ...outputs });
  if (!initial.ok) return initial;
  const starts = await readSequenceStarts(archive, binding.value, split);
  if (!starts.ok) return starts;
  return ok(
    createSource(archive, split, binding.value, count, { zeros: initial.value, starts: starts.value }),
  );
}

/** What the samples of a recurrent model bring besides their arrays. */
interface Sequences {
  readonly zeros: NamedTensors;
  /** Whether a sequence starts at a sample. */
  readonly starts: (index: number) => boolean;
}

function createSource(
  archive: NpzArchive,
  split: string,
  binding: SplitBinding,
  count: number,
  sequences?: Sequences,
): SampleSource {
  const read = async (
    index: number,
    isFirst = sequences?.starts(index),
  ): Promise<Result<Sample, SampleProblem>> => {
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new RangeError(`sample ${index} of ${count}`);
    }
    const feeds: [string, Tensor][] = [];
    for (const input of binding.inputs) {
      const tensor = await readTensor(archive, input, index);
      if (!tensor.ok) return tensor;
      feeds.push([input.fed.name, tensor.value]);
    }
    const zeros = isFirst === true ? sequences?.zeros : undefined;
    return ok({ index, feeds: { ...zeros, ...Object.fromEntries(feeds) } });
  };
  const inputArrays = new Set(binding.inputs.map(({ array }) => array.name));
  return {
    count,
    inputs: binding.inputs.map(({ fed }) => fed),
    unusedArrays: binding.unusedArrays,
    read: (index) => read(index),
    samples: (range = {}) => iterate(read, range.start ?? 0, Math.min(range.end ?? count, count)),
    labels: () => readLabels(archive, { split, count, total: binding.count, taken: inputArrays }),
    close: () => archive.close(),
  };
}

async function* iterate(
  read: (index: number, isFirst?: boolean) => ReturnType<SampleSource['read']>,
  start: number,
  end: number,
): AsyncGenerator<Sample> {
  for (let index = start; index < end; index += 1) {
    // Whoever starts in the middle of a sequence has no state from before.
    const sample = await (index === start ? read(index, true) : read(index));
    if (!sample.ok) throw new ProblemError(sample.error);
    yield sample.value;
  }
}

async function readTensor(
  archive: NpzArchive,
  { array, fed }: BoundInput,
  index: number,
): Promise<Result<Tensor, SampleProblem>> {
  const row = await archive.readRows(array.name, index, 1);
  if (!row.ok) return row;
  const data = convertElements(row.value, array.type, fed.type);
  if (data.ok) return ok({ type: fed.type, dims: fed.dims, data: data.value });
  return err(
    problem(
      'value-unrepresentable',
      `element ${data.error.index} is ${data.error.value} (${array.type}), which ${fed.type} cannot hold`,
      {
        place: { file: archive.path, tensor: array.name, sample: index },
        hint: `scale or cast the array to ${fed.type} when saving it`,
      },
    ),
  );
}
