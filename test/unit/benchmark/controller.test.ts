import { describe, expect, it } from 'vitest';
import { type BenchProgress, runBench } from '../../../src/benchmark/controller.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { problem } from '../../../src/core/problem.ts';
import { err } from '../../../src/core/result.ts';
import { settingsOf, virtualSut } from './fakes.ts';

const settings = settingsOf({
  rounds: 4,
  minDurationSeconds: 0.4,
  minQueries: 100,
  warmUpWindowSeconds: 0.01,
  leadInSeconds: 0.005,
});
const controls = { clock: systemClock };
const fast = () => 1_000_000;
const slow = () => 2_000_000;

describe('runBench', () => {
  it('measures known service times and says how much faster one is', async () => {
    const run = await runBench([virtualSut('fp32', slow), virtualSut('int8', fast)], settings, controls);
    expect(run.cancelled).toBe(false);
    expect(run.results).toMatchObject([
      { variant: 'fp32', valid: true, queries: 200, throughput: 500, peakRssBytes: 64 * 1024 ** 2 },
      { variant: 'int8', valid: true, queries: 400, throughput: 1000 },
    ]);
    expect(run.results[1]?.latencySeconds).toMatchObject({ p50: 0.001, p90: 0.001, max: 0.001 });
    expect(run.speedUps).toMatchObject([
      { base: 'fp32', candidate: 'int8', outcome: 'faster', pairedRounds: 4 },
    ]);
    expect(run.speedUps[0]?.ratio).toBeCloseTo(2, 12);
  });

  it('warms all up, interleaves, then finishes all', async () => {
    const events: string[] = [];
    await runBench([virtualSut('a', fast, events), virtualSut('b', fast, events)], settings, controls);
    expect(events.slice(0, 2)).toEqual(['warm-up a', 'warm-up b']);
    const turns = events
      .slice(2, 10)
      .map((event) => event.at(-1))
      .join('');
    expect(['abbabaab', 'baababba']).toContain(turns);
    expect(events.slice(10)).toEqual(['finish a', 'finish b']);
  });

  it('gives a lead-in only where variants take turns and a query is short against it', async () => {
    const leadIns: Record<string, number> = {};
    const watched = (variant: string, serviceNs: () => number) => {
      const sut = virtualSut(variant, serviceNs);
      const round: typeof sut.handle.round = (spec, onRuns) => {
        leadIns[variant] = spec.leadInDurationNs;
        return sut.handle.round(spec, onRuns);
      };
      return { ...sut, handle: { ...sut.handle, round } };
    };
    await runBench([watched('alone', fast)], settings, controls);
    await runBench([watched('short', fast), watched('long', () => 6_000_000)], settings, controls);
    expect(leadIns).toEqual({ alone: 0, short: 5_000_000, long: 0 });
  });

  it('measures samples per second offline', async () => {
    const offline = { ...settings, scenario: 'offline' } as const;
    const { results } = await runBench([virtualSut('int8', fast)], offline, controls);
    expect(results).toMatchObject([{ scenario: 'offline', valid: true, throughput: 1000, samples: 444 }]);
  });

  it('keeps what a dying system measured and lets the others go on', async () => {
    const events: string[] = [];
    const dying = virtualSut('dying', fast, events);
    const round: typeof dying.handle.round = (spec, onRuns) =>
      spec.index < 2
        ? dying.handle.round(spec, onRuns)
        : Promise.resolve(err(problem('worker-died', 'dying was killed by SIGSEGV')));
    const systems = [{ ...dying, handle: { ...dying.handle, round } }, virtualSut('sound', fast, events)];
    const { results, speedUps } = await runBench(systems, settings, controls);
    expect(results).toMatchObject([
      {
        valid: false,
        queries: 200,
        invalidReasons: [
          'dying was killed by SIGSEGV (2 of 4 rounds were measured whole)',
          expect.any(String),
        ],
      },
      { valid: true, queries: 400 },
    ]);
    expect(events.filter((event) => event === 'kill dying')).toHaveLength(1);
    expect(events).not.toContain('finish dying');
    expect(speedUps).toMatchObject([{ outcome: 'too-few-rounds', valid: false }]);
  });

  it('takes a rejection for the failure of that one system', async () => {
    const broken = virtualSut('broken', fast);
    const warmUp = () => Promise.reject(new Error('channel closed'));
    const systems = [{ ...broken, handle: { ...broken.handle, warmUp } }, virtualSut('sound', fast)];
    const { results } = await runBench(systems, settings, controls);
    expect(results[0]?.invalidReasons[0]).toBe(
      'broken failed: channel closed (0 of 4 rounds were measured whole)',
    );
    expect(results[1]?.valid).toBe(true);
  });

  it('gives up a system that falls silent', async () => {
    const events: string[] = [];
    const silent = virtualSut('silent', fast, events);
    const systems = [{ ...silent, handle: { ...silent.handle, round: () => new Promise<never>(() => {}) } }];
    const brief = { ...settings, maxDurationSeconds: 0.04, graceSeconds: 0.01 };
    const { results } = await runBench(systems, brief, controls);
    expect(results[0]?.invalidReasons[0]).toMatch(/^silent completed nothing for 0 s and was ended/);
    expect(events).toContain('kill silent');
  });

  it('keeps a measurement whose system only failed to end', async () => {
    const events: string[] = [];
    const stuck = virtualSut('stuck', fast, events);
    const finish = () => Promise.resolve(err(problem('worker-died', 'gone')));
    const { results } = await runBench(
      [{ ...stuck, handle: { ...stuck.handle, finish } }],
      settings,
      controls,
    );
    expect(results).toMatchObject([{ valid: true, peakRssBytes: null }]);
    expect(events.at(-1)).toBe('kill stuck');
  });

  it('kills every system when cancelled and returns what there is', async () => {
    const events: string[] = [];
    const cancel = new AbortController();
    const a = virtualSut('a', fast, events);
    const round: typeof a.handle.round = (spec, onRuns) => {
      if (spec.index < 2) return a.handle.round(spec, onRuns);
      cancel.abort();
      return new Promise<never>(() => {});
    };
    const systems = [{ ...a, handle: { ...a.handle, round } }, virtualSut('b', fast, events)];
    const run = await runBench(systems, settings, { ...controls, signal: cancel.signal });
    expect(run.cancelled).toBe(true);
    expect(run.results[0]).toMatchObject({ valid: false, queries: 200 });
    expect(run.results[0]?.invalidReasons[0]).toMatch(/^The benchmark was cancelled/);
    expect(events.filter((event) => event.startsWith('kill'))).toEqual(
      expect.arrayContaining(['kill a', 'kill b']),
    );
  });

  it('stops a slow system at the largest duration instead of giving it every turn', async () => {
    const run = await runBench(
      [virtualSut('slow', () => 900_000_000)],
      { ...settings, maxDurationSeconds: 1.5 },
      controls,
    );
    expect(run.results[0]).toMatchObject({ queries: 2, valid: false });
  });

  it('reports progress between turns, at most once a second, and at the end', async () => {
    let nowNs = 0n;
    const clock = { nowNs: () => nowNs, wallMs: () => 0 };
    const reports: { atNs: bigint; progress: BenchProgress }[] = [];
    let measuring = false;
    const system = virtualSut('a', fast);
    const round: typeof system.handle.round = async (spec, onRuns) => {
      measuring = true;
      nowNs += 400_000_000n;
      const result = await system.handle.round(spec, onRuns);
      measuring = false;
      return result;
    };
    const onProgress = (progress: BenchProgress) => {
      expect(measuring).toBe(false);
      reports.push({ atNs: nowNs, progress });
    };
    const systems = [{ ...system, handle: { ...system.handle, round } }];
    await runBench(systems, { ...settings, rounds: 10 }, { clock, onProgress });
    expect(reports.map(({ atNs }) => atNs / 1_000_000n)).toEqual([0n, 1200n, 2400n, 3600n, 4000n]);
    expect(reports.at(-1)?.progress).toMatchObject({ completedTurns: 11, totalTurns: 11 });
    expect(reports[1]?.progress).toEqual({
      stage: 'measure',
      variant: 'a',
      completedTurns: 4,
      totalTurns: 11,
    });
  });
});
