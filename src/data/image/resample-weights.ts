import type { ResizeFilter } from '../../core/data-spec.ts';

export type ResampleFilter = Exclude<ResizeFilter, 'nearest'>;

/** Along one axis: which source pixels each resized pixel is the weighted sum of. */
export interface ResampleWeights {
  /** Of the resized pixel `i`: the first source pixel. */
  readonly first: Int32Array;
  /** How many source pixels there are from there. */
  readonly taps: Int32Array;
  /** Weights in fixed point of `PRECISION_BITS`, in rows of `stride`, one row for each resized pixel. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** Bits behind the point: 32 for an accumulator less 8 for a pixel and 2 for sign and overshoot. */
export const PRECISION_BITS = 32 - 8 - 2;

interface Kernel {
  /** Distance in source pixels, at a scale of 1, beyond which the kernel is 0. */
  readonly support: number;
  readonly at: (x: number) => number;
}

const KERNELS: Readonly<Record<ResampleFilter, Kernel>> = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, at: hamming },
  bicubic: { support: 2, at: bicubic },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/**
 * Weights to resize an axis of `from` pixels to `to` pixels, for the resized pixels `start` up to and without `end`.
 * Where the axis shrinks, the kernel is stretched so that every source pixel counts (antialiasing). The arithmetic is
 * that of Pillow's `Resample.c`, as equal pixels ask for equal rounding.
 */
export function resampleWeights(
  filter: ResampleFilter,
  from: number,
  to: number,
  start = 0,
  end = to,
): ResampleWeights {
  const kernel = KERNELS[filter];
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = kernel.support * stretch;
  const shrink = 1 / stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const count = end - start;
  const first = new Int32Array(count);
  const taps = new Int32Array(count);
  const weights = new Int32Array(count * stride);
  const row = new Float64Array(stride);
  for (let i = 0; i < count; i += 1) {
    const center = (start + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const length = Math.min(from, Math.trunc(center + support + 0.5)) - low;
    let sum = 0;
    for (let k = 0; k < length; k += 1) {
      const weight = kernel.at((k + low - center + 0.5) * shrink);
      row[k] = weight;
      sum += weight;
    }
    first[i] = low;
    taps[i] = length;
    for (let k = 0; k < length; k += 1) {
      const weight = (row[k] as number) / (sum === 0 ? 1 : sum);
      weights[i * stride + k] = Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * (1 << PRECISION_BITS));
    }
  }
  return { first, taps, weights, stride };
}

function hamming(x: number): number {
  const distance = Math.abs(x);
  if (distance === 0) return 1;
  if (distance >= 1) return 0;
  const angle = distance * Math.PI;
  // Pillow's two constants are single-precision literals.
  return (Math.sin(angle) / angle) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(angle));
}

/** Keys' cubic convolution with a = -0.5. */
function bicubic(x: number): number {
  const a = -0.5;
  const distance = Math.abs(x);
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}
