import { DATA_TYPE, type TensorProto } from '../../onnx/messages.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';

export const LARGEST_FLOAT16 = 65504;
/** Below it float16 has fewer than its eleven significant bits. */
const SMALLEST_NORMAL_FLOAT16 = 2 ** -14;

/** The smallest float16 is 2^-24, so that less than four bits are left below it. */
const SMALLEST_OF_MANY = 2 ** -21;

// Bit patterns of float32 magnitudes, which have the order of the values they stand for.
const INFINITY_BITS = 0x7f800000;
const ROUNDS_TO_INFINITY = 0x477ff000; // 65520, half way between 65504 and the next power of two
const SMALLEST_NORMAL_BITS = 0x38800000; // 2^-14
const ROUNDS_TO_ZERO = 0x33000000; // 2^-25, half of the smallest float16

export interface HalfValues {
  /** The bits of the float16 values. */
  readonly bits: Uint16Array;
  /** Finite values that were limited to ±65504. */
  readonly clamped: number;
  /** Values other than 0 that were raised to ±2^-24. */
  readonly raised: number;
}

/**
 * Rounds float32 values to float16, to nearest and ties to even, without making infinities or zeros that were not
 * there: what is too large becomes ±65504, and what would vanish becomes ±2^-24, so that an epsilon under a division
 * stays one. Infinities stay, and every NaN becomes the quiet NaN.
 */
export function halfValues(values: Float32Array): HalfValues {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  let clamped = 0;
  let raised = 0;
  for (let i = 0; i < source.length; i += 1) {
    const word = source[i] as number;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    let half: number;
    if (magnitude >= ROUNDS_TO_INFINITY) {
      if (magnitude > INFINITY_BITS) half = 0x7e00;
      else if (magnitude === INFINITY_BITS) half = 0x7c00;
      else {
        half = 0x7bff;
        clamped += 1;
      }
    } else if (magnitude >= SMALLEST_NORMAL_BITS) {
      // The exponent is biased by 15 instead of 127, and 13 bits are rounded off; a carry moves the exponent on.
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    } else if (magnitude > ROUNDS_TO_ZERO) {
      // A sum above 2^52 has no fraction bits left, so the addition itself rounds half to even.
      half = Math.abs(values[i] as number) * 2 ** 24 + 2 ** 52 - 2 ** 52;
    } else if (magnitude > 0) {
      half = 1;
      raised += 1;
    } else {
      half = 0;
    }
    bits[i] = sign | half;
  }
  return { bits, clamped, raised };
}

/** A constant as float16, with its name, shape and notes. */
export function halfTensor(tensor: TensorProto, name: string, { bits }: HalfValues): TensorProto {
  const { docString, metadataProps } = tensor;
  const made = tensorFrom(name, tensor.dims, bits, DATA_TYPE.float16);
  return { ...made, ...(docString === undefined ? {} : { docString }), metadataProps };
}

/** How many of the values float16 cannot hold because they are too large, in words; undefined where it holds all. */
export function tooLargeForFloat16(values: Float32Array): string | undefined {
  let tooLarge = 0;
  for (let i = 0; i < values.length; i += 1) {
    const magnitude = Math.abs(values[i] as number);
    if (magnitude >= 65520 && magnitude < Number.POSITIVE_INFINITY) tooLarge += 1;
  }
  return tooLarge > 0 ? `${tooLarge} of ${values.length} values` : undefined;
}

/**
 * Says that a factor is so small that float16 would lose most of its digits, as a single value below the normal range or
 * as values that keep less than four bits each. Undefined where it is not, and where all values are 0.
 */
export function tooSmallForFloat16(values: Float32Array): string | undefined {
  let largest = 0;
  for (let i = 0; i < values.length; i += 1) largest = Math.max(largest, Math.abs(values[i] as number));
  const limit = values.length === 1 ? SMALLEST_NORMAL_FLOAT16 : SMALLEST_OF_MANY;
  if (!(largest > 0 && largest < limit)) return undefined;
  return values.length === 1 ? `${values[0]}` : `${values.length} values of at most ${largest}`;
}
