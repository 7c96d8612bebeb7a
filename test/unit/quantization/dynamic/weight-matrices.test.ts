import { describe, expect, it } from 'vitest';
import { INT8_SYMMETRIC } from '../../../../src/quantization/affine.ts';
import { quantizeMatrices } from '../../../../src/quantization/dynamic/weight-matrices.ts';

const settings = { grid: INT8_SYMMETRIC, perTensor: false };
const step = (absMax: number) => Math.fround(absMax / 127);

describe('quantizeMatrices', () => {
  it('gives each column a scale, symmetric and half to even', () => {
    // Columns: 127 steps of 1, half steps beside it, nothing but zeros.
    const values = Float32Array.of(127, 0, 0.5, 0, 1.5, 0, -127, 0);
    const found = quantizeMatrices(values, { count: 1, rows: 4, columns: 2, outputs: 'columns' }, settings);
    expect(found).toEqual({
      codes: Int8Array.of(127, 0, 0, 0, 2, 0, -127, 0),
      scales: Float32Array.of(1, 1),
    });
  });

  it('turns weights whose outputs are rows over', () => {
    const values = Float32Array.of(1, 2, 4, -8, 4, 2);
    const found = quantizeMatrices(values, { count: 1, rows: 2, columns: 3, outputs: 'rows' }, settings);
    expect(found?.codes).toEqual(Int8Array.of(32, -127, 64, 64, 127, 32));
    expect(found?.scales).toEqual(Float32Array.of(step(4), step(8)));
  });

  it('turns each matrix of a stack over by itself, also beyond one block', () => {
    const [count, rows, columns] = [2, 130, 70];
    const values = Float32Array.from(
      { length: count * rows * columns },
      (_, at) => ((at * 7919) % 255) - 127,
    );
    const found = quantizeMatrices(
      values,
      { count, rows, columns, outputs: 'rows' },
      { grid: INT8_SYMMETRIC, perTensor: true },
    );
    expect(found?.scales).toEqual(Float32Array.of(1, 1));
    for (const [matrix, row, column] of [
      [0, 0, 0],
      [0, 129, 69],
      [1, 64, 3],
      [1, 129, 0],
    ] as const) {
      const from = (matrix * rows + row) * columns + column;
      expect(found?.codes[(matrix * columns + column) * rows + row]).toBe(values[from]);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %d', (bad) => {
    for (const perTensor of [true, false]) {
      const stack = { count: 1, rows: 3, columns: 1, outputs: 'columns' } as const;
      expect(quantizeMatrices(Float32Array.of(1, bad, 5), stack, { ...settings, perTensor })).toBeUndefined();
    }
  });
});
