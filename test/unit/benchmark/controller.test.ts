import { describe, expect, it } from 'vitest';
import { type BenchControls, type BenchProgress, runBench } from '../../../src/benchmark/controller.ts';
import type { BenchSettings } from '../../../src/benchmark/settings.ts';
import type { WarmUpSpec } from '../../../src/benchmark/steady-state.ts';
import type { NamedSut } from '../../../src/benchmark/sut-handle.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import { settingsOf, startedOnce, virtualContestant, virtualSut } from './fakes.ts';

const settings = settingsOf({
  rounds: 4,
  processes: 1,
  minDurationSeconds: 0.4,
  minQueries: 100,
  warmUpWindowSeconds: 0.01,
  leadInSeconds: 0.005,
});
const controls = { clock: systemClock };
const fast = () => 1_000_000;
const slow = () => 2_000_000;

/** Each system in one process, for all of its rounds. */
function bench(suts: readonly NamedSut[], of: BenchSettings, given: BenchControls) {
  return runBench(suts.map(startedOnce), of, given);
}

describe('runBench', () => {
  it('measures known service times and says how much faster one is', async () => {
    const run = await bench([virtualSut('fp32', slow), virtualSut('int8', fast)], settings, controls);
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

  it('says that a trace was captured meanwhile, which makes all that it measured invalid', async () => {
    const asked: bigint[] = [];
    const wasCaptured = (startNs: bigint, endNs: bigint) => {
      asked.push(endNs - startNs);
      return true;
    };
    const run = await bench([virtualSut('fp32', slow), virtualSut('int8', fast)], settings, {
      ...controls,
      wasCaptured,
    });
    expect(run.results.map(({ valid }) => valid)).toEqual([false, false]);
    expect(run.results[0]?.invalidReasons).toEqual([expect.stringContaining('A trace was captured')]);
    expect(run.results[0]?.queries).toBe(200);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeGreaterThan(0n);
    const calm = await bench([virtualSut('fp32', slow)], settings, { ...controls, wasCaptured: () => false });
    expect(calm.results[0]?.valid).toBe(true);
  });

  it('warms all up, interleaves, then finishes all', async () => {
    const events: string[] = [];
    await bench([virtualSut('a', fast, events), virtualSut('b', fast, events)], settings, controls);
    expect(events.slice(0, 2).sort()).toEqual(['warm-up a', 'warm-up b']);
    const turns = events
      .slice(2, 10)
      .map((event) => event.at(-1))
      .join('');
    expect(['abbabaab', 'baababba']).toContain(turns);
    expect(events.slice(10, 12).sort()).toEqual(['finish a', 'finish b']);
    expect(events.slice(12).sort()).toEqual(['close a', 'close b']);
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
    await bench([watched('alone', fast)], settings, controls);
    await bench([watched('short', fast), watched('long', () => 6_000_000)], settings, controls);
    expect(leadIns).toEqual({ alone: 0, short: 5_000_000, long: 0 });
  });

  it('measures samples per second offline', async () => {
    const offline = { ...settings, scenario: 'offline' } as const;
    const { results } = await bench([virtualSut('int8', fast)], offline, controls);
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
    const { results, speedUps } = await bench(systems, settings, controls);
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
    const { results } = await bench(systems, settings, controls);
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
    const { results } = await bench(systems, brief, controls);
    expect(results[0]?.invalidReasons[0]).toMatch(/^silent completed nothing for 0 s and was ended/);
    expect(events).toContain('kill silent');
  });

  it('keeps a measurement whose system only failed to end', async () => {
    const events: string[] = [];
    const stuck = virtualSut('stuck', fast, events);
    const finish = () => Promise.resolve(err(problem('worker-died', 'gone')));
    const { results } = await bench([{ ...stuck, handle: { ...stuck.handle, finish } }], settings, controls);
    expect(results).toMatchObject([{ valid: true, peakRssBytes: null }]);
    expect(events.slice(-2)).toEqual(['kill stuck', 'close stuck']);
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
    const run = await bench(systems, settings, { ...controls, signal: cancel.signal });
    expect(run.cancelled).toBe(true);
    expect(run.results[0]).toMatchObject({ valid: false, queries: 200 });
    expect(run.results[0]?.invalidReasons[0]).toMatch(/^The benchmark was cancelled/);
    expect(events.filter((event) => event.startsWith('kill'))).toEqual(
      expect.arrayContaining(['kill a', 'kill b']),
    );
  });

  it('stops a slow system at the largest duration instead of giving it every turn', async () => {
    const run = await bench(
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
    await bench(systems, { ...settings, rounds: 10 }, { clock, onProgress });
    expect(reports.map(({ atNs }) => atNs / 1_000_000n)).toEqual([0n, 1200n, 2400n, 3600n, 4000n]);
    expect(reports.at(-1)?.progress).toMatchObject({ completedTurns: 11, totalTurns: 11 });
    expect(reports[1]?.progress).toEqual({
      stage: 'measure',
      variant: 'a',
      completedTurns: 4,
      totalTurns: 11,
    });
  });

  it('gives every variant fresh processes between blocks of rounds', async () => {
    const events: string[] = [];
    const contestants = ['a', 'b'].map((name) => virtualContestant(name, () => fast, events));
    const run = await runBench(contestants, { ...settings, rounds: 6, processes: 3 }, controls);
    const perBlock = events.length / 3;
    for (let block = 0; block < 3; block++) {
      const ofBlock = events.slice(block * perBlock, (block + 1) * perBlock).map((event) => event.split(' '));
      expect(ofBlock.map(([verb]) => verb).join(' ')).toBe(
        'warm-up warm-up round round round round finish finish close close',
      );
      const rounds = ofBlock.filter(([verb]) => verb === 'round').map(([, index]) => Number(index));
      expect(rounds).toEqual([2 * block, 2 * block, 2 * block + 1, 2 * block + 1]);
    }
    const firsts = [0, 1, 2].map((block) => events[block * perBlock]);
    expect(new Set(firsts).size).toBe(2);
    expect(run.results[0]?.rounds.map(({ process }) => process)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(run.results[0]).toMatchObject({ valid: true, queries: 402 });
    expect(run.speedUps).toMatchObject([{ pairedRounds: 6, pairedProcesses: 3 }]);
  });

  it('takes what processes have for life for scatter, not for a difference', async () => {
    // Rounds of one process agree to the nanosecond; the processes of either variant differ by 4 %.
    const speeds = [1, 1.04, 1.02, 1.03];
    const contestantOf = (name: string, shift: number) =>
      virtualContestant(name, (process) => () => 1e6 * (speeds[(process + shift) % 4] as number));
    const run = await runBench(
      [contestantOf('a', 0), contestantOf('b', 1)],
      { ...settings, rounds: 4, processes: 4 },
      controls,
    );
    expect(run.speedUps).toMatchObject([{ outcome: 'not-distinguished', pairedProcesses: 4 }]);
  });

  it('does not start a failed variant again, nor anything where all is wanted or nothing', async () => {
    const events: string[] = [];
    const failing = () => {
      const sut = virtualSut('broken', fast, events);
      return { ...sut.handle, warmUp: async () => err(problem('sut-failed', 'no memory')) };
    };
    const contestants = () => {
      events.length = 0;
      return [
        { identity: virtualSut('broken', fast).identity, start: failing },
        virtualContestant('sound', () => fast, events),
      ];
    };
    const several = { ...settings, processes: 4 };
    const run = await runBench(contestants(), several, controls);
    expect(events.filter((event) => event === 'close broken')).toHaveLength(1);
    expect(run.results).toMatchObject([
      { valid: false, queries: 0 },
      { valid: true, queries: 400 },
    ]);
    const stopped = await runBench(contestants(), several, { ...controls, stopAtFirstFailure: true });
    expect(events.filter((event) => event.startsWith('round'))).toEqual([]);
    expect(stopped.records[0]?.failure?.message).toBe('no memory');
  });

  it('warms later processes up in shorter windows, and for less long', async () => {
    const specs: WarmUpSpec[] = [];
    const start = () => {
      const { handle } = virtualSut('a', fast);
      const warmUp: typeof handle.warmUp = (spec, onAlive) => {
        specs.push(spec);
        return handle.warmUp(spec, onAlive);
      };
      return { ...handle, warmUp };
    };
    const { identity } = virtualSut('a', fast);
    const several = { ...settings, processes: 3, warmUpWindowSeconds: 0.01, maxWarmUpSeconds: 1 };
    await runBench([{ identity, start }], several, controls);
    expect(specs.map(({ windowDurationNs }) => windowDurationNs)).toEqual([1e7, 4e6, 4e6]);
    expect(specs.map(({ maxDurationNs }) => maxDurationNs)).toEqual([1e9, 4e8, 4e8]);
  });

  it('traces each variant once, in its last process, when its rounds are measured', async () => {
    const events: string[] = [];
    const watched = (variant: string) => {
      const { identity, start } = virtualContestant(variant, () => fast, events);
      return {
        identity,
        start: () => {
          const handle = start();
          const finish: typeof handle.finish = async (pass) => {
            if (pass !== undefined) events.push(`trace ${pass.queries} ${variant}`);
            const usage = await handle.finish();
            if (pass === undefined || !usage.ok) return usage;
            const cost = {
              queries: 50,
              runs: 50,
              p50Seconds: { traced: 0.0011, untraced: 0.001 },
              costRatio: 1.1,
              examples: [],
            };
            return ok({ ...usage.value, trace: { cost, extraRssBytes: 4096 } });
          };
          return { ...handle, finish };
        },
      };
    };
    const during = async (variant: string, work: () => Promise<void>) => {
      events.push(`watch ${variant}`);
      await work();
      events.push(`watched ${variant}`);
    };
    const twice = { ...settings, processes: 2 };
    const { results } = await runBench([watched('a'), watched('b')], twice, {
      ...controls,
      tracing: { queries: 50, during },
    });
    const ends = events.filter((event) => !event.startsWith('warm-up') && !event.startsWith('close'));
    const ofA = ends.filter((event) => event.endsWith(' a'));
    expect(ofA).toEqual([
      'round 0 a',
      'round 1 a',
      'finish a',
      'round 2 a',
      'round 3 a',
      'watch a',
      'trace 50 a',
      'finish a',
      'watched a',
    ]);
    expect(events.filter((event) => event.startsWith('trace'))).toHaveLength(2);
    expect(results).toMatchObject([
      { queries: 400, trace: { queries: 50, costRatio: 1.1, extraRssBytes: 4096 } },
      { queries: 400, trace: { queries: 50 } },
    ]);
  });
});
