import type { Arithmetic } from './peaks.ts';

/** Operators whose sums of products are those of 8-bit integers, of ONNX and of the domain com.microsoft. */
const INTEGER_PRODUCTS =
  /^QLinear|^QGemm$|^QAttention$|Integer(ToFloat|ToScaledFloat)?$|^DynamicQuantize(MatMul|LSTM)$/;

/**
 * What an operator computes in, by its name and the element types of its inputs, as ONNX Runtime writes them in a profile
 * (`float16`). MatMulNBits counts as int8, which it uses at accuracy level 4: the other levels have a lower roof, and a profile
 * does not tell the level.
 */
export function arithmeticOf(op: string, inputTypes: readonly string[]): Arithmetic {
  if (INTEGER_PRODUCTS.test(op) || op === 'MatMulNBits') return 'int8';
  const float = inputTypes.find((type) => type === 'float' || type === 'float16');
  return float === 'float16' ? 'float16' : 'float32';
}
