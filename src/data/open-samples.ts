import { ALL_ITEMS, type DataSpec } from '../core/data-spec.ts';
import { evenPositions } from '../core/even-positions.ts';
import type { ImageGeometry } from '../core/item.ts';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { NamedTensors, Tensor } from '../core/tensor.ts';
import { bindInputs } from './bind-inputs.ts';
import type { CarriedState } from './carried-state.ts';
import { choosePositions } from './choose-positions.ts';
import { initialStates } from './initial-states.ts';
import type { InputBinding, PrepareItem } from './input-binding.ts';
import type { ItemCollection } from './item-collection.ts';
import { type OpenCollectionPorts, openCollection } from './open-collection.ts';
import { readAhead } from './read-ahead.ts';
import type {
  ModelInput,
  Sample,
  SampleProblem,
  SampleRange,
  SampleSource,
  SkippedSample,
} from './sample-source.ts';

export interface OpenSamplesOptions extends OpenCollectionPorts {
  /** A split of the data, or `all`. */
  readonly split: string;
  readonly modelInputs: readonly ModelInput[];
  /** Lets a missing input that looks like a carried state say so, and states be checked. */
  readonly modelOutputs?: readonly ModelInput[];
  /** Inputs that the run before gives. They need no data; the first sample of a sequence brings zeros for them. */
  readonly states?: readonly CarriedState[];
  /** At most this many samples; see `choosePositions`. A positive integer. */
  readonly limit?: number;
  /** Only these samples of the split, by their place in it; they are numbered anew. Not where states are carried. */
  readonly only?: readonly number[];
  /** Whether samples bring their labels, which are then checked. */
  readonly withTruth?: boolean;
}

/**
 * Opens one split of a data set for one model. Everything that can be known without reading samples is checked here:
 * the split, labels, and the names, element types, dimensions and lengths of what feeds the inputs. Where states are
 * carried, a sequence starts wherever the items' `sequence` changes; without it there is but one.
 * Errors: see the formats; `read` may still find a damaged file or a value that the model's type cannot hold. What is wrong
 * with a sample names its index, and its file or, where that holds many, the item.
 */
export async function openSamples(
  spec: DataSpec,
  options: OpenSamplesOptions,
): Promise<Result<SampleSource, SampleProblem>> {
  const { limit = Number.POSITIVE_INFINITY, states = [], modelInputs } = options;
  if (!(limit >= 1) || limit % 1 > 0)
    throw new RangeError(`the limit must be a positive integer, not ${limit}`);
  const carried = new Set(states.map(({ input }) => input));
  const fedInputs = modelInputs.filter(({ name }) => !carried.has(name));
  if (fedInputs.length === 0 && states.length > 0) {
    const hint = 'leave out of the states what the data holds';
    return err(problem('state-invalid', 'every input of the model is a state, so no data is read', { hint }));
  }
  const described = states.find(({ input }) => Object.hasOwn(spec.inputs ?? {}, input));
  if (described !== undefined && spec.module === undefined) {
    const message = `the data describes the input '${described.input}', which is a state that is carried`;
    const hint = 'leave it out of data.inputs, or of the states';
    return err(problem('state-invalid', message, { place: { tensor: described.input }, hint }));
  }
  const collection = await openCollection(spec, { ...options, modelInputs: fedInputs });
  if (!collection.ok) return collection;
  const source = await bindCollection(collection.value, spec, fedInputs, { ...options, limit });
  if (!source.ok) await collection.value.close();
  return source;
}

async function bindCollection(
  collection: ItemCollection,
  spec: DataSpec,
  fedInputs: readonly ModelInput[],
  options: OpenSamplesOptions & { readonly limit: number },
): Promise<Result<SampleSource, SampleProblem>> {
  const { split, modelInputs, modelOutputs, states = [], limit } = options;
  const bound = await bindItems(collection, spec, fedInputs, options);
  if (!bound.ok) return bound;
  const inOrder = states.length > 0;
  const chosen = await choosePositions(collection, spec, {
    split,
    inOrder,
    ...(options.only === undefined ? { limit } : {}),
  });
  if (!chosen.ok) return chosen;
  const part = options.only === undefined ? chosen : picked(chosen.value, options.only, limit);
  if (!part.ok) return part;
  const positions = part.value;
  if (positions.length === 0) return err(noSamples(collection, split));
  const contents = { collection, spec, bound: bound.value, positions };
  const { withTruth = false } = options;
  if (states.length === 0) return ok(createSource({ ...contents, withTruth, zeros: undefined }));
  const fed = bound.value.fed.flatMap(({ name, dims }) => (dims === undefined ? [] : [{ name, dims }]));
  const outputs = modelOutputs === undefined ? {} : { modelOutputs };
  const zeros = initialStates({ states, modelInputs, fed, ...outputs });
  return zeros.ok ? ok(createSource({ ...contents, withTruth, zeros: zeros.value })) : zeros;
}

/** Those of the split that are named, as many as the limit allows. */
function picked(
  positions: Uint32Array,
  only: readonly number[],
  limit: number,
): Result<Uint32Array, Problem<'no-samples'>> {
  const missing = only.find((index) => positions[index] === undefined);
  if (missing === undefined) {
    return ok(evenPositions(only.length, limit).map((at) => positions[only[at] as number] as number));
  }
  const message = `sample ${missing} is asked for, and the split has ${positions.length}`;
  return err(problem('no-samples', message, { hint: 'the data has changed: begin anew' }));
}

interface BoundItems {
  readonly fed: SampleSource['inputs'];
  readonly prepare: PrepareItem;
}

