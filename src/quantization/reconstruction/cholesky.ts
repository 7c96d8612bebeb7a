import type { MatrixProduct } from './matrix-product.ts';

/** Columns that are factored at a time. What those before them change in all below is one product. */
const BLOCK = 64;

/**
 * Factors a symmetric positive definite matrix as L·Lᵀ, in place: `matrix` (row-major, size×size, of which the lower triangle
 * is read) becomes L below and on its diagonal, and Lᵀ above. Products of blocks are computed in float32: of a matrix with a
 * damped diagonal what they lose is less than what samples tell.
 * Source: the left-looking blocked form, Golub and Van Loan, «Matrix Computations», section 4.2. What is below a block is
 * multiplied with the inverse of the block's factor, so that it is a product, too.
 * @returns false when the matrix is not positive definite, with its content then spoilt
 */
export async function factorCholesky(
  matrix: Float32Array,
  size: number,
  multiply: MatrixProduct,
): Promise<boolean> {
  for (let start = 0; start < size; start += BLOCK) {
    const end = Math.min(size, start + BLOCK);
    const columns = end - start;
    const rows = size - start;
    const panel = await remaining(matrix, size, start, end, multiply);
    const factor = Float64Array.from(panel.subarray(0, columns * columns));
    if (!factorBlock(factor, columns)) return false;
    const below = rows - columns;
    const solved =
      below === 0
        ? new Float32Array(0)
        : await multiply(panel.subarray(columns * columns), inverseAcross(factor, columns), {
            rows: below,
            inner: columns,
            columns,
          });
    for (let j = 0; j < columns; j++) {
      const across = (start + j) * size;
      for (let i = j; i < columns; i++) {
        const value = factor[i * columns + j] as number;
        matrix[(start + i) * size + start + j] = value;
        matrix[across + start + i] = value;
      }
      for (let i = 0; i < below; i++) matrix[across + end + i] = solved[i * columns + j] as number;
    }
    for (let i = 0; i < below; i++) {
      matrix.set(solved.subarray(i * columns, (i + 1) * columns), (end + i) * size + start);
    }
  }
  return true;
}

/** The columns `start` to `end`, from their diagonal down, less what the columns before them have told: [size − start, end − start]. */
async function remaining(
  matrix: Float32Array,
  size: number,
  start: number,
  end: number,
  multiply: MatrixProduct,
): Promise<Float32Array> {
  const rows = size - start;
  const columns = end - start;
  const panel = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const at = (start + i) * size;
    panel.set(matrix.subarray(at + start, at + end), i * columns);
  }
  if (start === 0) return panel;
  const told = new Float32Array(rows * start);
  for (let i = 0; i < rows; i++) {
    const at = (start + i) * size;
    told.set(matrix.subarray(at, at + start), i * start);
  }
  const across = new Float32Array(start * columns);
  for (let k = 0; k < start; k++) {
    across.set(matrix.subarray(k * size + start, k * size + end), k * columns);
  }
  const product = await multiply(told, across, { rows, inner: start, columns });
  for (let i = 0; i < panel.length; i++) panel[i] = (panel[i] as number) - (product[i] as number);
  return panel;
}

/** Factors one block, of which the lower triangle is read and written. */
function factorBlock(block: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    const rowI = i * size;
    for (let j = 0; j <= i; j++) {
      const rowJ = j * size;
      let rest = block[rowI + j] as number;
      for (let k = 0; k < j; k++) rest -= (block[rowI + k] as number) * (block[rowJ + k] as number);
      if (j < i) block[rowI + j] = rest / (block[rowJ + j] as number);
      // NaN is not positive, and from elsewhere in the row it has come here.
      else if (rest > 0) block[rowI + i] = Math.sqrt(rest);
      else return false;
    }
  }
  return true;
}

/** The transposed inverse of a block's factor. */
function inverseAcross(factor: Float64Array, size: number): Float32Array {
  const inverse = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    for (let i = column; i < size; i++) {
      let rest = i === column ? 1 : 0;
      for (let k = column; k < i; k++) {
        rest -= (factor[i * size + k] as number) * (inverse[column * size + k] as number);
      }
      inverse[column * size + i] = rest / (factor[i * size + i] as number);
    }
  }
  return new Float32Array(inverse);
}
