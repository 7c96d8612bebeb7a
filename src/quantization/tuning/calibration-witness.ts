import type { NamedTensors } from '../../core/tensor.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { type ObservingModel, observeTensors } from '../calibration/observation.ts';
import type { GraphView } from '../graph-view.ts';
import {
  type ChannelObserver,
  type ChannelStatistics,
  type ObservedChannels,
  observeChannels,
} from './channel-statistics.ts';
import type { DraftStatistics } from './draft-statistics.ts';
import type { KeptRun, KeptValues } from './kept-values.ts';
import { channelShape, type Picks, pickEvenly } from './picked-values.ts';

/** Learns of channels in the runs of a calibration, mostly from the values that it looks at anyway. */
export interface CalibrationWitness {
  /** The observing model, with outputs besides for what it does not tell. */
  readonly observe: (observing: ObservingModel) => OnnxModel;
  readonly add: (sample: number, outputs: NamedTensors) => void;
  readonly statistics: () => DraftStatistics;
  /** Of tensors whose channels may be scaled. */
  readonly kept: () => KeptValues;
}

export interface WitnessSettings {
  /** Samples that there will be. */
  readonly samples: number;
  /** Of these values are kept. */
  readonly keptSamples: ReadonlySet<number>;
}

/** Values of a tensor that its statistics come from, over all samples, and of a channel in each of them. */
const VALUES_PER_TENSOR = 2 ** 19;
const FEWEST_PER_CHANNEL = 2;

/** Values that are kept of all tensors together: 32 MiB of float32. */
const MOST_KEPT_VALUES = 2 ** 23;
/** More of one tensor would tell no more about its range. */
const MOST_KEPT_PER_TENSOR = 2 ** 19;

/** @param view the float model that is calibrated */
export function witnessCalibration(
  view: GraphView,
  wanted: readonly ObservedChannels[],
  { samples, keptSamples }: WitnessSettings,
): CalibrationWitness {
  const scalable = wanted.filter(({ isScalable }) => isScalable === true);
  const keptAtOnce =
    Math.min(MOST_KEPT_PER_TENSOR, MOST_KEPT_VALUES / Math.max(1, scalable.length)) /
    Math.max(1, keptSamples.size);
  const clipped = wanted.filter(({ isClipped }) => isClipped === true);
  const tensors = wanted.map((of) => createTensorWitness(of, VALUES_PER_TENSOR / samples, keptAtOnce));
  let outputOf: ReadonlyMap<string, string> = new Map();
  let maxima: ChannelObserver | undefined;
  return {
    observe: ({ model, observed }) => {
      const known = new Set(observed.filter(({ kind }) => kind === 'values').map(({ tensor }) => tensor));
      const missing = wanted.filter(({ tensor }) => !known.has(tensor)).map(({ tensor }) => tensor);
      const { graph = view.graph } = model.proto;
      const more = observeTensors({ ...view, model, graph }, missing, { values: true });
      outputOf = new Map(
        [...observed, ...more.observed].flatMap((of) =>
          of.kind === 'values' ? [[of.tensor, of.valuesOutput]] : [],
        ),
      );
      // What a Clip would cut is not to be missed.
      maxima = clipped.length === 0 ? undefined : observeChannels(more.model, clipped, ['max']);
      return maxima?.model ?? more.model;
    },
    add: (sample, outputs) => {
      const isKept = keptSamples.has(sample);
      for (const { tensor, add } of tensors) {
        const values = outputs[outputOf.get(tensor) ?? ''];
        if (values?.data instanceof Float32Array) add(values.data, values.dims, isKept);
      }
      maxima?.add(outputs);
    },
    statistics: () => {
      const largest = maxima?.statistics();
      return new Map(
        tensors.map(({ tensor, statistics }) => {
          const seen = statistics();
          return [tensor, { ...seen, max: largest?.get(tensor)?.max ?? seen.max }];
        }),
      );
    },
    kept: () =>
      new Map(tensors.filter(({ runs }) => runs.length > 0).map(({ tensor, runs }) => [tensor, runs])),
  };
}

interface TensorWitness {
  readonly tensor: string;
  readonly add: (values: Float32Array, dims: readonly number[], isKept: boolean) => void;
  readonly statistics: () => ChannelStatistics;
  readonly runs: readonly KeptRun[];
}

function createTensorWitness(
  { tensor, axis, channels, isNonNegative = false, isScalable = false }: ObservedChannels,
  seenAtOnce: number,
  keptAtOnce: number,
): TensorWitness {
  const max = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
  const min = new Float64Array(channels).fill(isNonNegative ? 0 : Number.POSITIVE_INFINITY);
  const squares = new Float64Array(channels);
  const counts = new Float64Array(channels);
  const runs: KeptRun[] = [];
  let picked: { readonly length: number; readonly seen: Picks; readonly kept: Picks } | undefined;
  /** Where all samples have one size, the same values are picked from all of them. */
  const picksOf = (dims: readonly number[], length: number) => {
    if (picked?.length === length) return picked;
    const shape = channelShape(dims, axis, channels);
    const seen = pickEvenly(shape, Math.max(seenAtOnce, FEWEST_PER_CHANNEL * channels));
    picked = { length, seen, kept: pickEvenly(shape, keptAtOnce) };
    return picked;
  };
  return {
    tensor,
    runs,
    add: (values, dims, isKept) => {
      const { seen, kept } = picksOf(dims, values.length);
      const { stride, channels: channelOf } = seen;
      // Most channels have several values in a row.
      for (let k = 0; k < channelOf.length; ) {
        const channel = channelOf[k] as number;
        const first = k;
        let most = max[channel] as number;
        let least = min[channel] as number;
        let sum = 0;
        do {
          const value = values[k * stride] as number;
          if (value > most) most = value;
          if (value < least) least = value;
          sum += value * value;
          k += 1;
        } while (k < channelOf.length && channelOf[k] === channel);
        max[channel] = most;
        min[channel] = least;
        squares[channel] = (squares[channel] as number) + sum;
        counts[channel] = (counts[channel] as number) + k - first;
      }
      if (!isKept || !isScalable) return;
      const part = new Float32Array(kept.channels.length);
      for (let k = 0; k < part.length; k++) part[k] = values[k * kept.stride] as number;
      runs.push({ values: part, channels: kept.channels });
    },
    statistics: () => ({
      max,
      min,
      meanSquare: squares.map((sum, channel) => sum / Math.max(1, counts[channel] as number)),
    }),
  };
}
