import { describe, expect, it } from 'vitest';
import { createDraftStatistics } from '../../../../src/quantization/tuning/draft-statistics.ts';
import type { Learn } from '../../../../src/quantization/tuning/learning-run.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { wavyFeed } from '../../../support/run-model.ts';
import { tuningTools } from '../../../support/tuning-tools.ts';

/** A Conv, cut off from 0 to 6, and another one that reads it. */
const clipped = model(
  graph({
    inputs: [value('x', 'float', [1, 2, 20, 20])],
    nodes: [
      node('Conv', ['x', 'w'], ['c']),
      node('Clip', ['c', 'zero', 'six'], ['h']),
      node('Conv', ['h', 'v'], ['y']),
    ],
    outputs: [value('y', 'float')],
    initializers: [
      tensor('w', [3, 2, 1, 1], [1, 0, 0, 2, -3, 0.5]),
      tensor('v', [2, 3, 1, 1], [1, 1, 1, 1, 2, 3]),
      tensor('zero', [], [0]),
      tensor('six', [], [6]),
    ],
  }),
);

/** Waves with one high point, in a row and a column that are not picked. */
function peaked() {
  const feed = wavyFeed(1, 2, 20, 20);
  (feed.data as Float32Array)[10 * 20 + 10] = 4;
  return feed;
}

async function prepared() {
  const tools = tuningTools(clipped, { learn: [{ x: peaked() }], judge: [] });
  let runs = 0;
  const counted: Learn = async function* (of, limit) {
    runs += 1;
    yield* tools.learn(of, limit);
  };
  return { draft: await tools.draft(), learn: counted, runs: () => runs };
}

describe('createDraftStatistics', () => {
  it('tells the largest value of every channel, though it looks at a part of a map for the rest', async () => {
    const { draft, learn } = await prepared();
    const input = peaked().data as Float32Array;
    const seen = await createDraftStatistics(learn)(draft);
    const { max, min, meanSquare } = seen.get('x') as NonNullable<ReturnType<typeof seen.get>>;
    [0, 1].forEach((channel) => {
      const values = [...input.subarray(channel * 400, channel * 400 + 400)];
      expect(max[channel]).toBeCloseTo(Math.max(...values), 5);
      expect(min[channel]).toBeLessThanOrEqual(Math.min(...values) / 2);
      const all = values.reduce((sum, of) => sum + of * of, 0) / 400;
      expect((meanSquare[channel] as number) / all).toBeGreaterThan(0.6);
      expect((meanSquare[channel] as number) / all).toBeLessThan(1.4);
    });
    expect(seen.get('h')?.max[0]).toBeCloseTo(4, 5);
    // It cannot be negative, so its minimum is not looked for.
    expect([...(seen.get('h')?.min ?? [])].map(Math.abs)).toEqual([0, 0, 0]);
  });

  it('runs a model once, however many passes ask', async () => {
    const { draft, learn, runs } = await prepared();
    const statistics = createDraftStatistics(learn);
    expect(await statistics({ ...draft, constants: new Map() })).toBe(await statistics(draft));
    expect(runs()).toBe(1);
  });

  it('runs nothing where a calibration has told already, unless a tensor is missing or the model is another', async () => {
    const { draft, learn, runs } = await prepared();
    const found = await createDraftStatistics(learn)(draft);
    const given = { view: draft.view, statistics: found };
    expect(await createDraftStatistics(learn, given)(draft)).toBe(found);
    expect(runs()).toBe(1);
    const less = new Map([...found].filter(([name]) => name !== 'h'));
    await createDraftStatistics(learn, { ...given, statistics: less })(draft);
    expect(runs()).toBe(2);
    await createDraftStatistics(learn, given)({ ...draft, view: { ...draft.view } });
    expect(runs()).toBe(3);
  });
});
