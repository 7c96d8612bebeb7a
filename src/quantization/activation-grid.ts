import type { NumericArray } from '../core/tensor.ts';
import {
  type AffineParameters,
  asymmetricParameters,
  type IntegerRange,
  quantizeValues,
  symmetricScale,
  type ValueRange,
} from './affine.ts';

export const ACTIVATION_TYPES = ['uint8', 'int8', 'uint16', 'int16'] as const;

/** The element type of activation codes. */
export type ActivationType = (typeof ACTIVATION_TYPES)[number];

/** The codes that activations are rounded to. */
export interface ActivationGrid {
  readonly type: ActivationType;
  readonly codes: IntegerRange;
  /** Zero point 0, the same reach on both sides of zero, and the lowest code of the type unused. */
  readonly symmetric: boolean;
}

const CODES: Readonly<Record<ActivationType, IntegerRange>> = {
  uint8: { min: 0, max: 255 },
  int8: { min: -128, max: 127 },
  uint16: { min: 0, max: 65535 },
  int16: { min: -32768, max: 32767 },
};

/** The full grid of a type, or the symmetric one, which only signed types have. */
export function activationGrid(type: ActivationType, symmetric = false): ActivationGrid {
  const { min, max } = CODES[type];
  if (symmetric && min === 0) throw new Error(`${type} codes cannot be symmetric`);
  return { type, codes: symmetric ? { min: -max, max } : { min, max }, symmetric };
}

/** Scale and zero point with which the grid holds a range; see `asymmetricParameters` and `symmetricScale`. */
export function activationParameters(
  range: ValueRange,
  { codes, symmetric }: ActivationGrid,
): AffineParameters {
  return symmetric
    ? { scale: symmetricScale(Math.max(-range.min, range.max, 0), codes), zeroPoint: 0 }
    : asymmetricParameters(range, codes);
}

/** Codes of `values`, in the array of their type. */
export function activationCodes(
  values: Float32Array,
  parameters: AffineParameters,
  grid: ActivationGrid,
): NumericArray {
  return quantizeValues(values, parameters, grid.codes, emptyCodes(grid.type, values.length));
}

/** An array of zeros for codes of the type. */
export function emptyCodes(
  type: ActivationType,
  length: number,
): Uint8Array | Int8Array | Uint16Array | Int16Array {
  switch (type) {
    case 'uint8':
      return new Uint8Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'uint16':
      return new Uint16Array(length);
    case 'int16':
      return new Int16Array(length);
  }
}
