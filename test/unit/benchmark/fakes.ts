import type { ComparableResult } from '../../../src/benchmark/compare.ts';
import type { LaneClock } from '../../../src/benchmark/load/lane-clock.ts';
import { runLane } from '../../../src/benchmark/load/lane-loop.ts';
import { createLoadBoard } from '../../../src/benchmark/load/load-board.ts';
import type { RunRecords } from '../../../src/benchmark/load/run-records.ts';
import { createRunRing, takeRuns } from '../../../src/benchmark/load/run-ring.ts';
import type { LoadGenerator } from '../../../src/benchmark/load-generator.ts';
import { mergeOutputChecks } from '../../../src/benchmark/output-check.ts';
import type { RoundResult } from '../../../src/benchmark/round-result.ts';
import { runRound } from '../../../src/benchmark/run-round.ts';
import { type BenchSettings, benchSettings } from '../../../src/benchmark/settings.ts';
import { type WarmUpResult, warmUpUntilSteady } from '../../../src/benchmark/steady-state.ts';
import type { Contestant, NamedSut, SutHandle } from '../../../src/benchmark/sut-handle.ts';
import type { SutIdentity, SutUsage } from '../../../src/benchmark/variant-record.ts';
import { attempt } from '../../../src/core/problem.ts';
import { ok } from '../../../src/core/result.ts';

/** A system of one lane whose n-th run takes `serviceNs(n)`, on a clock that moves only while it works or waits. */
export function virtualSystem(serviceNs: (run: number, sample: number) => number, samplesPerRun = 1) {
  let now = 1_000n;
  const issued: number[] = [];
  const generator: LoadGenerator = {
    laneCount: 1,
    sampleCount: 4,
    samplesPerRun,
    shapeSamples: [0],
    run: async (plan, onRuns) => {
      const startNs = now;
      const clock: LaneClock = {
        nowNs: () => Number(now - startNs),
        waitUntilNs: (dueNs) => {
          const due = startNs + BigInt(Math.ceil(dueNs));
          if (due > now) now = due;
        },
      };
      const run = (sample: number) => {
        now += BigInt(Math.round(serviceNs(issued.length, sample)));
        issued.push(sample);
      };
      const ring = createRunRing(2 ** 16);
      const done = attempt(() =>
        runLane(plan, { board: createLoadBoard(), ring, clock, stage: () => {}, run }),
      );
      onRuns(takeRuns(ring));
      return done.ok ? ok({ startNs }) : done;
    },
  };
  return { generator, issued, nowNs: () => now };
}

/** A virtual system behind the interface that the controller drives. */
export function virtualSut(
  variant: string,
  serviceNs: (run: number) => number,
  events: string[] = [],
): NamedSut {
  const { generator, nowNs } = virtualSystem(serviceNs);
  const { sampleCount, samplesPerRun, laneCount } = generator;
  const handle: SutHandle = {
    load: async () => ok({ sampleCount, samplesPerRun, laneCount, loadSeconds: 0.5, idleEnergy: null }),
    warmUp: (spec, onAlive) => {
      events.push(`warm-up ${variant}`);
      return warmUpUntilSteady(generator, spec, nowNs, onAlive);
    },
    round: (spec, onRuns) => {
      events.push(`round ${spec.index} ${variant}`);
      return runRound(generator, spec, {}, onRuns);
    },
    finish: async () => {
      events.push(`finish ${variant}`);
      return ok({ ...USAGE, peakRssBytes: 64 * 1024 ** 2, cpuSeconds: 3 });
    },
    stop: () => {
      events.push(`stop ${variant}`);
    },
    kill: () => {
      events.push(`kill ${variant}`);
    },
    close: async () => {
      events.push(`close ${variant}`);
    },
  };
  return { identity: identityOf(variant), handle };
}

/** A variant that is started once, as this system. */
export function startedOnce({ identity, handle }: NamedSut): Contestant {
  return { identity, start: () => handle };
}

/** A variant each of whose processes is a virtual system of its own. */
export function virtualContestant(
  variant: string,
  serviceNsOf: (process: number) => (run: number) => number,
  events: string[] = [],
): Contestant {
  let process = 0;
  return {
    identity: identityOf(variant),
    start: () => virtualSut(variant, serviceNsOf(process++), events).handle,
  };
}

export const NOTHING_CHECKED = mergeOutputChecks([]);

/** What a process used, and nothing against it. */
export const USAGE: SutUsage = {
  peakRssBytes: 1_000,
  peakGpuMemoryBytes: null,
  arenaBytes: null,
  cpuSeconds: 9,
  cpus: '0-1',
  placement: { nodesByProvider: { CPUExecutionProvider: 7 }, fellBack: [], isSoftware: false },
  outputCheck: NOTHING_CHECKED,
};

export function identityOf(variant: string): SutIdentity {
  return { model: 'digits', variant, device: 'cpu', provider: 'cpu', threads: 1 };
}

/** A warm-up that came to rest. */
export const STEADY: WarmUpResult = {
  queries: 30,
  durationNs: 3e7,
  steady: true,
  queriesPerSecond: 1000,
  firstRunNs: [2e6],
};

/** Queries one after another, as of a single-stream round. */
export function roundOf(
  index: number,
  latencyNs: readonly number[],
  more: Partial<RoundResult> = {},
): RoundResult {
  return {
    index,
    process: 0,
    scenario: 'single-stream',
    startNs: 0n,
    plannedRuns: null,
    durationNs: latencyNs.reduce((sum, latency) => sum + latency, 0),
    samples: latencyNs.length,
    latencyNs: Float64Array.from(latencyNs),
    runs: backToBack(latencyNs),
    complete: true,
    ...more,
  };
}

function backToBack(latencyNs: readonly number[]): RunRecords {
  let endNs = 0;
  const doneNs = Float64Array.from(latencyNs, (latency) => {
    endNs += latency;
    return endNs;
  });
  const startNs = doneNs.map((done, run) => done - (latencyNs[run] as number));
  return { run: Float64Array.from(latencyNs.keys()), dueNs: startNs, readyNs: startNs, startNs, doneNs };
}

export function settingsOf(given: Partial<BenchSettings>): BenchSettings {
  const settings = benchSettings(given);
  if (!settings.ok) throw new Error(settings.error.message);
  return settings.value;
}

/** Standard normal numbers from uniform ones (Box–Muller). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** What a comparison sees of single-stream rounds with these medians. */
export function comparableOf(
  variant: string,
  mediansNs: readonly number[],
  more: Partial<ComparableResult> = {},
  processes = 1,
): ComparableResult {
  const rounds = mediansNs.map((medianNs, round) => ({
    round,
    process: Math.floor((round * processes) / mediansNs.length),
    durationSeconds: 1,
    queries: 3,
    medianSeconds: medianNs / 1e9,
    throughput: 1e9 / medianNs,
    otherCpuCores: null,
  }));
  return { variant, scenario: 'single-stream', valid: true, rounds, ...more };
}
