import { describe, expect, it } from 'vitest';
import { mergeProcesses } from '../../../src/benchmark/merge-processes.ts';
import type { VariantRecord } from '../../../src/benchmark/variant-record.ts';
import { problem } from '../../../src/core/problem.ts';
import { identityOf, roundOf, STEADY, USAGE } from './fakes.ts';

const LOADED = { sampleCount: 4, samplesPerRun: 1, laneCount: 1, loadSeconds: 0.5, idleEnergy: null };

function recordOf(more: Partial<VariantRecord> = {}): VariantRecord {
  return {
    identity: identityOf('int8'),
    loaded: LOADED,
    warmUp: STEADY,
    rounds: [],
    usage: USAGE,
    failure: null,
    ...more,
  };
}

describe('mergeProcesses', () => {
  it('keeps the rounds of all, adds up CPU time and takes the highest peak of memory', () => {
    const merged = mergeProcesses([
      recordOf({ rounds: [roundOf(0, [1e6])], usage: { ...USAGE, peakRssBytes: 5, cpuSeconds: 1 } }),
      recordOf({ rounds: [roundOf(1, [2e6])], usage: { ...USAGE, peakRssBytes: 3, cpuSeconds: 2 } }),
    ]);
    expect(merged.rounds.map(({ index }) => index)).toEqual([0, 1]);
    expect(merged.usage).toMatchObject({ peakRssBytes: 5, cpuSeconds: 3 });
  });

  it('takes the highest of what is known of other memory, and is silent where nothing is', () => {
    const memoryOf = (...each: readonly (number | null)[]) =>
      mergeProcesses(
        each.map((bytes) =>
          recordOf({
            usage: { ...USAGE, peakGpuMemoryBytes: bytes, arenaBytes: bytes === null ? null : bytes / 2 },
          }),
        ),
      ).usage;
    expect(memoryOf(4, 8, 6)).toMatchObject({ peakGpuMemoryBytes: 8, arenaBytes: 4 });
    expect(memoryOf(4, null)).toMatchObject({ peakGpuMemoryBytes: 4, arenaBytes: 2 });
    expect(memoryOf(null, null)).toMatchObject({ peakGpuMemoryBytes: null, arenaBytes: null });
  });

  it('has the cold start of the first process, and the unsteady warm-up of any', () => {
    const later = { ...LOADED, loadSeconds: 0.1 };
    const unsteady = { ...STEADY, steady: false, durationNs: 7e9 };
    expect(mergeProcesses([recordOf(), recordOf({ loaded: later })])).toMatchObject({
      loaded: LOADED,
      warmUp: STEADY,
    });
    expect(mergeProcesses([recordOf(), recordOf({ warmUp: unsteady }), recordOf()]).warmUp).toBe(unsteady);
  });

  it('has the first failure, and what was there before it', () => {
    const failure = problem('worker-killed', 'gone');
    const merged = mergeProcesses([
      recordOf({ rounds: [roundOf(0, [1e6])] }),
      recordOf({ loaded: null, warmUp: null, usage: null, failure }),
    ]);
    expect(merged).toMatchObject({ failure, loaded: LOADED, usage: USAGE, rounds: [{ index: 0 }] });
  });

  it('has nothing to make of nothing', () => {
    expect(() => mergeProcesses([])).toThrow(RangeError);
  });
});
