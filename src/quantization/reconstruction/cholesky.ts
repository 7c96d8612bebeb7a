import type { MatrixProduct } from './matrix-product.ts';

/** Columns that are factored at a time. What those before them change in all below is one product. */
const BLOCK = 64;

/**
 * Factors a symmetric positive definite matrix as L·Lᵀ, in place: the lower triangle of `matrix` (row-major, size×size)
 * becomes L, the rest is left as it is. Products of blocks are computed in float32: of a matrix with a damped diagonal
 * what they lose is less than what samples tell.
 * Source: the left-looking blocked form, Golub and Van Loan, «Matrix Computations», section 4.2.
 * @returns false when the matrix is not positive definite, with its content then spoilt
 */
export async function factorCholesky(
  matrix: Float64Array,
  size: number,
  multiply: MatrixProduct,
): Promise<boolean> {
  for (let start = 0; start < size; start += BLOCK) {
    const end = Math.min(size, start + BLOCK);
    if (start > 0) await takeAway(matrix, size, start, end, multiply);
    if (!factorBlock(matrix, size, start, end)) return false;
  }
  return true;
}

/** The columns `start` to `end`, from their diagonal down, of which what the columns before have told is taken already. */
function factorBlock(matrix: Float64Array, size: number, start: number, end: number): boolean {
  for (let i = start; i < size; i++) {
    const rowI = i * size;
    for (let j = start; j < Math.min(i, end); j++) {
      const rowJ = j * size;
      const known = dot(matrix, rowI + start, matrix, rowJ + start, j - start);
      matrix[rowI + j] = ((matrix[rowI + j] as number) - known) / (matrix[rowJ + j] as number);
    }
    if (i >= end) continue;
    const pivot = (matrix[rowI + i] as number) - dot(matrix, rowI + start, matrix, rowI + start, i - start);
    if (!(pivot > 0)) return false;
    matrix[rowI + i] = Math.sqrt(pivot);
  }
  return true;
}

/** Takes from the columns `start` to `end`, from their diagonal down, what the columns before them have told. */
async function takeAway(
  matrix: Float64Array,
  size: number,
  start: number,
  end: number,
  multiply: MatrixProduct,
): Promise<void> {
  const rows = size - start;
  const columns = end - start;
  const told = new Float32Array(rows * start);
  for (let i = 0; i < rows; i++) {
    const from = (start + i) * size;
    told.set(matrix.subarray(from, from + start), i * start);
  }
  const across = new Float32Array(start * columns);
  for (let j = 0; j < columns; j++) {
    for (let k = 0; k < start; k++) across[k * columns + j] = told[j * start + k] as number;
  }
  const product = await multiply(told, across, { rows, inner: start, columns });
  for (let i = 0; i < rows; i++) {
    const at = (start + i) * size + start;
    const most = Math.min(columns, i + 1);
    for (let j = 0; j < most; j++) {
      matrix[at + j] = (matrix[at + j] as number) - (product[i * columns + j] as number);
    }
  }
}

/** The inner product of `length` elements. Four sums, which do not wait for each other. */
function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    s0 += (a[aStart + i] as number) * (b[bStart + i] as number);
    s1 += (a[aStart + i + 1] as number) * (b[bStart + i + 1] as number);
    s2 += (a[aStart + i + 2] as number) * (b[bStart + i + 2] as number);
    s3 += (a[aStart + i + 3] as number) * (b[bStart + i + 3] as number);
  }
  for (; i < length; i++) s0 += (a[aStart + i] as number) * (b[bStart + i] as number);
  return s0 + s1 + (s2 + s3);
}
