import { ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Tensor } from '../core/tensor.ts';
import { convertElements } from './convert-elements.ts';
import { readLabels } from './labels.ts';
import { type NpzArchive, openNpz } from './npz.ts';
import type { ModelInput, Sample, SampleProblem, SampleSource } from './sample-source.ts';
import { type BoundInput, bindSplit, type SplitBinding } from './split-binding.ts';

export interface OpenSamplesOptions {
  /** `calib`, `eval` or any other prefix that the file's arrays have. */
  readonly split: string;
  readonly modelInputs: readonly ModelInput[];
  /** At most this many samples, from the first. A positive integer. */
  readonly limit?: number;
}

/**
 * Opens one split of an `.npz` file for one model. Everything that can be known without reading samples is checked
 * here: the split, the inputs' names, element types, dimensions and lengths.
 * Errors: see `SampleProblem`; `read` may still find a damaged file or a value that the model's type cannot hold.
 */
export async function openSamples(
  path: string,
  options: OpenSamplesOptions,
): Promise<Result<SampleSource, SampleProblem>> {
  const { split, modelInputs, limit = Number.POSITIVE_INFINITY } = options;
  if (!(limit >= 1) || limit % 1 > 0)
    throw new RangeError(`the limit must be a positive integer, not ${limit}`);
  const archive = await openNpz(path);
  if (!archive.ok) return archive;
  const binding = bindSplit(archive.value, split, modelInputs);
  if (!binding.ok) {
    await archive.value.close();
    return binding;
  }
  return ok(createSource(archive.value, split, binding.value, Math.min(limit, binding.value.count)));
}

function createSource(
  archive: NpzArchive,
  split: string,
  binding: SplitBinding,
  count: number,
): SampleSource {
  const read = async (index: number): Promise<Result<Sample, SampleProblem>> => {
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new RangeError(`sample ${index} of ${count}`);
    }
    const feeds: [string, Tensor][] = [];
    for (const input of binding.inputs) {
      const tensor = await readTensor(archive, input, index);
      if (!tensor.ok) return tensor;
      feeds.push([input.fed.name, tensor.value]);
    }
    return ok({ index, feeds: Object.fromEntries(feeds) });
  };
  const inputArrays = new Set(binding.inputs.map(({ array }) => array.name));
  return {
    count,
    inputs: binding.inputs.map(({ fed }) => fed),
    unusedArrays: binding.unusedArrays,
    read,
    samples: (range = {}) => iterate(read, range.start ?? 0, Math.min(range.end ?? count, count)),
    labels: () => readLabels(archive, { split, count, total: binding.count, taken: inputArrays }),
    close: () => archive.close(),
  };
}

async function* iterate(read: SampleSource['read'], start: number, end: number): AsyncGenerator<Sample> {
  for (let index = start; index < end; index += 1) {
    const sample = await read(index);
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
