import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factorCholesky } from '../../../../src/quantization/reconstruction/cholesky.ts';
import type { GramSums } from '../../../../src/quantization/reconstruction/gram-sums.ts';
import { multiplyHere } from '../../../../src/quantization/reconstruction/matrix-product.ts';
import { createLanes, roundRows } from '../../../../src/quantization/reconstruction/round-rows.ts';
import { createRowLoss, type RowLoss } from '../../../../src/quantization/reconstruction/row-loss.ts';

/** Numbers that look random, between -1 and 1. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

/** The Gram matrix of inputs that all follow one signal, each with a little noise of its own. */
function alikeInputs(columns: number, positions: number, seed: number): GramSums {
  const next = noise(seed);
  const gram = new Float64Array(columns * columns);
  for (let position = 0; position < positions; position++) {
    const signal = next();
    const inputs = Array.from({ length: columns }, () => signal + 0.1 * next());
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++) {
        gram[i * columns + j] =
          (gram[i * columns + j] as number) + (inputs[i] as number) * (inputs[j] as number);
      }
    }
  }
  return { gram, positions };
}

async function lossOf(sums: GramSums, columns: number): Promise<RowLoss> {
  const loss = await createRowLoss(sums, 0, columns, multiplyHere);
  if (loss === undefined) throw new Error('no loss');
  return loss;
}

/** As many channels side by side as the lanes of these tests have. */
const LANES = 4;

/** eᵀ·H·e of the error that codes make in one lane. */
function cost(
  { columns, hessian }: RowLoss,
  values: Float64Array,
  codes: ArrayLike<number>,
  lane = 0,
): number {
  const error = (k: number) => (codes[k * LANES + lane] as number) - (values[k * LANES + lane] as number);
  let sum = 0;
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) sum += error(i) * (hessian[i * columns + j] as number) * error(j);
  }
  return sum;
}

/** Codes of one lane, each rounded so that it makes up for all that were rounded before; nothing is improved afterwards. */
function nearestPlane({ columns, factor }: RowLoss, values: Float64Array, lane: number): Float64Array {
  const codes = new Float64Array(columns * LANES);
  const at = (k: number) => k * LANES + lane;
  for (let k = columns - 1; k >= 0; k--) {
    let carried = 0;
    for (let j = k + 1; j < columns; j++) {
      carried += (factor[j * columns + k] as number) * ((values[at(j)] as number) - (codes[at(j)] as number));
    }
    codes[at(k)] = Math.round((values[at(k)] as number) + carried / (factor[k * columns + k] as number));
  }
  return codes;
}

const WIDE = { min: -127, max: 127 };

describe('factorCholesky', () => {
  it.each([1, 2, 9, 64, 65, 150])(
    'gives a triangle whose product with its transpose is the matrix, of %d rows',
    async (size) => {
      const { gram } = alikeInputs(size, size + 3, size);
      const factor = Float32Array.from(gram);
      expect(await factorCholesky(factor, size, multiplyHere)).toBe(true);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j <= i; j++) {
          let product = 0;
          for (let k = 0; k <= j; k++)
            product += (factor[i * size + k] as number) * (factor[j * size + k] as number);
          if (Math.abs(product - (gram[i * size + j] as number)) > 1e-5 * size)
            expect([i, j, product]).toEqual([]);
          expect(factor[j * size + i]).toBe(factor[i * size + j]);
        }
      }
    },
  );

  it.each([
    ['one that is not positive definite', [1, 2, 2, 1]],
    ['NaN', [Number.NaN, 0, 0, 1]],
  ])('refuses a matrix with %s', async (_, matrix) => {
    expect(await factorCholesky(Float32Array.from(matrix), 2, multiplyHere)).toBe(false);
  });
});

describe('createRowLoss', () => {
  it('puts the column with the strongest input last, and trusts few samples little', async () => {
    const gram = Float64Array.of(9, 3, 3, 4);
    const { order, hessian } = await lossOf({ gram, positions: 2 }, 2);
    expect([...order]).toEqual([1, 0]);
    const damping = 0.3 * 6.5;
    expect([...hessian]).toEqual([4 + damping, 1.5, 1.5, 9 + damping].map(Math.fround));
  });

  it('knows nothing of inputs that are always 0', async () => {
    const nothing = { gram: new Float64Array(4), positions: 3 };
    expect(await createRowLoss(nothing, 0, 2, multiplyHere)).toBeUndefined();
  });
});

describe('createRowLoss of few samples', () => {
  it('tells nothing where columns are many times as long as there are positions', async () => {
    const { gram } = alikeInputs(33, 4, 1);
    expect(await createRowLoss({ gram, positions: 2 }, 0, 33, multiplyHere)).toBeUndefined();
    expect(await createRowLoss({ gram, positions: 3 }, 0, 33, multiplyHere)).toBeDefined();
  });
});

