import { describe, expect, it } from 'vitest';
import { latencyHistories } from '../../../src/jobs/latency-history.ts';
import type { HistoryPoint } from '../../../src/jobs/model-history.ts';

const point = (
  run: number,
  p50Seconds: number | null,
  changes: Partial<HistoryPoint> = {},
): HistoryPoint => ({
  run: `run ${run}`,
  finishedMs: run,
  variant: 'int8',
  suite: 'profile',
  measurement: 'single-stream',
  host: 'a',
  valid: true,
  throughput: null,
  p50Seconds,
  ...changes,
});

const quiet = Array.from({ length: 12 }, (_, run) => point(run, run % 2 === 0 ? 0.01 : 0.0101));

describe('what a history says of latencies', () => {
  it('is told for each variant and measurement apart', () => {
    const others = quiet.map((of) => ({ ...of, variant: 'fp32', p50Seconds: 0.02 }));
    const [first, second, ...more] = latencyHistories([...quiet, ...others]);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ variant: 'int8', state: 'steady', baselineRuns: 12, changes: [] });
    expect(first?.expectedSeconds).toBeCloseTo(0.01005, 5);
    expect(second).toMatchObject({ variant: 'fp32', changeRatio: expect.closeTo(1, 9) });
  });

  it('names the run at which a regression began, and the change of the level', () => {
    const slow = [12, 13, 14].map((run) => point(run, 0.013));
    const [told] = latencyHistories([...quiet, ...slow]);
    expect(told).toMatchObject({ state: 'regressed', since: 'run 12' });
    expect(told?.changes).toEqual([{ run: 'run 12', ratio: expect.closeTo(1.29, 2) }]);
  });

  it('passes over what is invalid or unknown', () => {
    const disturbed = [12, 13, 14].map((run) => point(run, 0.05, { valid: false }));
    const unknown = point(15, null);
    expect(latencyHistories([...quiet, ...disturbed, unknown])).toMatchObject([
      { state: 'steady', baselineRuns: 12 },
    ]);
  });

  it('begins anew on another host', () => {
    const moved = [12, 13, 14].map((run) => point(run, 0.02, { host: 'b' }));
    expect(latencyHistories([...quiet, ...moved])).toMatchObject([
      { host: 'b', state: 'learning', baselineRuns: 3, expectedSeconds: null, changes: [] },
    ]);
  });

  it('is empty without runs', () => {
    expect(latencyHistories([])).toEqual([]);
  });
});
