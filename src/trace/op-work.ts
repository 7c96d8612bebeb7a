import { elementFlops } from './work/element-work.ts';
import { MATRIX_OPS, type MatrixWork } from './work/matrix-work.ts';
import { movedBytes } from './work/moved-bytes.ts';
import type { OpCall } from './work/op-call.ts';
import { totalBytes } from './work/typed-shape.ts';

export type { NodeFacts } from './work/op-call.ts';

export interface OpWork {
  /**
   * Operations as the operator is defined, whatever kernel computes it: a multiplication and an addition are two, a
   * comparison and an elementary function one. Null: it does not follow from what is known.
   */
  readonly flops: number | null;
  /** Read and written, every tensor once, weights too. Null where something is not known. */
  readonly bytes: number | null;
}

/**
 * The work in one call, from the shapes of its tensors. Operators that nothing is known of, and those whose work depends on
 * attributes that are not given (kernels of pooling) or on values, have none; nothing is guessed.
 */
export function opWork(call: OpCall): OpWork {
  if (call.outputs.length === 0) return { flops: null, bytes: null };
  const matrix = MATRIX_OPS[call.op]?.(call);
  if (matrix !== undefined) return { flops: matrix?.flops ?? null, bytes: bytesWithWeights(call, matrix) };
  return { flops: elementFlops(call), bytes: movedBytes(call) };
}

/** The runtime packs weights of these operators and then lists them no more. */
function bytesWithWeights(call: OpCall, matrix: MatrixWork | null): number | null {
  const listed = totalBytes([...call.inputs, ...call.outputs]);
  if (listed === null) return null;
  // The list of weights from the graph is whole; what else is listed are activations, which cannot be told from weights.
  if (matrix === null || matrix.missing === null) return null;
  const missing = totalBytes(matrix.missing);
  return missing === null ? null : listed + missing;
}
