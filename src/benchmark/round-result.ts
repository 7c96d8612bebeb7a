import type { Scenario } from '../core/bench-terms.ts';
import type { EnergyInterval } from './energy.ts';
import type { HostConditions } from './host-conditions.ts';
import { type RunRecords, toRecords } from './load/run-records.ts';
import { type RoundSpec, runsOf } from './round.ts';
import type { RoundSampling } from './round-sampling.ts';

/** What the process under test tells about a round, beside its runs. */
export interface RoundTotals {
  /** On the clock of `Clock.nowNs`, which all processes of one boot share. */
  readonly startNs: bigint;
  /** Runs that the load had; null where it had no end of its own. */
  readonly plannedRuns: number | null;
  /** User and system CPU time of the process under test during the round. */
  readonly cpuSeconds?: number;
  /** CPU time that anything else on the host took meanwhile (steal included), where it was measured. */
  readonly otherCpuSeconds?: number;
  readonly contextSwitches?: ContextSwitches;
  /** The host right before and right behind the load. */
  readonly conditions?: { readonly before: HostConditions; readonly after: HostConditions };
  readonly energy?: EnergyInterval;
}

/** Of all threads of the process under test. */
export interface ContextSwitches {
  /** It waited for something, such as its next query. */
  readonly voluntary: number;
  /** Something else took its CPU. */
  readonly involuntary: number;
}

/** What one round measured. */
export interface RoundResult extends RoundTotals {
  readonly index: number;
  /** Which of the processes of its variant measured it, from 0. */
  readonly process: number;
  readonly scenario: Scenario;
  readonly durationNs: number;
  /** Samples that were worked through. */
  readonly samples: number;
  /** Per query, in order of issue, from the moment when it was due. Offline, per run of the model inside the one query. */
  readonly latencyNs: Float64Array;
  /** Time at work per query, without waiting. Absent where no query can wait. */
  readonly serviceNs?: Float64Array;
  /** Every run of the model. */
  readonly runs: RunRecords;
  /** Absent where nobody sampled the host. */
  readonly sampling?: RoundSampling;
  /** False where the system failed or was ended in the middle of the round. */
  readonly complete: boolean;
}

/**
 * The measurement of a round from its runs as they came in, also where only a part of them did.
 * @param totals undefined where the system went before it could tell them
 */
export function collectRound(
  spec: RoundSpec,
  chunks: readonly Float64Array[],
  totals: RoundTotals | undefined,
  {
    samplesPerRun,
    askedNs,
    process,
  }: { readonly samplesPerRun: number; readonly askedNs: bigint; readonly process: number },
): RoundResult {
  const runs = toRecords(chunks);
  return {
    ...(totals ?? { startNs: askedNs, plannedRuns: null }),
    index: spec.index,
    process,
    scenario: spec.scenario,
    durationNs: runs.doneNs.reduce((latest, doneNs) => Math.max(latest, doneNs), 0),
    samples: runs.run.length * samplesPerRun,
    ...latenciesOf(spec, runs, samplesPerRun),
    runs,
    complete: totals !== undefined,
  };
}

function latenciesOf({ load }: RoundSpec, runs: RunRecords, samplesPerRun: number) {
  const { dueNs, startNs, doneNs } = runs;
  const since = (from: Float64Array) => doneNs.map((done, run) => done - (from[run] as number));
  switch (load.kind) {
    case 'closed':
    case 'at-once':
      return { latencyNs: since(startNs) };
    case 'scheduled':
      return { latencyNs: since(dueNs), serviceNs: since(startNs) };
    case 'grouped':
      return { latencyNs: queryLatencies(runs, runsOf(load.samplesPerQuery, samplesPerRun)) };
  }
}

/** MLPerf's latency of a query of several samples: that of the last of them. A query that was cut short has none. */
function queryLatencies({ dueNs, doneNs }: RunRecords, runsPerQuery: number): Float64Array {
  return Float64Array.from({ length: Math.floor(dueNs.length / runsPerQuery) }, (_, query) => {
    const first = query * runsPerQuery;
    const done = doneNs.subarray(first, first + runsPerQuery).reduce((latest, ns) => Math.max(latest, ns), 0);
    return done - (dueNs[first] as number);
  });
}
