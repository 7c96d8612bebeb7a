import { describe, expect, it } from 'vitest';
import { type FirstRunsSpec, runUntilSteady } from '../../../../src/benchmark/cold-start/first-runs.ts';

const MS = 1_000_000;
const SPEC: FirstRunsSpec = {
  shapeSamples: [0],
  sampleCount: 3,
  windowDurationNs: 10 * MS,
  maxDurationNs: 1000 * MS,
};

/** A model whose n-th run takes so long, on a clock that moves only while it runs. */
function run(latencyNs: (run: number) => number, spec: Partial<FirstRunsSpec> = {}) {
  let now = 5n;
  let count = 0;
  const once = () => {
    now += BigInt(latencyNs(count));
    count += 1;
  };
  return runUntilSteady(once, () => now, { ...SPEC, ...spec });
}

describe('runUntilSteady', () => {
  it('measures every run from the first on, until three windows agree', () => {
    const runs = run((index) => (index === 0 ? 40 * MS : 2 * MS));
    expect(runs).toMatchObject({ steady: true, steadyFrom: 1 });
    expect(runs.latencyNs).toEqual([40 * MS, ...new Array(15).fill(2 * MS)]);
    expect(runs.doneNs.slice(0, 3)).toEqual([40 * MS, 42 * MS, 44 * MS]);
  });

  it('takes one sample of each shape first, then all in turn', () => {
    const { samples } = run(() => 5 * MS, { shapeSamples: [0, 2] });
    expect(samples).toEqual([0, 2, 0, 1, 2, 0, 1, 2]);
  });

  it('goes on while the windows differ, and the steady part begins with the three that agree', () => {
    const runs = run((index) => (index < 5 ? 4 * MS : 2 * MS));
    expect(runs).toMatchObject({ steady: true, steadyFrom: 8 });
    expect(runs.latencyNs.slice(8)).toEqual(new Array(15).fill(2 * MS));
  });

  it('gives up when the time is up, but runs three windows of a slow model', () => {
    const never = run((index) => Math.round(2 * MS * 1.2 ** index), { maxDurationNs: 100 * MS });
    expect(never.steady).toBe(false);
    const slow = run(() => 3000 * MS);
    expect(slow).toMatchObject({ steady: true, samples: [0, 0, 1, 2] });
  });
});
