import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CodeGrid,
  codeGrid,
  encodeBlock,
  spanningGrid,
} from '../../../../src/quantization/weight-only/code-grid.ts';

const float32 = { scaleType: 'float32' } as const;
const symmetric4 = codeGrid(4, { symmetric: true, ...float32 });
const asymmetric4 = codeGrid(4, { symmetric: false, ...float32 });
const grids = [
  symmetric4,
  asymmetric4,
  codeGrid(8, { symmetric: true, ...float32 }),
  codeGrid(8, { symmetric: false, ...float32 }),
];

function quantize(values: readonly number[], grid: CodeGrid) {
  const block = Float32Array.from(values);
  const parameters = spanningGrid(block, block.length, grid);
  const codes = new Uint8Array(block.length + 2);
  encodeBlock(block, block.length, parameters, grid, codes);
  return { block, ...parameters, codes };
}

describe('the grid that spans a block', () => {
  it('puts the value of largest magnitude at code 0 when it is symmetric, with a scale of the other sign', () => {
    expect(quantize([4, -2, 0.5], symmetric4)).toMatchObject({ scale: -0.5, zeroPoint: 8 });
    expect([...quantize([4, -2, 0.5], symmetric4).codes.subarray(0, 3)]).toEqual([0, 12, 7]);
    expect(quantize([-4, 2], symmetric4)).toMatchObject({ scale: 0.5, zeroPoint: 8 });
  });

  it('spreads the range, widened to hold zero, over all codes when it is asymmetric', () => {
    expect(quantize([-5, 10], asymmetric4)).toMatchObject({ scale: 1, zeroPoint: 5 });
    expect(quantize([3, 15], asymmetric4)).toMatchObject({ scale: 1, zeroPoint: 0 });
    expect(quantize([-15, -3], asymmetric4)).toMatchObject({ scale: 1, zeroPoint: 15 });
  });

  it('rounds half to even', () => {
    const { codes } = quantize([-8, 0.5, 1.5, 2.5, -0.5, -1.5], symmetric4);
    expect([...codes.subarray(0, 6)]).toEqual([0, 8, 10, 10, 8, 6]);
  });

  it('fills the rest of a short block with codes of zero', () => {
    const { codes, zeroPoint } = quantize([1, -3, 2], asymmetric4);
    expect([...codes.subarray(3)]).toEqual([zeroPoint, zeroPoint]);
  });

  it.each(grids)('gives zeros for a block of zeros ($bits bits, symmetric $symmetric)', (grid) => {
    const { codes, scale, zeroPoint } = quantize([0, -0, 0], grid);
    expect(scale).toBe(1);
    expect([...codes]).toEqual(codes.length === 5 ? Array(5).fill(zeroPoint) : []);
  });

  it.each([1e-44, 1e-38, 1e-30, 1e30, 1e37])('stays finite for weights of about %d', (unit) => {
    for (const grid of grids) {
      const { block, codes, scale, zeroPoint } = quantize([unit, -0.6 * unit, 0.3 * unit], grid);
      block.forEach((value, i) => {
        const back = Math.fround(((codes[i] as number) - zeroPoint) * scale);
        // Weights too small for a scale become zero, which is off by less than the smallest normal float32 per code.
        const step = scale === 1 ? 2 ** -118 : Math.abs(scale);
        expect(Math.abs(back - value)).toBeLessThanOrEqual(step * 0.51);
      });
    }
  });

  it('keeps every weight within half a step, where the grid reaches it', () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }), {
      minLength: 1,
      maxLength: 32,
    });
    fc.assert(
      fc.property(values, fc.constantFrom(...grids), (weights, grid) => {
        const { block, codes, scale, zeroPoint } = quantize(weights, grid);
        const ends = [-zeroPoint * scale, (grid.maxCode - zeroPoint) * scale];
        const low = Math.min(...ends);
        const high = Math.max(...ends);
        block.forEach((value, i) => {
          const reachable = Math.max(low, Math.min(high, value));
          const error = Math.abs(((codes[i] as number) - zeroPoint) * scale - reachable);
          expect(error).toBeLessThanOrEqual((Math.abs(scale) / 2) * (1 + 1e-4));
        });
      }),
    );
  });

  it('represents zero exactly', () => {
    for (const grid of grids) {
      const { codes, zeroPoint } = quantize([0, 0.7, -0.2, 0.9], grid);
      expect(codes[0]).toBe(zeroPoint);
    }
  });

  it('takes a scale that half precision can hold', () => {
    const half = codeGrid(4, { symmetric: true, scaleType: 'float16' });
    expect(quantize([0.3], half).scale).toBe(-0.037506103515625);
    expect(quantize([1e-9], half).scale).toBe(1);
  });
});
