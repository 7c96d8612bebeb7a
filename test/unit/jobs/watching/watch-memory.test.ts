import { describe, expect, it } from 'vitest';
import { NO_EVALUATIONS } from '../../../../src/evaluation/watch/accuracy-watch.ts';
import { pinsOf } from '../../../../src/jobs/watching/watch-memory.ts';
import type { WatchedSeries } from '../../../../src/store/watched.ts';

const series = (kind: WatchedSeries['kind'], memory: unknown): WatchedSeries => ({
  ...{ id: 1, kind, model: 'm', variant: 'int8', suite: '', measurement: '', device: '', host: 'h' },
  ...{ state: 'steady', sinceMs: 0, updatedMs: 0, memory },
});

const baseline = { run: 'R', data: 'd', value: 0.9, artifact: 'pinned', outputs: 'golden' };

describe('what later runs may be held against', () => {
  it('is what was as expected last, and of accuracy the baseline with its outputs', () => {
    const pins = pinsOf([
      series('latency', { format: 1, watch: {}, good: { artifact: 'fast' } }),
      series('accuracy', {
        ...{ format: 1, drop: null, good: { artifact: 'good' } },
        watch: { ...NO_EVALUATIONS, baseline },
      }),
    ]);
    expect([...pins.artifacts].sort()).toEqual(['fast', 'good', 'pinned']);
    expect([...pins.golden]).toEqual(['golden.outputs']);
  });

  it('is nothing where nothing is known, or a baseline has no file', () => {
    const without = { ...baseline, artifact: null, outputs: null };
    const memory = { format: 1, good: null, drop: null, watch: { ...NO_EVALUATIONS, baseline: without } };
    for (const known of [series('latency', null), series('accuracy', null), series('accuracy', memory)])
      expect(pinsOf([known])).toEqual({ artifacts: new Set(), golden: new Set() });
  });
});