async function bindItems(
  collection: ItemCollection,
  spec: DataSpec,
  fedInputs: readonly ModelInput[],
  { split, modelOutputs }: OpenSamplesOptions,
): Promise<Result<BoundItems, Problem>> {
  if (spec.module !== undefined) {
    return (await import('./own-preprocessing.ts')).bindOwnModule(spec.module, fedInputs);
  }
  const bindings = await bindInputs(collection, {
    spec,
    split,
    modelInputs: fedInputs,
    ...(modelOutputs === undefined ? {} : { modelOutputs }),
  });
  if (!bindings.ok) return bindings;
  return ok({ fed: bindings.value.map(({ fed }) => fed), prepare: prepareBy(bindings.value) });
}

function prepareBy(bindings: readonly InputBinding[]): PrepareItem {
  return async ({ fields }, place) => {
    const feeds: Record<string, Tensor> = {};
    let geometry: ImageGeometry | undefined;
    for (const { fed, field, prepare } of bindings) {
      const value = field === undefined ? undefined : fields[field];
      if (field !== undefined && value === undefined) {
        return err(
          problem('field-missing', `the item has no '${field}'`, {
            place,
            hint: 'every item must have the same fields',
          }),
        );
      }
      const prepared = await prepare(value, place);
      if (!prepared.ok) return prepared;
      feeds[fed.name] = prepared.value.tensor;
      geometry ??= prepared.value.geometry;
    }
    return ok({ feeds, ...(geometry === undefined ? {} : { geometry }) });
  };
}

/** Enough to keep the decoders of two cores busy while a model computes, and few enough to forget about. */
const SAMPLES_AHEAD = 4;

interface SourceContents {
  readonly collection: ItemCollection;
  readonly spec: DataSpec;
  readonly bound: BoundItems;
  readonly positions: Uint32Array;
  readonly withTruth: boolean;
  /** Of the carried states. */
  readonly zeros: NamedTensors | undefined;
}

function createSource(contents: SourceContents): SampleSource {
  const { collection, spec, bound, positions, zeros } = contents;
  const skipped = new Map<number, SkippedSample>();
  const describe = (index: number) => collection.describe(positions[index] as number);
  const sequenceAt = (index: number) => describe(index).sequence;
  const startsSequence = (index: number, before = index - 1) =>
    before < 0 || sequenceAt(index) !== sequenceAt(before);
  const withZeros = (sample: Sample): Sample => ({ ...sample, feeds: { ...zeros, ...sample.feeds } });

  async function read(index: number): Promise<Result<Sample, SampleProblem>> {
    const sample = await readSample(contents, index);
    return sample.ok && startsSequence(index) ? ok(withZeros(sample.value)) : sample;
  }

  async function* results({ start = 0, end = positions.length, step = 1 }: SampleRange = {}) {
    if (!(step >= 1)) throw new RangeError(`the step must be positive, not ${step}`);
    const range = { start, end: Math.min(end, positions.length), step };
    let index = start;
    // Whoever starts in the middle of a sequence has no state from before; nor has whoever misses a sequence's first sample.
    let isFirst = true;
    for await (const sample of readAhead(range, (at) => readSample(contents, at), SAMPLES_AHEAD)) {
      isFirst ||= zeros !== undefined && startsSequence(index, index - step);
      index += step;
      if (sample.ok) {
        yield isFirst ? ok(withZeros(sample.value)) : sample;
        isFirst = false;
      } else {
        yield sample;
      }
    }
  }

  async function* samples(range?: SampleRange): AsyncGenerator<Sample> {
    for await (const sample of results(range)) {
      if (sample.ok) yield sample.value;
      else if (spec.onBadSample !== 'skip') throw new ProblemError(sample.error);
      else skip(sample.error);
    }
  }

  const skip = (cause: SampleProblem): void => {
    const index = cause.place?.sample ?? 0;
    skipped.set(index, { index, id: describe(index).id, problem: cause });
  };

  return {
    path: collection.path,
    count: positions.length,
    inputs: bound.fed,
    unused: collection.unused,
    isMadeUp: spec.format === 'random',
    read,
    results,
    samples,
    skipsBadSamples: spec.onBadSample === 'skip',
    skipped: () => [...skipped.values()].sort((a, b) => a.index - b.index),
    close: () => collection.close(),
  };
}

async function readSample(
  { collection, bound, positions, withTruth }: SourceContents,
  index: number,
): Promise<Result<Sample, SampleProblem>> {
  const position = positions[index];
  if (position === undefined) throw new RangeError(`sample ${index} of ${positions.length}`);
  const { id, group } = collection.describe(position);
  const place = { file: collection.path, sample: index };
  const item = await collection.read(position);
  if (!item.ok) return err(locate(item.error, place, id));
  const prepared = await bound.prepare(item.value, place, id);
  if (!prepared.ok) return err(locate(prepared.error, place, id));
  const { feeds, geometry } = prepared.value;
  const truth = withTruth ? item.value.truth : undefined;
  return ok({
    index,
    id,
    ...(group === undefined ? {} : { group }),
    ...(truth === undefined ? {} : { truth }),
    ...(geometry === undefined ? {} : { geometry }),
    feeds,
  });
}

/** A file or folder of many items does not say which is bad, and after splitting an index alone does not either. */
function locate(
  cause: Problem,
  place: { readonly file: string; readonly sample: number },
  id: string,
): Problem {
  const found = { ...place, ...cause.place, sample: place.sample };
  const isNamed = found.file !== place.file || found.line !== undefined;
  return { ...cause, message: isNamed ? cause.message : `item '${id}': ${cause.message}`, place: found };
}

function noSamples({ path }: ItemCollection, split: string): Problem {
  return problem('no-samples', `the split '${split}' holds no samples`, {
    place: { file: path },
    hint: `choose another split with --split, or '${ALL_ITEMS}'`,
  });
}
