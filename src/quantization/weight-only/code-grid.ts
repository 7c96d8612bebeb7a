import { decodeFloat16, encodeFloat16 } from '../../core/float16.ts';
import { type AffineParameters, SMALLEST_NORMAL_FLOAT32 } from '../affine.ts';
import { roundHalfEven } from '../round-half-even.ts';

/** The codes that a block of weights may take, 0 to `maxCode`, and the type that its scale is stored in. */
export interface CodeGrid {
  readonly bits: 4 | 8;
  readonly maxCode: number;
  /** The zero point where none is stored. */
  readonly middle: number;
  readonly symmetric: boolean;
  readonly scaleType: 'float32' | 'float16';
}

export function codeGrid(
  bits: 4 | 8,
  { symmetric, scaleType }: Pick<CodeGrid, 'symmetric' | 'scaleType'>,
): CodeGrid {
  return { bits, maxCode: 2 ** bits - 1, middle: 2 ** (bits - 1), symmetric, scaleType };
}

/** The nearest scale that can be stored; 1 for one too small to divide by, as of a block of zeros. */
export function storableScale(scale: number, { scaleType }: CodeGrid): number {
  if (scaleType === 'float32') return Math.abs(scale) >= SMALLEST_NORMAL_FLOAT32 ? Math.fround(scale) : 1;
  // Half precision is left its subnormal numbers: weights of usual size would have no scale without them.
  return decodeFloat16(encodeFloat16(scale)) || 1;
}

/**
 * The grid that spans the first `count` of `values`. Symmetric: the value of largest magnitude becomes code 0, so that
 * the grid's longer side is on its side, and the scale is negative where that value is positive. Asymmetric: the range,
 * widened to hold 0 exactly, is spread over all codes.
 * Source: MatMulNBits in ONNX Runtime's contrib operators; its block quantizer places the grid the same way.
 */
export function spanningGrid(values: Float32Array, count: number, grid: CodeGrid): AffineParameters {
  let min = 0;
  let max = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  if (grid.symmetric) {
    const extreme = max > -min ? max : min;
    return { scale: storableScale(extreme / -grid.middle, grid), zeroPoint: grid.middle };
  }
  const scale = storableScale((max - min) / grid.maxCode, grid);
  return { scale, zeroPoint: clampCode(roundHalfEven(-min / scale), grid.maxCode) };
}

/** Codes of the first `count` of `values`, rounded to nearest, ties to even. The rest of `codes` stand for zero. */
export function encodeBlock(
  values: Float32Array,
  count: number,
  { scale, zeroPoint }: AffineParameters,
  { maxCode }: CodeGrid,
  codes: Uint8Array,
): void {
  for (let i = 0; i < count; i++) {
    codes[i] = clampCode(roundHalfEven(Math.fround((values[i] as number) / scale)) + zeroPoint, maxCode);
  }
  codes.fill(zeroPoint, count);
}

export function clampCode(code: number, maxCode: number): number {
  return Math.max(0, Math.min(code, maxCode));
}
