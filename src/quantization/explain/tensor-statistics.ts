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
  let channels: Channels | undefined;
  let count = 0;
  let signal = 0;
  let difference = 0;
  let isCompared = true;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  return {
    add: (values, dims, other) => {
      const { width, inner } = channelsOf(dims);
      if (width > 1 && width <= MOST_CHANNELS) channels ??= createChannels(width);
      const isLike = other?.length === values.length;
      isCompared &&= isLike;
      // Numbers in variables of this call alone: those of a closure are written to the heap each time.
      let [least, most, squares] = [min, max, signal];
      for (let i = 0; i < values.length; i++) {
        const x = values[i] as number;
        if (x < least) least = x;
        if (x > most) most = x;
        squares += x * x;
      }
      [min, max, signal] = [least, most, squares];
      if (isLike) difference = addDifference(difference, values, other);
      const errors = onGrid?.add(values);
      if (channels !== undefined) addToChannels(channels, values, errors, inner);
      count += values.length;
    },
    result: () => ({
      values: count,
      signal,
      accumulatedNoise: isCompared && count > 0 ? over(difference, signal) : undefined,
      min: count === 0 ? 0 : min,
      max: count === 0 ? 0 : max,
      grid: onGrid?.result(count, signal),
      channels:
        channels === undefined
          ? undefined
          : {
              absMax: channels.absMax,
              noise: channels.noises.map((noise, at) => over(noise, channels?.signals[at] as number)),
            },
    }),
  };
}

function addDifference(before: number, values: Float32Array, others: Float32Array): number {
  let difference = before;
  for (let i = 0; i < values.length; i++) difference += ((values[i] as number) - (others[i] as number)) ** 2;
  return difference;
}

function channelsOf(dims: readonly number[]): { readonly width: number; readonly inner: number } {
  if (dims.length <= 3) return { width: dims.at(-1) ?? 1, inner: 1 };
  return { width: dims[1] ?? 1, inner: dims.slice(2).reduce((product, dim) => product * dim, 1) };
}

interface Channels {
  readonly absMax: Float64Array;
  readonly signals: Float64Array;
  readonly noises: Float64Array;
}

function createChannels(width: number): Channels {
  const zeros = () => new Float64Array(width);
  return { absMax: zeros(), signals: zeros(), noises: zeros() };
}

/** @param inner so many values after another are of one channel */
function addToChannels(
  { absMax, signals, noises }: Channels,
  values: Float32Array,
  errors: Float64Array | undefined,
  inner: number,
): void {
  const width = absMax.length;
  for (let first = 0, channel = 0; first < values.length; first += inner, channel++) {
    if (channel === width) channel = 0;
    let largest = absMax[channel] as number;
    let signal = signals[channel] as number;
    let noise = noises[channel] as number;
    for (let i = first; i < first + inner; i++) {
      const x = values[i] as number;
      if (Math.abs(x) > largest) largest = Math.abs(x);
      signal += x * x;
      if (errors !== undefined) noise += errors[i] as number;
    }
    absMax[channel] = largest;
    signals[channel] = signal;
    noises[channel] = noise;
  }
}

/** Adding and taking away so much rounds what is smaller than 2^51 to an integer, half to even: doubles between 2^52 and 2^53 hold no halves. */
const ROUNDS = 1.5 * 2 ** 52;

