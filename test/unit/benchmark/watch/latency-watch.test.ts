import { describe, expect, it } from 'vitest';
import {
  acknowledgeLatency,
  type LatencyMemory,
  NO_RUNS,
  takeLatency,
  watchLatency,
} from '../../../../src/benchmark/watch/latency-watch.ts';

/** Twelve runs around 10 ms with a scatter of 1 %. */
const QUIET = [1, 1.01, 0.99, 1.005, 0.995, 1.01, 0.99, 1, 1.005, 0.995, 1, 1.01].map((of) => of * 0.01);

const stateAfter = (...latencies: readonly number[]) => watchLatency([...QUIET, ...latencies]);

describe('watching the latency of a measurement from run to run', () => {
  it('expects nothing before there are ten runs', () => {
    const nine = watchLatency(QUIET.slice(0, 9));
    expect(nine).toMatchObject({ state: 'learning', expected: null, limit: null, changeRatio: null });
    expect(watchLatency([])).toMatchObject({ state: 'learning', baselineRuns: 0 });
    expect(watchLatency(QUIET.slice(0, 10)).state).toBe('steady');
  });

  it('tells the level, the limit and the change of the last run', () => {
    const { state, expected, limit, changeRatio } = stateAfter(0.0102);
    expect(state).toBe('steady');
    expect(expected?.level).toBeCloseTo(0.01, 4);
    // 5 % is more than what the scatter of 1 % would suggest.
    expect(limit).toBeCloseTo((expected?.level ?? 0) * 1.05, 6);
    expect(changeRatio).toBeCloseTo(1.02, 2);
  });

  it('suspects a run beyond the limit, and calls it a regression only when two fresh ones confirm it', () => {
    expect(stateAfter(0.0108)).toMatchObject({ state: 'suspected', since: null });
    expect(stateAfter(0.0108, 0.0109).state).toBe('suspected');
    expect(stateAfter(0.0108, 0.0109, 0.0107)).toMatchObject({ state: 'regressed', since: 12 });
  });

  it('drops a suspicion that a fresh run does not confirm, and learns of the scatter that it showed', () => {
    const disturbed = stateAfter(0.0108, 0.01);
    expect(disturbed).toMatchObject({ state: 'steady', since: null });
    expect(disturbed.expected?.logStddev).toBeGreaterThan(2 * (stateAfter(0.01).expected?.logStddev ?? 1));
  });

  it('does not get used to being slow', () => {
    const slow = Array.from({ length: 40 }, () => 0.0115);
    const watched = stateAfter(...slow);
    expect(watched).toMatchObject({ state: 'regressed', since: 12, baselineRuns: 12 });
    expect(watched.changeRatio).toBeCloseTo(1.15, 2);
  });

  it('is over after two runs in a row that are back, not after one', () => {
    const regressed = [0.0115, 0.0115, 0.0115];
    expect(stateAfter(...regressed, 0.01).state).toBe('regressed');
    expect(stateAfter(...regressed, 0.01, 0.0115, 0.01).state).toBe('regressed');
    expect(stateAfter(...regressed, 0.01, 0.01)).toMatchObject({ state: 'steady', since: null });
  });

  it('finds a slow drift, as the baseline stays where it is', () => {
    const drifting = Array.from(
      { length: 120 },
      (_, run) => 0.01 * 1.001 ** run * (run % 2 === 0 ? 1.005 : 0.995),
    );
    const watched = watchLatency(drifting);
    expect(watched.state).toBe('regressed');
    expect(watched.baselineRuns).toBe(64);
  });

  it('calls what is confirmed to be faster an improvement, and suspects nothing for it', () => {
    expect(stateAfter(0.009).state).toBe('steady');
    expect(stateAfter(0.009, 0.009, 0.009)).toMatchObject({ state: 'improved', since: 12 });
  });

  it('alarms at no rounding error where runs have no scatter at all', () => {
    const same = Array.from({ length: 12 }, () => 0.01);
    expect(watchLatency([...same, 0.0100001, 0.0100001, 0.0100001]).state).toBe('steady');
    expect(watchLatency([...same, 0.0106, 0.0106, 0.0106]).state).toBe('regressed');
  });

  it('asks for more than the floor where the host scatters', () => {
    const noisy = [1, 1.2, 0.85, 1.1, 0.9, 1.15, 0.8, 1, 1.1, 0.95, 1.05, 0.9];
    expect(watchLatency([...noisy, 1.3, 1.3, 1.3]).state).toBe('steady');
    expect(watchLatency([...noisy, 1.9, 1.9, 1.9]).state).toBe('regressed');
  });
});

/** What is remembered after runs that are named by their numbers, as plain data that went through a store. */
function remember(before: LatencyMemory, ...latencies: readonly number[]): LatencyMemory {
  return latencies.reduce<LatencyMemory>(
    (memory, latency, run) => JSON.parse(JSON.stringify(takeLatency(memory, { run: `R${run}`, latency }))),
    before,
  );
}

describe('what is remembered of the latency of runs', () => {
  const regressed = remember(NO_RUNS, ...QUIET, 0.0115, 0.0115, 0.0115);

  it('says the same as the whole history, and since which run', () => {
    expect(regressed).toMatchObject({ state: 'regressed', since: 'R12' });
    expect(remember(regressed, 0.01)).toMatchObject({ state: 'regressed', since: 'R12' });
    expect(remember(regressed, 0.01, 0.01)).toMatchObject({ state: 'steady', since: null });
  });

  it('grows with nothing but the baseline, however often the latency goes up and down', () => {
    const after = remember(
      regressed,
      ...Array.from({ length: 50 }, (_, run) => (run % 2 === 0 ? 0.01 : 0.0115)),
    );
    expect(JSON.stringify(after).length).toBeLessThan(JSON.stringify(regressed).length + 20);
  });

  it('leaves a regression alone that somebody knows of, until three runs in a row are slower than that', () => {
    const known = acknowledgeLatency(regressed) as LatencyMemory;
    expect(known.state).toBe('acknowledged');
    expect(remember(known, 0.0115, 0.0118, 0.0119, 0.0118).state).toBe('acknowledged');
    expect(remember(known, 0.013, 0.013).state).toBe('acknowledged');
    expect(remember(known, 0.013, 0.013, 0.0115, 0.013).state).toBe('acknowledged');
    expect(remember(known, 0.013, 0.013, 0.013)).toMatchObject({ state: 'regressed', acknowledged: null });
  });

  it('forgets what was acknowledged when it is over', () => {
    const over = remember(acknowledgeLatency(regressed) as LatencyMemory, 0.01, 0.01);
    expect(over).toMatchObject({ state: 'steady', acknowledged: null });
    expect(remember(over, 0.0115, 0.0115, 0.0115).state).toBe('regressed');
  });

  it('has nothing to acknowledge where nothing regressed', () => {
    for (const quiet of [NO_RUNS, remember(NO_RUNS, ...QUIET), remember(NO_RUNS, ...QUIET, 0.0115)])
      expect(acknowledgeLatency(quiet)).toBeUndefined();
  });
});
