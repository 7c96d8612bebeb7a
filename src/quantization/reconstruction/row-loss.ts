import { factorCholesky } from './cholesky.ts';
import type { GramSums } from './gram-sums.ts';
import type { MatrixProduct } from './matrix-product.ts';

/**
 * What an error in the weights of a group costs at its output: eᵀ·H·e for the error e of one output channel, H being the
 * Gram matrix of the input. Columns stand in an order of their own, those with the strongest input last.
 */
export interface RowLoss {
  readonly columns: number;
  /** The column at each place. */
  readonly order: Int32Array;
  /** H, columns×columns, in that order. */
  readonly hessian: Float32Array;
  /** Its Cholesky factor L in the lower triangle, and Lᵀ in the upper. */
  readonly factor: Float32Array;
}

/**
 * Added to the diagonal, as a share of its mean: inputs of other samples are not quite like these. GPTQ takes 0.01. With 4-bit
 * weights of a keyword spotter, 0.01, 0.3 and 3 gave 21.8, 22.6 and 22.1 dB on samples not learned from; 8-bit weights of
 * SqueezeNet lost 0.2 dB from 0.01 to 0.3.
 */
const DAMPING = 0.3;

/** With fewer positions what lies off the diagonal is shrunk to nothing, and each weight would be rounded to nearest. */
const MOST_COLUMNS_A_POSITION = 16;

/**
 * The loss of a group. Samples tell less about how inputs vary together the fewer they are, so what lies off the diagonal
 * is shrunk by columns/(columns + positions): errors are then not hidden where these samples happen not to look.
 * Source of the idea: Ledoit and Wolf, «A well-conditioned estimator for large-dimensional covariance matrices» (2004).
 * @returns undefined where next to nothing is known of the input, or it is always 0
 */
export async function createRowLoss(
  { gram, positions }: GramSums,
  group: number,
  columns: number,
  multiply: MatrixProduct,
): Promise<RowLoss | undefined> {
  if (positions * MOST_COLUMNS_A_POSITION < columns) return undefined;
  const start = group * columns * columns;
  const diagonal = new Float64Array(columns);
  let sum = 0;
  for (let i = 0; i < columns; i++) {
    diagonal[i] = gram[start + i * columns + i] as number;
    sum += diagonal[i] as number;
  }
  const mean = sum / columns;
  if (!(mean > 0)) return undefined;
  const order = new Int32Array(columns).map((_, i) => i);
  order.sort((a, b) => (diagonal[a] as number) - (diagonal[b] as number) || a - b);
  const kept = positions / (columns + positions);
  const hessian = new Float32Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    const from = start + (order[i] as number) * columns;
    for (let j = 0; j < columns; j++) {
      hessian[i * columns + j] = (gram[from + (order[j] as number)] as number) * kept;
    }
    hessian[i * columns + i] = (diagonal[order[i] as number] as number) + DAMPING * mean;
  }
  const factor = hessian.slice();
  if (!(await factorCholesky(factor, columns, multiply))) return undefined;
  return { columns, order, hessian, factor };
}
