import { type Problem, ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors, NumericArray, Tensor } from '../core/tensor.ts';
import type { CarriedState } from '../data/carried-state.ts';
import { carryStates } from '../data/carried-state.ts';
import { isFreeDim } from '../data/sample-source.ts';
import type { ModelPort } from '../runtime/session.ts';
import { openTaskData, type TaskData } from './task-data.ts';

/** Feeds are built before the clock starts, so they must fit in memory beside the model. */
const MAX_PREBUILT_SAMPLES = 256;
const MAX_PREBUILT_BYTES = 256 * 2 ** 20;

export interface FeedsRequest {
  readonly data: TaskData;
  readonly states?: readonly CarriedState[] | undefined;
  /** Samples that one run works through. */
  readonly batch: number;
}

interface Model {
  readonly inputs: readonly ModelPort[];
  readonly outputs: readonly ModelPort[];
  readonly run: (feeds: NamedTensors) => NamedTensors;
}

/**
 * The feeds of a benchmark, one for every run that can be told from another, at most 256 samples and 256 MiB. Where states are
 * carried, the model goes through the samples in their own order once, and each keeps the states that it was fed there.
 * Throws `ProblemError`: those of the data, `batch-not-supported`, `too-few-samples`.
 */
export async function buildFeeds(
  { data, states, batch }: FeedsRequest,
  model: Model,
): Promise<readonly NamedTensors[]> {
  if (batch > 1) requireFreeBatch(model.inputs, states);
  const source = await openTaskData(data, model, { states });
  const samples: NamedTensors[] = [];
  let bytes = 0;
  const keep = (feeds: NamedTensors) => {
    samples.push(feeds);
    bytes += feedBytes(feeds);
  };
  const step = carryStates(async (feeds) => {
    keep(feeds);
    return model.run(feeds);
  }, states);
  const end = Math.min(source.count, Math.max(MAX_PREBUILT_SAMPLES, batch));
  for await (const { feeds } of source.samples({ end })) {
    if (states === undefined || states.length === 0) keep(feeds);
    else await step(feeds);
    if (bytes >= MAX_PREBUILT_BYTES && samples.length >= batch) break;
  }
  await source.close();
  return batch === 1 ? samples : inBatches(samples, batch);
}

/** The index of the first feed of every distinct shape. */
export function firstOfEveryShape(feeds: readonly NamedTensors[]): number[] {
  const shapes = shapesOf(feeds);
  return [...new Set(shapes)].map((shape) => shapes.indexOf(shape));
}

/** Which of the distinct shapes each feed has, numbered in the order in which they occur. */
export function shapesOf(feeds: readonly NamedTensors[]): number[] {
  const numbers = new Map<string, number>();
  return feeds.map((named) => {
    const shape = JSON.stringify(Object.entries(named).map(([name, { dims }]) => [name, dims]));
    const number = numbers.get(shape) ?? numbers.size;
    numbers.set(shape, number);
    return number;
  });
}

function requireFreeBatch(inputs: readonly ModelPort[], states: readonly CarriedState[] | undefined): void {
  if (states !== undefined && states.length > 0) {
    throw new ProblemError(
      notBatchable('the samples of a model that carries states follow one another', undefined),
    );
  }
  const fixed = inputs.find(({ dims }) => dims[0] === undefined || !isFreeDim(dims[0]));
  if (fixed === undefined) return;
  const dims = fixed.dims.length === 0 ? 'a scalar' : `[${fixed.dims.join(', ')}]`;
  throw new ProblemError(notBatchable(`input '${fixed.name}' is ${dims}`, fixed.name));
}

function notBatchable(why: string, tensor: string | undefined): Problem {
  return problem('batch-not-supported', `the model takes no batch of another size: ${why}`, {
    ...(tensor === undefined ? {} : { place: { tensor } }),
    hint: 'leave out --batch, or export the model with a free first dimension',
  });
}

/** Whole batches of samples that follow one another, joined along the first axis. */
function inBatches(samples: readonly NamedTensors[], batch: number): NamedTensors[] {
  const count = Math.floor(samples.length / batch);
  if (count === 0) {
    throw new ProblemError(
      problem('too-few-samples', `a batch takes ${batch} samples and the data has ${samples.length}`, {
        hint: 'use a smaller --batch or more data',
      }),
    );
  }
  return Array.from({ length: count }, (_, index) =>
    joined(samples.slice(index * batch, (index + 1) * batch)),
  );
}

function joined(samples: readonly NamedTensors[]): NamedTensors {
  const names = Object.keys(samples[0] as NamedTensors);
  return Object.fromEntries(
    names.map((name) => [
      name,
      joinTensors(
        name,
        samples.map((sample) => sample[name] as Tensor),
      ),
    ]),
  );
}

function joinTensors(name: string, parts: readonly Tensor[]): Tensor {
  const { type, dims } = parts[0] as Tensor;
  const rest = dims.slice(1);
  if (parts.some((part) => part.dims.slice(1).join() !== rest.join())) {
    throw new ProblemError(
      problem('batch-not-supported', `samples of '${name}' differ in shape and cannot be joined`, {
        place: { tensor: name },
        hint: 'leave out --batch, or let the preprocessing give all samples one shape',
      }),
    );
  }
  const rows = parts.reduce((total, part) => total + (part.dims[0] as number), 0);
  return { type, dims: [rows, ...rest], data: joinData(parts.map(({ data }) => data)) };
}

function joinData(parts: readonly Tensor['data'][]): Tensor['data'] {
  const [first] = parts;
  if (first === undefined || !ArrayBuffer.isView(first)) return (parts as readonly string[][]).flat();
  const length = parts.reduce((total, part) => total + part.length, 0);
  const out = new (first.constructor as new (length: number) => NumericArray)(length);
  let offset = 0;
  for (const part of parts) {
    (out as Float32Array).set(part as Float32Array, offset);
    offset += part.length;
  }
  return out;
}

function feedBytes(feeds: NamedTensors): number {
  return Object.values(feeds).reduce(
    (total, { data }) => total + ('byteLength' in data ? data.byteLength : data.length * 16),
    0,
  );
}
