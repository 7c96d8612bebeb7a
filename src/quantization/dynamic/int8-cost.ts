import { intAttribute } from '../../onnx/attributes.ts';
import type { KnownShape } from '../../onnx/known-shapes.ts';
import type { NodeProto, TensorProto } from '../../onnx/messages.ts';

/**
 * Sizes of weights (elements) up to which int8 takes longer than float, because the input has to be rounded first:
 * for a product of one row, of any number of rows, and for both weights of an LSTM together.
 *
 * Time of float Gemm divided by that of DynamicQuantizeMatMul, both with bias, for weights K×N and M rows of input
 * (ONNX Runtime 1.30, one thread, AVX512-VNNI and AMX, CPU time, medians of 7 interleaved rounds):
 *
 *     M=1    N=16   64   256  1024 | M=16  N=16   64   256  1024 | M=128  N=16   64   256  1024
 *     K=16   0.73 0.73  0.71  0.57 |       0.76 0.76  0.89  0.80 |        0.72 0.85  1.09  1.29
 *     K=64   0.73 0.80  0.80  0.82 |       0.84 0.84  1.39  1.67 |        0.81 1.49  2.29  2.17
 *     K=256  0.93 0.82  1.16  1.31 |       0.87 1.39  2.18  2.37 |        1.04 1.90  2.95  3.28
 *     K=1024 1.04 1.34  1.51  4.15 |       1.10 2.02  2.91  4.07 |        1.15 2.09  3.94  3.89
 *
 * The same for LSTM and DynamicQuantizeLSTM with inputs and hidden size of H, T steps and a batch of B:
 *
 *                  H=8   16   32   64  128  256  512
 *     T=1,  B=1   0.98 0.88 0.87 0.84 1.08 1.33 1.97
 *     T=1,  B=16  0.93 0.98 0.99 1.08 1.35 1.84 2.62
 *     T=50, B=1   0.92 0.98 0.96 1.28 1.78 2.58 3.21
 *     T=50, B=16  0.93 0.97 1.09 1.60 2.29 2.68 2.99
 *
 * At or below the limits a product loses about a microsecond and an LSTM a few.
 */
const SLOWER_UP_TO = { oneRow: 2 ** 14, anyRows: 2 ** 10, lstm: 2 ** 11 } as const;

/** Whether a MatMul, Gemm or LSTM is so small that int8 makes it slower, however often it runs. */
export function isSlowerInInt8(
  node: NodeProto,
  weights: readonly TensorProto[],
  input: KnownShape | undefined,
): boolean {
  const elements = weights.reduce((sum, { dims }) => sum + dims.reduce((count, dim) => count * dim, 1), 0);
  return elements <= limitFor(node, input);
}

function limitFor(node: NodeProto, input: KnownShape | undefined): number {
  if (node.opType === 'LSTM') return SLOWER_UP_TO.lstm;
  return hasOneRow(node, input) ? SLOWER_UP_TO.oneRow : SLOWER_UP_TO.anyRows;
}

function hasOneRow(node: NodeProto, input: KnownShape | undefined): boolean {
  if (input === undefined) return false;
  const transposed = node.opType === 'Gemm' && intAttribute(node, 'transA') === 1;
  return (transposed ? input.slice(1) : input.slice(0, -1)).every((dim) => dim === 1);
}
