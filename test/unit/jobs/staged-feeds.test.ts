import { describe, expect, it } from 'vitest';
import type { NamedTensors, Tensor } from '../../../src/core/tensor.ts';
import { stageFeeds } from '../../../src/jobs/staged-feeds.ts';

const floats = (...values: number[]): Tensor => ({
  type: 'float32',
  dims: [1, values.length],
  data: Float32Array.from(values),
});

/** Reads its feeds when it is run, and tells from how many places. */
function reader() {
  const prepared: NamedTensors[] = [];
  const prepare = (feeds: NamedTensors) => {
    prepared.push(feeds);
    return () => Object.values(feeds).map(({ data }) => [...data]);
  };
  return { prepare, prepared };
}

describe('stageFeeds', () => {
  it('runs every sample from one place for each shape, and leaves the samples as they are', () => {
    const { prepare, prepared } = reader();
    const feeds = [{ x: floats(1, 2) }, { x: floats(3, 4) }, { x: floats(5) }, { x: floats(6, 7) }];
    const runs = stageFeeds(feeds, prepare, 'cpu');
    const results = [3, 0, 2, 1].map((sample) => {
      runs[sample]?.stage();
      return runs[sample]?.run();
    });
    expect(results).toEqual([[[6, 7]], [[1, 2]], [[5]], [[3, 4]]]);
    expect(prepared).toHaveLength(2);
    expect(feeds[0]?.x.data).toEqual(Float32Array.of(1, 2));
  });

  it('keeps types and inputs apart', () => {
    const { prepare, prepared } = reader();
    const codes: Tensor = { type: 'int64', dims: [1, 2], data: BigInt64Array.of(8n, 9n) };
    const runs = stageFeeds(
      [
        { a: floats(1, 2), b: codes },
        { a: codes, b: floats(3, 4) },
      ],
      prepare,
      'cpu',
    );
    for (const run of runs) run.stage();
    expect(runs.map((run) => run.run())).toEqual([
      [
        [1, 2],
        [8n, 9n],
      ],
      [
        [8n, 9n],
        [3, 4],
      ],
    ]);
    expect(prepared).toHaveLength(2);
  });

  it('runs texts as they are', () => {
    const { prepare, prepared } = reader();
    const text = (value: string): NamedTensors => ({ x: { type: 'string', dims: [1], data: [value] } });
    const runs = stageFeeds([text('a'), text('b')], prepare, 'cpu');
    runs[1]?.stage();
    expect(runs[0]?.run()).toEqual([['a']]);
    expect(prepared).toHaveLength(2);
  });

  it('runs samples from where they lie on a device that copies its inputs itself', () => {
    const { prepare, prepared } = reader();
    const feeds = [{ x: floats(1, 2) }, { x: floats(3, 4) }];
    const runs = stageFeeds(feeds, prepare, 'cuda');
    runs[1]?.stage();
    expect([runs[1]?.run(), runs[0]?.run()]).toEqual([[[3, 4]], [[1, 2]]]);
    expect(prepared.map(({ x }) => x)).toEqual([feeds[0]?.x, feeds[1]?.x]);
  });
});
