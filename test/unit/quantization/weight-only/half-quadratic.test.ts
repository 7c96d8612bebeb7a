import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AffineParameters } from '../../../../src/quantization/affine.ts';
import {
  type CodeGrid,
  codeGrid,
  encodeBlock,
  spanningGrid,
} from '../../../../src/quantization/weight-only/code-grid.ts';
import { refineGrid } from '../../../../src/quantization/weight-only/half-quadratic.ts';
import { bellValues } from './support.ts';

const symmetric = codeGrid(4, { symmetric: true, scaleType: 'float32' });
const asymmetric = codeGrid(4, { symmetric: false, scaleType: 'float32' });

/** The sum of |weight − dequantized|^0.75 that the search minimizes. */
function objective(block: Float32Array, parameters: AffineParameters, grid: CodeGrid): number {
  const codes = new Uint8Array(block.length);
  encodeBlock(block, block.length, parameters, grid, codes);
  let sum = 0;
  block.forEach((value, i) => {
    sum += Math.abs(value - ((codes[i] as number) - parameters.zeroPoint) * parameters.scale) ** 0.75;
  });
  return sum;
}

function bothGrids(block: Float32Array, grid: CodeGrid) {
  const rtn = spanningGrid(block, block.length, grid);
  return { rtn, hqq: refineGrid(block, block.length, rtn, grid) };
}

describe('half-quadratic refinement of a grid', () => {
  it('never has a larger error than rounding to nearest on the spanning grid', () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -10, max: 10 }), {
      minLength: 1,
      maxLength: 64,
    });
    fc.assert(
      fc.property(values, fc.constantFrom(symmetric, asymmetric), (weights, grid) => {
        const block = Float32Array.from(weights);
        const { rtn, hqq } = bothGrids(block, grid);
        expect(objective(block, hqq, grid)).toBeLessThanOrEqual(objective(block, rtn, grid) * (1 + 1e-6));
      }),
    );
  });

  it.each([
    ['symmetric', symmetric, 0.97],
    ['asymmetric', asymmetric, 0.95],
  ] as const)('has a smaller error on bell-shaped weights (%s)', (_, grid, wanted) => {
    let before = 0;
    let after = 0;
    for (let seed = 0; seed < 200; seed++) {
      const block = Float32Array.from(bellValues(32, seed * 7919));
      const { rtn, hqq } = bothGrids(block, grid);
      const errors = [objective(block, rtn, grid), objective(block, hqq, grid)] as const;
      expect(errors[1]).toBeLessThanOrEqual(errors[0] * (1 + 1e-6));
      before += errors[0];
      after += errors[1];
    }
    // A plain least-squares fit of the grid, without the shrinking of errors, stays above these figures.
    expect(after / before).toBeLessThan(wanted);
  });

  it('keeps the zero point of a symmetric grid', () => {
    const block = Float32Array.from(bellValues(64, 3), (value) => value + 0.1);
    const { rtn, hqq } = bothGrids(block, symmetric);
    expect(hqq.zeroPoint).toBe(8);
    expect(hqq.scale).not.toBe(rtn.scale);
  });

  it('gives zero points that can be packed', () => {
    for (let seed = 0; seed < 50; seed++) {
      const block = Float32Array.from(bellValues(16, seed), (value) => value + 0.05 * (seed % 7));
      const { zeroPoint } = bothGrids(block, asymmetric).hqq;
      expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 15).toBe(true);
    }
  });

  it('does not depend on the unit of the weights', () => {
    const block = Float32Array.from(bellValues(32, 5));
    const { hqq } = bothGrids(block, asymmetric);
    const scaled = bothGrids(
      block.map((value) => value * 2 ** -20),
      asymmetric,
    ).hqq;
    expect(scaled).toEqual({ scale: hqq.scale * 2 ** -20, zeroPoint: hqq.zeroPoint });
  });

  it('leaves a block that the grid already holds exactly', () => {
    const block = Float32Array.from([-8, 3, 0, 7]);
    const { rtn, hqq } = bothGrids(block, symmetric);
    expect(hqq).toEqual(rtn);
  });

  it('leaves a block of zeros', () => {
    const { rtn, hqq } = bothGrids(new Float32Array(16), asymmetric);
    expect(hqq).toEqual(rtn);
  });
});