describe('roundRows', () => {
  it('gives the same codes for many channels side by side as for each alone', async () => {
    const columns = 70;
    const loss = await lossOf(alikeInputs(columns, 300, 2), columns);
    const next = noise(7);
    const together = createLanes(columns, 3);
    for (let i = 0; i < together.values.length; i++) together.values[i] = 5 * next();
    await roundRows(loss, together, WIDE, together.codes, multiplyHere);
    for (let lane = 0; lane < 3; lane++) {
      const alone = createLanes(columns, 1);
      for (let k = 0; k < columns; k++) alone.values[k] = together.values[k * 3 + lane] as number;
      await roundRows(loss, alone, WIDE, alone.codes, multiplyHere);
      expect([...alone.codes]).toEqual([...together.codes].filter((_, at) => at % 3 === lane));
    }
  });

  it('rounds up as much as down where inputs are alike, which rounding to nearest does not', async () => {
    const columns = 8;
    const loss = await lossOf(alikeInputs(columns, 400, 5), columns);
    const lanes = createLanes(columns, LANES);
    lanes.values.fill(0.4);
    await roundRows(loss, lanes, WIDE, lanes.codes, multiplyHere);
    const ones = lanes.codes.filter((_, at) => at % LANES === 0).reduce((sum, code) => sum + code, 0);
    expect(ones).toBeGreaterThanOrEqual(3);
    const nearest = new Float64Array(columns * LANES);
    expect(cost(loss, lanes.values, lanes.codes)).toBeLessThan(0.1 * cost(loss, lanes.values, nearest));
  });

  it('carries what is lost over blocks: it costs no more than the same done place by place', async () => {
    const columns = 100;
    const loss = await lossOf(alikeInputs(columns, 400, 11), columns);
    const next = noise(4);
    const lanes = createLanes(columns, LANES);
    for (let i = 0; i < lanes.values.length; i++) lanes.values[i] = 5 * next();
    await roundRows(loss, lanes, WIDE, lanes.codes, multiplyHere);
    for (let lane = 0; lane < LANES; lane++) {
      const codes = nearestPlane(loss, lanes.values, lane);
      expect(cost(loss, lanes.values, lanes.codes, lane)).toBeLessThan(
        1.001 * cost(loss, lanes.values, codes, lane),
      );
    }
  });

  it('finds codes that no change of a single one makes better, and that cost much less than the nearest', async () => {
    const columns = 12;
    let found = 0;
    let nearest = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const loss = await lossOf(alikeInputs(columns, 100, seed), columns);
        const next = noise(seed + 1);
        const lanes = createLanes(columns, LANES);
        for (let i = 0; i < lanes.values.length; i++) lanes.values[i] = 5 * next();
        await roundRows(loss, lanes, WIDE, lanes.codes, multiplyHere);
        const least = cost(loss, lanes.values, lanes.codes);
        found += least;
        nearest += cost(loss, lanes.values, lanes.values.map(Math.round));
        for (let k = 0; k < columns; k++) {
          for (const change of [-1, 1]) {
            const other = lanes.codes.slice();
            other[k * LANES] = (other[k * LANES] as number) + change;
            expect(cost(loss, lanes.values, other)).toBeGreaterThan(least * (1 - 1e-4));
          }
        }
      }),
      { numRuns: 50, seed: 1 },
    );
    expect(found).toBeLessThan(0.6 * nearest);
  });

  it('stays on the grid, with the zero point of each place', async () => {
    const columns = 6;
    const loss = await lossOf(alikeInputs(columns, 100, 3), columns);
    const lanes = createLanes(columns, LANES);
    lanes.zeroPoints.fill(8);
    lanes.scales.fill(0.5);
    lanes.values.fill(-20);
    lanes.values.fill(20, 3 * LANES);
    await roundRows(loss, lanes, { min: 0, max: 15 }, lanes.codes, multiplyHere);
    expect(Math.min(...lanes.codes)).toBe(0);
    expect(Math.max(...lanes.codes)).toBe(15);
  });

  it('leaves weights that lie on the grid where they are, in every lane', async () => {
    const columns = 5;
    const loss = await lossOf(alikeInputs(columns, 60, 9), columns);
    const lanes = createLanes(columns, LANES);
    for (let i = 0; i < lanes.values.length; i++) lanes.values[i] = (i % 7) - 3;
    await roundRows(loss, lanes, WIDE, lanes.codes, multiplyHere);
    expect([...lanes.codes]).toEqual([...lanes.values]);
  });
});
