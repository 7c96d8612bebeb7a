import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problem } from '../../../../src/core/problem.ts';
import { err } from '../../../../src/core/result.ts';
import { scratchModelOpener } from '../../../../src/jobs/scratch-models.ts';
import type { OpenModel } from '../../../../src/onnx/open-model.ts';
import { multiplyHere, runtimeProduct } from '../../../../src/quantization/reconstruction/matrix-product.ts';

const matrix = (rows: number, columns: number) =>
  Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 1.3) + i / 100);

describe('multiplyHere', () => {
  it('multiplies rows with columns', async () => {
    const [a, b] = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(1, 0, 0, 1, 1, 1)];
    expect([...(await multiplyHere(a, b, { rows: 2, inner: 3, columns: 2 }))]).toEqual([4, 5, 10, 11]);
  });

  it('takes a first matrix that lies transposed', async () => {
    const [a, b] = [Float32Array.of(1, 4, 2, 5, 3, 6), Float32Array.of(1, 0, 0, 1, 1, 1)];
    const size = { rows: 2, inner: 3, columns: 2, isTransposed: true };
    expect([...(await multiplyHere(a, b, size))]).toEqual([4, 5, 10, 11]);
  });
});

describe('runtimeProduct', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ptq-matrix-product-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('lets the runtime compute what a loop computes, for matrices of every size', async () => {
    let opened = 0;
    const open = scratchModelOpener(folder, 1);
    const counting: OpenModel = (model) => {
      opened += 1;
      return open(model);
    };
    const { multiply, close } = runtimeProduct(counting, 1);
    for (const [rows, inner, columns, isTransposed] of [
      [3, 5, 2, false],
      [1, 40, 7, false],
      [16, 1, 16, false],
      [3, 5, 2, true],
      [8, 40, 7, true],
    ] as const) {
      const size = { rows, inner, columns, isTransposed };
      const [a, b] = [matrix(rows, inner), matrix(inner, columns)];
      const expected = await multiplyHere(a, b, size);
      (await multiply(a, b, size)).forEach((value, at) => {
        expect(value).toBeCloseTo(expected[at] as number, 3);
      });
    }
    await close();
    // One for each way in which the first lies in memory.
    expect(opened).toBe(2);
  });

  it('asks no runtime for small ones, nor to be closed when it was never opened', async () => {
    const refused: OpenModel = async () => {
      throw new Error('it was asked');
    };
    const { multiply, close } = runtimeProduct(refused);
    expect([...(await multiply(matrix(2, 2), matrix(2, 1), { rows: 2, inner: 2, columns: 1 }))]).toHaveLength(
      2,
    );
    await close();
  });

  it('passes on why the runtime cannot compute', async () => {
    const cause = problem('model-rejected-by-runtime', 'no memory');
    const { multiply } = runtimeProduct(async () => err(cause), 1);
    await expect(
      multiply(matrix(1, 1), matrix(1, 1), { rows: 1, inner: 1, columns: 1 }),
    ).rejects.toMatchObject({
      problem: cause,
    });
  });
});
