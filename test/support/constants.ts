import type { TensorProto } from '../../src/onnx/messages.ts';
import { tensor } from './graph-builder.ts';

/** A float constant of values between -`amplitude` and `amplitude` without a regular pattern; `shift` is added. */
export function waveConstant(
  name: string,
  dims: readonly number[],
  { amplitude = 0.5, shift = 0 }: { readonly amplitude?: number; readonly shift?: number } = {},
): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const at = (index: number) => shift + amplitude * Math.sin(index * 2.3 + name.length);
  return tensor(
    name,
    dims,
    Array.from({ length: count }, (_, index) => at(index)),
  );
}

export function intsConstant(name: string, ...values: number[]): TensorProto {
  return tensor(name, [values.length], values, 'int64');
}
