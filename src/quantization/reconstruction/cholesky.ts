/**
 * Factors a symmetric positive definite matrix as L·Lᵀ, in place: the lower triangle of `matrix` (row-major, size×size)
 * becomes L, the rest is left as it is.
 * @returns false when the matrix is not positive definite, with its content then spoilt
 */
export function factorCholesky(matrix: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    const rowI = i * size;
    for (let j = 0; j < i; j++) {
      const rowJ = j * size;
      const rest = (matrix[rowI + j] as number) - dot(matrix, rowI, matrix, rowJ, j);
      matrix[rowI + j] = rest / (matrix[rowJ + j] as number);
    }
    const pivot = (matrix[rowI + i] as number) - dot(matrix, rowI, matrix, rowI, i);
    if (!(pivot > 0)) return false;
    matrix[rowI + i] = Math.sqrt(pivot);
  }
  return true;
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
