import { decodeFloat16 } from '../core/float16.ts';
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
