import type { ActivationGrid } from './quantized-node.ts';

/** What samples say of one tensor, in the float32 model and in the quantized one. */
export interface TensorStatistics {
  readonly values: number;
  /** Sum of squares in the float32 model. */
  readonly signal: number;
  /** Energy of the difference to the quantized model as a whole, over the signal. Undefined where that does not tell it. */
  readonly accumulatedNoise: number | undefined;
  readonly min: number;
  readonly max: number;
  readonly grid: GridStatistics | undefined;
  readonly channels: ChannelStatistics | undefined;
}

/** What the grid of the quantized model does to the values of the float32 model. */
export interface GridStatistics {
  readonly low: number;
  readonly high: number;
  /** Of rounding to the nearest code, for values within the range, over the signal. */
  readonly roundingNoise: number;
  /** Of cutting values off at the ends, over the signal. */
  readonly clippingNoise: number;
  readonly clippedRatio: number;
  /** Codes that some value takes, of all there are; undefined for more than 8 bits. */
  readonly usedCodes: number | undefined;
  readonly codes: number;
  /** The share of the range, from 0 to the farther end, that holds 99.9 % of all values. */
  readonly rangeOf999: number;
  /** Values by where they lie: 64 bins over the range, and as many below and above it. */
  readonly histogram: readonly number[];
}

/** Channels are along axis 1 of feature maps, and along the last axis of all else. */
export interface ChannelStatistics {
  /** The largest magnitude of each. */
  readonly absMax: Float64Array;
  /** Noise of rounding to the grid over the signal, of each. */
  readonly noise: Float64Array;
}

export interface TensorAccumulator {
  /** @param other the values of the quantized model at the same places */
  add(values: Float32Array, dims: readonly number[], other: Float32Array | undefined): void;
  result(): TensorStatistics;
}

export const BINS_OVER_RANGE = 64;
/** Magnitudes are counted by eighths of an octave of the range's farther end. */
const STEPS_AN_OCTAVE = 8;
const OCTAVES = 40;
const MOST_CHANNELS = 4096;

/** What is kept does not grow with the number of samples. */
export function accumulateTensor(grid: ActivationGrid | undefined): TensorAccumulator {
  const onGrid = grid === undefined ? undefined : accumulateGrid(grid);
  let channels: ReturnType<typeof accumulateChannels> | undefined;
  let count = 0;
  let signal = 0;
  let difference = 0;
  let isCompared = true;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  return {
    add: (values, dims, other) => {
      const { width, inner } = channelsOf(dims);
      if (width > 1 && width <= MOST_CHANNELS) channels ??= accumulateChannels(width);
      const isLike = other?.length === values.length;
      isCompared &&= isLike;
      for (let i = 0; i < values.length; i++) {
        const x = values[i] as number;
        if (x < min) min = x;
        if (x > max) max = x;
        signal += x * x;
        if (isLike) difference += (x - (other[i] as number)) ** 2;
        const error = onGrid === undefined ? 0 : onGrid.add(x);
        channels?.add(Math.floor(i / inner) % width, x, error);
      }
      count += values.length;
    },
    result: () => ({
      values: count,
      signal,
      accumulatedNoise: isCompared && count > 0 ? over(difference, signal) : undefined,
      min: count === 0 ? 0 : min,
      max: count === 0 ? 0 : max,
      grid: onGrid?.result(count, signal),
      channels: channels?.result(),
    }),
  };
}

function channelsOf(dims: readonly number[]): { readonly width: number; readonly inner: number } {
  if (dims.length <= 3) return { width: dims.at(-1) ?? 1, inner: 1 };
  return { width: dims[1] ?? 1, inner: dims.slice(2).reduce((product, dim) => product * dim, 1) };
}

function accumulateChannels(width: number) {
  const absMax = new Float64Array(width);
  const signals = new Float64Array(width);
  const noises = new Float64Array(width);
  return {
    add: (channel: number, x: number, error: number): void => {
      if (Math.abs(x) > (absMax[channel] as number)) absMax[channel] = Math.abs(x);
      signals[channel] = (signals[channel] as number) + x * x;
      noises[channel] = (noises[channel] as number) + error;
    },
    result: (): ChannelStatistics => ({
      absMax,
      noise: noises.map((noise, channel) => over(noise, signals[channel] as number)),
    }),
  };
}

function accumulateGrid({ scale, zeroPoint, codes }: ActivationGrid) {
  const low = (codes.min - zeroPoint) * scale;
  const high = (codes.max - zeroPoint) * scale;
  const farther = Math.max(Math.abs(low), Math.abs(high));
  const isCounted = codes.max - codes.min < 256;
  const used = new Uint8Array(isCounted ? codes.max - codes.min + 1 : 0);
  const bins = new Float64Array(3 * BINS_OVER_RANGE);
  const binsOfOne = BINS_OVER_RANGE / (high - low);
  const magnitudes = new Float64Array(OCTAVES * STEPS_AN_OCTAVE + 1);
  let rounding = 0;
  let clipping = 0;
  let clipped = 0;
  const count = (counts: Float64Array, at: number): void => {
    const bin = clamp(at, counts.length - 1);
    counts[bin] = (counts[bin] as number) + 1;
  };
  return {
    /** Gives back the squared error. */
    add: (x: number): number => {
      count(bins, Math.floor((x - low) * binsOfOne) + BINS_OVER_RANGE);
      const octaves = x === 0 ? OCTAVES : Math.log2(farther / Math.abs(x));
      count(magnitudes, Math.floor(octaves * STEPS_AN_OCTAVE) + 1);
      const wanted = nearest(x / scale) + zeroPoint;
      const code = Math.max(codes.min, Math.min(wanted, codes.max));
      if (isCounted) used[code - codes.min] = 1;
      const error = (x - (code - zeroPoint) * scale) ** 2;
      if (code === wanted) rounding += error;
      else {
        clipping += error;
        clipped += 1;
      }
      return error;
    },
    result: (values: number, signal: number): GridStatistics => ({
      low,
      high,
      roundingNoise: over(rounding, signal),
      clippingNoise: over(clipping, signal),
      clippedRatio: values === 0 ? 0 : clipped / values,
      usedCodes: isCounted ? used.reduce((sum, one) => sum + one, 0) : undefined,
      codes: codes.max - codes.min + 1,
      rangeOf999: rangeHolding(0.999, magnitudes, values),
      histogram: [...bins],
    }),
  };
}

/** Noise over signal; what has no energy loses nothing as long as there is no noise. */
export function over(noise: number, signal: number): number {
  return noise === 0 ? 0 : noise / signal;
}

/** −10·log10 of noise over signal; null where nothing was lost. */
export function toDecibels(noise: number | undefined): number | null {
  return noise === undefined || noise === 0 || Number.isNaN(noise) ? null : -10 * Math.log10(noise);
}

function clamp(at: number, last: number): number {
  return at < 0 ? 0 : at > last ? last : Number.isNaN(at) ? 0 : at;
}

/** Half to even, for magnitudes below 2^31. */
function nearest(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  return rest > 0.5 || floor % 2 !== 0 ? floor + 1 : floor;
}

/** The first bin holds what lies beyond the range. */
function rangeHolding(share: number, magnitudes: Float64Array, count: number): number {
  let beyond = 0;
  for (let step = 0; step < magnitudes.length; step++) {
    beyond += magnitudes[step] as number;
    if (beyond > count * (1 - share)) return step === 0 ? 1 : 2 ** (-(step - 1) / STEPS_AN_OCTAVE);
  }
  return 0;
}
