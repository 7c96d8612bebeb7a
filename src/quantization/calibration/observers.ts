import type { NamedTensors } from '../../core/tensor.ts';
import type { ValueRange } from '../affine.ts';
import type { CalibrationSettings } from '../recipe.ts';
import { entropyRange } from './entropy-range.ts';
import { evenStride } from './even-stride.ts';
import { nonFiniteActivation, readExtremes, readValues } from './extremes.ts';
import { createHistogram, type HistogramCounts } from './histogram.ts';
import { mseRange } from './mse-range.ts';
import type { ObservedExtremes, ObservedTensor, ObservedValues } from './observation.ts';
import { percentileRange } from './percentile-range.ts';

/** Turns what runs tell into ranges. What it keeps does not grow with the number of samples. */
export interface RangeObserver {
  /** Takes the outputs of one run. Throws `ProblemError` (`non-finite-activation`) that names tensor and sample. */
  readonly add: (sample: number, outputs: NamedTensors) => void;
  readonly ranges: () => ReadonlyMap<string, ValueRange>;
  /** The extremes of all that was seen, each range widened to hold 0. */
  readonly extremes?: () => ReadonlyMap<string, ValueRange>;
}

/** Whether a method looks at distributions, and not at extremes alone. */
export function needsValues({ method }: CalibrationSettings): boolean {
  return method !== 'minmax' && method !== 'moving-average';
}

/** Whether two calibrations look at the same outputs of the same samples, so that one pass does for both. */
export function lookAtSame(one: CalibrationSettings, other: CalibrationSettings): boolean {
  return needsValues(one) === needsValues(other) && one.samples === other.samples;
}

/** @param mostValues about so many values of a tensor are counted in one run, picked evenly; without it all are */
export function createObserver(
  settings: CalibrationSettings,
  observed: readonly ObservedTensor[],
  mostValues = Number.POSITIVE_INFINITY,
): RangeObserver {
  const distributions = (
    choose: (histogram: HistogramCounts) => ValueRange,
    weigh?: (values: Float32Array, stride: number) => number,
  ) => observeDistributions(observed, mostValues, choose, weigh);
  switch (settings.method) {
    case 'minmax':
      return observeExtremes(observed, widen);
    case 'moving-average':
      return observeExtremes(observed, (range, seen) => ({
        min: range.min + AVERAGING * (seen.min - range.min),
        max: range.max + AVERAGING * (seen.max - range.max),
      }));
    case 'mse':
      return distributions((histogram) => mseRange(histogram), inverseEnergy);
    case 'entropy':
      return distributions(entropyRange);
    case 'percentile':
      return distributions((histogram) =>
        percentileRange(histogram, settings.percentile ?? DEFAULT_PERCENTILE),
      );
  }
}

function widen(range: ValueRange, seen: ValueRange): ValueRange {
  return { min: Math.min(range.min, seen.min), max: Math.max(range.max, seen.max) };
}

/** Weight of a new sample in the moving average, as onnxruntime.quantization has it. */
const AVERAGING = 0.01;

const DEFAULT_PERCENTILE = 99.99;

function observeExtremes(
  observed: readonly ObservedTensor[],
  combine: (range: ValueRange, seen: ValueRange) => ValueRange,
): RangeObserver {
  const wanted = observed.filter((tensor): tensor is ObservedExtremes => tensor.kind === 'extremes');
  const ranges = new Map<string, ValueRange>();
  const extremes = new Map<string, ValueRange>();
  return {
    add: (sample, outputs) => {
      for (const tensor of wanted) {
        const seen = readExtremes(tensor, sample, outputs);
        const before = ranges.get(tensor.tensor);
        ranges.set(tensor.tensor, before === undefined ? seen : combine(before, seen));
        extremes.set(tensor.tensor, widen(extremes.get(tensor.tensor) ?? seen, seen));
      }
    },
    ranges: () => ranges,
    extremes: () => extremes,
  };
}

const VALUES_PER_TENSOR = 2 ** 19;
const FEWEST_PER_RUN = 1024;

/**
 * How many values of a tensor are worth counting in each of so many runs: enough in all for a tail of one in ten
 * thousand. Few samples are looked at more closely.
 */
export function valuesPerRun(samples: number): number {
  return Math.max(FEWEST_PER_RUN, VALUES_PER_TENSOR / samples);
}

function observeDistributions(
  observed: readonly ObservedTensor[],
  mostValues: number,
  choose: (histogram: HistogramCounts) => ValueRange,
  weigh: (values: Float32Array, stride: number) => number = () => 1,
): RangeObserver {
  const histograms = observed
    .filter((tensor): tensor is ObservedValues => tensor.kind === 'values')
    .map((tensor) => ({ tensor, histogram: createHistogram() }));
  return {
    add: (sample, outputs) => {
      for (const { tensor, histogram } of histograms) {
        const values = readValues(tensor, outputs);
        const stride = evenStride(values.length, mostValues);
        if (!histogram.add(values, stride, weigh(values, stride)))
          throw nonFiniteActivation(tensor.tensor, sample);
      }
    },
    ranges: () =>
      new Map(histograms.map(({ tensor, histogram }) => [tensor.tensor, choose(histogram.snapshot())])),
    extremes: () =>
      new Map(histograms.map(({ tensor, histogram }) => [tensor.tensor, histogram.snapshot().range])),
  };
}

/**
 * One over the energy of a tensor in one run. With it every sample adds its error relative to its own signal, so that a
 * few loud samples do not widen the range for all the others.
 */
function inverseEnergy(values: Float32Array, stride: number): number {
  let energy = 0;
  for (let i = 0; i < values.length; i += stride) energy += (values[i] as number) ** 2;
  return energy > 0 ? 1 / energy : 0;
}
