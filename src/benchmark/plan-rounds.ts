import type { ArrivalProcess } from './load/arrivals.ts';
import type { RoundLoad, RoundSpec } from './round.ts';
import type { BenchSettings } from './settings.ts';

/** What the warm-ups showed, which the load depends on. Runs of the model per second. */
export interface KnownSpeed {
  /** Of the variant whose round it is. */
  readonly queriesPerSecond: number;
  /** Of the base. A schedule is the same for every variant. */
  readonly baseQueriesPerSecond: number;
}

// MLPerf makes the offline query a tenth larger than the expected rate asks for, so that it does not end too soon.
const RUN_COUNT_SLACK = 1.1;

/** MLPerf's size of an offline query: enough runs to last `minDurationNs` at the rate seen in the warm-up. */
export function offlineRunCount(
  minRuns: number,
  minDurationNs: number,
  expectedRunsPerSecond: number,
): number {
  return Math.max(1, minRuns, Math.ceil((RUN_COUNT_SLACK * minDurationNs * expectedRunsPerSecond) / 1e9));
}

/** One variant's share of the settings for one round. */
export function roundSpec(
  settings: BenchSettings,
  index: number,
  takesTurns: boolean,
  speed: KnownSpeed,
): RoundSpec {
  // One query that outlasts the lead-in feels little of cold caches, and a lead-in would double the cost of its round.
  const needsLeadIn = takesTurns && speed.queriesPerSecond * settings.leadInSeconds >= 1;
  return {
    index,
    scenario: settings.scenario,
    seed: settings.seed + index,
    leadInDurationNs: needsLeadIn ? settings.leadInSeconds * 1e9 : 0,
    load: loadOf(settings, speed),
  };
}

function loadOf(settings: BenchSettings, speed: KnownSpeed): RoundLoad {
  const minDurationNs = (settings.minDurationSeconds * 1e9) / settings.rounds;
  const maxDurationNs = (settings.maxDurationSeconds * 1e9) / settings.rounds;
  const minQueries = Math.ceil(settings.minQueries / settings.rounds);
  const limits = { minQueries, minDurationNs, maxDurationNs };
  const scheduled = (arrivals: ArrivalProcess): RoundLoad => ({
    kind: 'scheduled',
    arrivals,
    length: { durationNs: minDurationNs, minQueries },
    maxDurationNs,
  });
  switch (settings.scenario) {
    case 'single-stream':
    case 'closed-loop':
      return { kind: 'closed', limits };
    case 'multi-stream':
      return { kind: 'grouped', samplesPerQuery: settings.samplesPerQuery, limits };
    case 'offline': {
      const runCount = offlineRunCount(minQueries, minDurationNs, speed.queriesPerSecond);
      return { kind: 'at-once', runCount, maxDurationNs };
    }
    case 'server':
      return scheduled({ kind: 'poisson', ratePerSecond: offeredRate(settings, speed) });
    case 'constant-rate':
      return scheduled({ kind: 'constant', ratePerSecond: offeredRate(settings, speed) });
    case 'ramp': {
      const toPerSecond = offeredRate(settings, speed);
      return scheduled({ kind: 'ramp', fromPerSecond: settings.rampFromPerSecond ?? 0, toPerSecond });
    }
    case 'replay':
      return scheduled(settings.trace ?? { kind: 'trace', dueNs: Float64Array.of(0) });
  }
}

/** The rate that is asked for, or a share of what the base can do. */
function offeredRate({ ratePerSecond, capacityShare }: BenchSettings, speed: KnownSpeed): number {
  return ratePerSecond ?? capacityShare * speed.baseQueriesPerSecond;
}
