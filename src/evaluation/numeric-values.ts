import type { Tensor } from '../core/tensor.ts';

/**
 * The elements of a tensor as numbers, or undefined for strings. int64 loses what does not fit 53 bits, which is far
 * below anything that the measures here can tell apart.
 */
export function numericValues({ type, data }: Tensor): ArrayLike<number> | undefined {
  if (type === 'string') return undefined;
  if (type === 'float16') return Float32Array.from(data as Uint16Array, decodeFloat16);
  if (type === 'int64' || type === 'uint64')
    return Float64Array.from(data as BigInt64Array | BigUint64Array, Number);
  return data as ArrayLike<number>;
}

/** Value of an IEEE 754 half-precision number, given as its 16 bits. */
function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
