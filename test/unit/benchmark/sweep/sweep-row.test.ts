import { describe, expect, it } from 'vitest';
import { sweepRow } from '../../../../src/benchmark/sweep/sweep-row.ts';
import type { VariantRecord } from '../../../../src/benchmark/variant-record.ts';
import { identityOf, roundOf, STEADY, settingsOf, USAGE } from '../fakes.ts';

const configuration = { model: 'a', batch: 1, threads: 1, concurrency: 1, oversubscribed: false };
const settings = settingsOf({ scenario: 'closed-loop', rounds: 2, minDurationSeconds: 0.1, minQueries: 1 });

function recordOf(cpuSeconds?: number): VariantRecord {
  const more = cpuSeconds === undefined ? {} : { cpuSeconds };
  const rounds = [roundOf(0, Array(100).fill(1e6), more)];
  return { identity: identityOf('a'), loaded: null, warmUp: STEADY, rounds, usage: USAGE, failure: null };
}

describe('sweepRow', () => {
  it('shares the CPU time of all repetitions out among their samples', () => {
    const records = [0.05, 0.15].map((seconds, repetition) => ({ repetition, record: recordOf(seconds) }));
    const row = sweepRow(configuration, records, settings);
    expect(row.cpuSecondsPerSample).toBeCloseTo(0.001, 12);
    expect(row.repetitions.map(({ repetition }) => repetition)).toEqual([0, 1]);
  });

  it('knows no CPU time of a sample where one repetition was not watched, or nothing was measured', () => {
    const watched = { repetition: 0, record: recordOf(0.05) };
    const unwatched = { repetition: 1, record: recordOf() };
    expect(sweepRow(configuration, [watched, unwatched], settings).cpuSecondsPerSample).toBeNull();
    const nothing = { repetition: 0, record: { ...recordOf(0.05), rounds: [] } };
    expect(sweepRow(configuration, [nothing], settings).cpuSecondsPerSample).toBeNull();
  });
});
