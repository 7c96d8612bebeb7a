import { describe, expect, it } from 'vitest';
import { attemptAsync } from '../../../src/core/problem.ts';
import type { NamedTensors } from '../../../src/core/tensor.ts';
import { buildFeeds, firstOfEveryShape, shapesOf } from '../../../src/jobs/bench-feeds.ts';
import type { ModelPort } from '../../../src/runtime/session.ts';
import { writeSamples } from '../../support/evaluated-models.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const port = (dims: ModelPort['dims']): ModelPort => ({ name: 'x', type: 'float32', dims });

function modelWith(...inputs: readonly ModelPort[]) {
  return { inputs, outputs: [], run: (feeds: NamedTensors) => feeds };
}

function dataOf(count: number) {
  const rows = Array.from({ length: count }, (_, row) => [row, -row]);
  const path = writeSamples(temporaryFolder(), 'data.npz', rows);
  return { spec: { path }, split: 'eval' };
}

describe('buildFeeds', () => {
  const free = modelWith(port(['batch', 2]));

  it('gives one feed a sample', async () => {
    const feeds = await buildFeeds({ data: dataOf(3), batch: 1 }, free);
    expect(feeds.map(({ x }) => x)).toEqual(
      [0, 1, 2].map((row) => ({ type: 'float32', dims: [1, 2], data: Float32Array.of(row, -row) })),
    );
  });

  it('joins samples that follow one another to whole batches', async () => {
    const feeds = await buildFeeds({ data: dataOf(5), batch: 2 }, free);
    expect(feeds.map(({ x }) => x)).toEqual([
      { type: 'float32', dims: [2, 2], data: Float32Array.of(0, -0, 1, -1) },
      { type: 'float32', dims: [2, 2], data: Float32Array.of(2, -2, 3, -3) },
    ]);
  });

  it('keeps at most 256 samples in memory, or one batch', async () => {
    expect(await buildFeeds({ data: dataOf(300), batch: 1 }, free)).toHaveLength(256);
    expect(await buildFeeds({ data: dataOf(300), batch: 280 }, free)).toHaveLength(1);
  });

  it.each([
    ['a fixed first dimension', [1, 2], "input 'x' is [1, 2]"],
    ['no dimensions at all', [], "input 'x' is a scalar"],
  ])('refuses a batch for a model with %s', async (_name, dims, reason) => {
    const refused = await attemptAsync(() =>
      buildFeeds({ data: dataOf(4), batch: 2 }, modelWith(port(dims))),
    );
    expect(refused).toMatchObject({
      ok: false,
      error: {
        kind: 'batch-not-supported',
        message: expect.stringContaining(reason),
        place: { tensor: 'x' },
      },
    });
  });

  it('refuses a batch that is larger than the data', async () => {
    expect(await attemptAsync(() => buildFeeds({ data: dataOf(4), batch: 5 }, free))).toMatchObject({
      ok: false,
      error: { kind: 'too-few-samples', message: 'a batch takes 5 samples and the data has 4' },
    });
  });
});

describe('firstOfEveryShape and shapesOf', () => {
  const feed = (rows: number, others: number): NamedTensors => ({
    x: { type: 'float32', dims: [rows], data: new Float32Array(rows) },
    y: { type: 'float32', dims: [others], data: new Float32Array(others) },
  });
  const feeds = [feed(1, 1), feed(2, 1), feed(1, 1), feed(2, 2), feed(2, 1)];

  it('name one feed of each combination of shapes, and number them', () => {
    expect(firstOfEveryShape(feeds)).toEqual([0, 1, 3]);
    expect(shapesOf(feeds)).toEqual([0, 1, 0, 2, 1]);
  });
});