function accumulateGrid({ scale, zeroPoint, codes }: ActivationGrid) {
  const low = (codes.min - zeroPoint) * scale;
  const high = (codes.max - zeroPoint) * scale;
  const isCounted = codes.max - codes.min < 256;
  const used = new Uint8Array(isCounted ? codes.max - codes.min + 1 : 0);
  const bins = new Float64Array(3 * BINS_OVER_RANGE);
  const binsOfOne = BINS_OVER_RANGE / (high - low);
  const magnitudes = countMagnitudes(Math.max(Math.abs(low), Math.abs(high)));
  let errors = new Float64Array(0);
  let rounding = 0;
  let clipping = 0;
  let clipped = 0;
  return {
    /** The squared error of each value; the next call writes over it. */
    add: (values: Float32Array): Float64Array => {
      if (errors.length < values.length) errors = new Float64Array(values.length);
      magnitudes.add(values);
      const last = bins.length - 1;
      const { min, max } = codes;
      const found = errors;
      let [inRange, beyond, count] = [rounding, clipping, clipped];
      for (let i = 0; i < values.length; i++) {
        const x = values[i] as number;
        const bin = clamp(Math.floor((x - low) * binsOfOne) + BINS_OVER_RANGE, last);
        bins[bin] = (bins[bin] as number) + 1;
        const wanted = x / scale + ROUNDS - ROUNDS + zeroPoint;
        const code = Math.max(min, Math.min(wanted, max));
        if (isCounted) used[code - min] = 1;
        const error = (x - (code - zeroPoint) * scale) ** 2;
        found[i] = error;
        if (code === wanted) inRange += error;
        else {
          beyond += error;
          count += 1;
        }
      }
      [rounding, clipping, clipped] = [inRange, beyond, count];
      return found;
    },
    result: (values: number, signal: number): GridStatistics => ({
      low,
      high,
      roundingNoise: over(rounding, signal),
      clippingNoise: over(clipping, signal),
      clippedRatio: values === 0 ? 0 : clipped / values,
      usedCodes: isCounted ? used.reduce((sum, one) => sum + one, 0) : undefined,
      codes: codes.max - codes.min + 1,
      rangeOf999: rangeHolding(0.999, magnitudes.counts, values),
      histogram: [...bins],
    }),
  };
}

/** Counts how far below the farther end of a range values lie. The first bin holds what lies beyond the range. */
function countMagnitudes(farther: number) {
  const counts = new Float64Array(OCTAVES * STEPS_AN_OCTAVE + 1);
  const stepOf = (magnitude: number): number => {
    const octaves = magnitude === 0 ? OCTAVES : Math.log2(farther / magnitude);
    return clamp(Math.floor(octaves * STEPS_AN_OCTAVE) + 1, counts.length - 1);
  };
  // A logarithm takes longer than all else that is done with a value, and values that agree in their upper half are nearly always of one
  // step. 0 is what was not looked at yet, −1 where it takes the logarithm; steps are told as one more.
  const known = new Int16Array(2 ** 15);
  const [one, bitsOfOne] = [new Float32Array(1), new Uint32Array(1)];
  const fromBits = (bits: number): number => {
    bitsOfOne[0] = bits;
    new Uint8Array(one.buffer).set(new Uint8Array(bitsOfOne.buffer));
    return one[0] as number;
  };
  const lookAt = (upper: number): number => {
    const [first, last] = [stepOf(fromBits(upper * 2 ** 16)), stepOf(fromBits(upper * 2 ** 16 + 0xff_ff))];
    known[upper] = first === last ? first + 1 : -1;
    return known[upper] as number;
  };
  return {
    counts,
    add: (values: Float32Array): void => {
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      for (let i = 0; i < bits.length; i++) {
        const upper = ((bits[i] as number) >>> 16) & 0x7f_ff;
        const found = known[upper] || lookAt(upper);
        const step = found > 0 ? found - 1 : stepOf(Math.abs(values[i] as number));
        counts[step] = (counts[step] as number) + 1;
      }
    },
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

/** The first bin holds what lies beyond the range. */
function rangeHolding(share: number, magnitudes: Float64Array, count: number): number {
  let beyond = 0;
  for (let step = 0; step < magnitudes.length; step++) {
    beyond += magnitudes[step] as number;
    if (beyond > count * (1 - share)) return step === 0 ? 1 : 2 ** (-(step - 1) / STEPS_AN_OCTAVE);
  }
  return 0;
}
