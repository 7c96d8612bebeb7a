import { describe, expect, it } from 'vitest';
import { toRecords, VALUES_PER_RUN } from '../../../../src/benchmark/load/run-records.ts';
import { createRunRing, pushRun, takeRuns } from '../../../../src/benchmark/load/run-ring.ts';

describe('a run ring', () => {
  it('gives runs back in the order in which they were written, across its end', () => {
    const ring = createRunRing(4);
    const runs: number[] = [];
    for (let run = 0; run < 11; run++) {
      pushRun(ring, run, 1, 2, 3, 4);
      if (run % 3 === 2) runs.push(...toRecords([takeRuns(ring)]).run);
    }
    runs.push(...toRecords([takeRuns(ring)]).run);
    expect(runs).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(takeRuns(ring)).toHaveLength(0);
  });

  it('goes on where its counts wrap around', () => {
    const ring = createRunRing(4);
    ring.counts.fill(2 ** 31 - 2);
    for (let run = 0; run < 4; run++) pushRun(ring, run, 0, 0, 0, run);
    expect([...toRecords([takeRuns(ring)]).run]).toEqual([0, 1, 2, 3]);
  });
});

describe('toRecords', () => {
  it('orders the runs of several lanes and keeps every value in its column', () => {
    const lane = (...runs: number[]) =>
      Float64Array.from(runs.flatMap((run) => [run, run + 0.1, run + 0.2, run + 0.3, run + 0.4]));
    const records = toRecords([lane(0, 3), lane(1, 2), new Float64Array(0)]);
    expect(records).toEqual({
      run: Float64Array.of(0, 1, 2, 3),
      dueNs: Float64Array.of(0.1, 1.1, 2.1, 3.1),
      readyNs: Float64Array.of(0.2, 1.2, 2.2, 3.2),
      startNs: Float64Array.of(0.3, 1.3, 2.3, 3.3),
      doneNs: Float64Array.of(0.4, 1.4, 2.4, 3.4),
    });
    expect(VALUES_PER_RUN).toBe(Object.keys(records).length);
  });
});
