import type { NamedTensors } from '../../core/tensor.ts';
import type { ValueRange } from '../affine.ts';
import type { CalibrationSettings } from '../recipe.ts';
import { entropyRange } from './entropy-range.ts';
import { readExtremes, readValues } from './extremes.ts';
import { createHistogram, type HistogramCounts } from './histogram.ts';
import { mseRange } from './mse-range.ts';
import type { ObservedTensor } from './observation.ts';
import { percentileRange } from './percentile-range.ts';

/** Turns what runs tell into ranges. What it keeps does not grow with the number of samples. */
export interface RangeObserver {
  /** Takes the outputs of one run. Throws `ProblemError` (`non-finite-activation`) that names tensor and sample. */
  readonly add: (sample: number, outputs: NamedTensors) => void;
  readonly ranges: () => ReadonlyMap<string, ValueRange>;
}

/** Whether a method looks at distributions, and not at extremes alone. */
export function needsValues({ method }: CalibrationSettings): boolean {
  return method !== 'minmax' && method !== 'moving-average';
}

export function createObserver(
  settings: CalibrationSettings,
  observed: readonly ObservedTensor[],
): RangeObserver {
  switch (settings.method) {
    case 'minmax':
      return observeExtremes(observed, (range, seen) => ({
        min: Math.min(range.min, seen.min),
        max: Math.max(range.max, seen.max),
      }));
    case 'moving-average':
      return observeExtremes(observed, (range, seen) => ({
        min: range.min + AVERAGING * (seen.min - range.min),
        max: range.max + AVERAGING * (seen.max - range.max),
      }));
    case 'mse':
      return observeDistributions(observed, (histogram) => mseRange(histogram), inverseEnergy);
    case 'entropy':
      return observeDistributions(observed, entropyRange);
    case 'percentile':
      return observeDistributions(observed, (histogram) =>
        percentileRange(histogram, settings.percentile ?? DEFAULT_PERCENTILE),
      );
  }
}

/** Weight of a new sample in the moving average, as onnxruntime.quantization has it. */
const AVERAGING = 0.01;

const DEFAULT_PERCENTILE = 99.99;

function observeExtremes(
  observed: readonly ObservedTensor[],
  combine: (range: ValueRange, seen: ValueRange) => ValueRange,
): RangeObserver {
  const ranges = new Map<string, ValueRange>();
  return {
    add: (sample, outputs) => {
      for (const tensor of observed) {
        const seen = readExtremes(tensor, sample, outputs);
        const before = ranges.get(tensor.tensor);
        ranges.set(tensor.tensor, before === undefined ? seen : combine(before, seen));
      }
    },
    ranges: () => ranges,
  };
}

/** A tensor that comes out whole is thinned out to about so many values a run. */
const VALUES_PER_RUN = 65536;

function observeDistributions(
  observed: readonly ObservedTensor[],
  choose: (histogram: HistogramCounts) => ValueRange,
  weigh: (values: Float32Array, stride: number) => number = () => 1,
): RangeObserver {
  const histograms = observed.map((tensor) => ({ tensor, histogram: createHistogram() }));
  return {
    add: (sample, outputs) => {
      for (const { tensor, histogram } of histograms) {
        histogram.cover(readExtremes(tensor, sample, outputs));
        const values = readValues(tensor, outputs);
        // An odd stride does not fall into step with row lengths, which are mostly even.
        const stride = 2 * Math.floor(values.length / VALUES_PER_RUN / 2) + 1;
        histogram.add(values, stride, weigh(values, stride));
      }
    },
    ranges: () =>
      new Map(histograms.map(({ tensor, histogram }) => [tensor.tensor, choose(histogram.snapshot())])),
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
