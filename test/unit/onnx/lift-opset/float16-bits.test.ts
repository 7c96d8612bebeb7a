import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float16ToFloat32 } from '../../../../src/onnx/half-floats.ts';
import { float16Bits } from '../../../../src/onnx/lift-opset/float16-bits.ts';

const back = (bits: number) => float16ToFloat32(Uint16Array.of(bits))[0];

describe('float16Bits', () => {
  it('gives every float16 back as it was', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      expect(float16Bits(back(bits) ?? Number.NaN)).toBe(bits);
      expect(float16Bits(back(bits | 0x8000) ?? Number.NaN)).toBe(bits | 0x8000);
    }
  });

  it.each([
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [-0, 0x8000],
    [2 ** -25, 0],
    [1.5 * 2 ** -24, 2],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
  ])('rounds %d to the nearest, ties to even', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
  });

  it('keeps NaN', () => {
    expect(back(float16Bits(Number.NaN))).toBeNaN();
  });

  it('is never further off than half the distance between neighbours', () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const spacing = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - 10));
        expect(Math.abs((back(float16Bits(value)) ?? Number.NaN) - value)).toBeLessThanOrEqual(spacing / 2);
      }),
    );
  });
});
