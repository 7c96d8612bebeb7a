import { type BenchResult, summarizeVariant } from './bench-result.ts';
import { concatenated } from './concatenated.ts';
import { percentile, sortedCopy } from './latency-statistics.ts';
import { type Participant, recordOf, type TurnControls, takeTurn } from './participant.ts';
import type { Peak } from './peak-search.ts';
import { type PeakSettings, trialSettings } from './peak-settings.ts';
import { roundSpec } from './plan-rounds.ts';
import type { RoundResult } from './round-result.ts';
import type { ServerVerdict } from './statistics/server-verdict.ts';
import { otherCpuCores } from './validity.ts';

/** What became of the demands at one rate. Only `met` passes. */
export type TrialOutcome = ServerVerdict['outcome'] | 'saturated' | 'unfinished';

/** One measurement of a search, ready for JSON. */
export interface PeakTrialReport {
  /** Queries per second that were asked for, and that came and were worked off. */
  readonly rate: number;
  readonly offeredPerSecond: number | null;
  readonly achievedPerSecond: number | null;
  readonly why: 'widen' | 'bisect' | 'repeat';
  readonly passed: boolean;
  readonly outcome: TrialOutcome;
  /** A sentence with the figures that decided. */
  readonly reason: string;
  readonly queries: number;
  readonly durationSeconds: number;
  /** Whether it took longer than a trial is meant to, so that the rule could decide. */
  readonly extended: boolean;
  readonly p50Seconds: number | null;
  readonly p99Seconds: number | null;
  /** The percentile that is judged. */
  readonly judgedSeconds: number | null;
  /** Why its figures cannot be taken at their word, as sentences; a system that does not keep up is among them. */
  readonly invalidReasons: readonly string[];
}

export interface MeasuredTrial {
  readonly report: PeakTrialReport;
  /** Average cores that anything else took; null where it was not measured. */
  readonly otherCpuCores: number | null;
  /** Whether even the work of the median query takes longer than the bound, so that no rate can be met. */
  readonly hopeless: boolean;
}

/** A search while it goes on. */
export interface PeakSearch {
  readonly participant: Participant;
  readonly trials: MeasuredTrial[];
  /** Queries per second of the closed loop of the warm-up; null where it did not come to that. */
  closedLoopPerSecond: number | null;
  peak: Peak | null;
  /** Why it ended, where that is not the search's own doing. */
  cutShort: 'failure' | 'cancelled' | 'service-time' | null;
}

/** How many times as long a trial may become before `undecided` is its outcome. */
const MOST_ROUNDS = 4;

/**
 * Offers queries at one rate to a system that is warm and judges its response times. While the queries are too few to decide,
 * it goes on, up to four times as long. Null where nothing was measured, as when the system failed or all was cancelled.
 */
export async function measureTrial(
  participant: Participant,
  trial: { readonly rate: number; readonly why: PeakTrialReport['why']; readonly index: number },
  { settings, takesTurns }: { readonly settings: PeakSettings; readonly takesTurns: boolean },
  controls: TurnControls,
): Promise<MeasuredTrial | null> {
  const bench = trialSettings(settings, trial.rate, trial.index);
  const queriesPerSecond = participant.warmUp?.queriesPerSecond ?? 0;
  const speed = { queriesPerSecond, baseQueriesPerSecond: queriesPerSecond };
  const ofTrial: Participant = { ...participant, rounds: [] };
  let result: BenchResult;
  do {
    const spec = roundSpec(bench, ofTrial.rounds.length, takesTurns, speed);
    // Each round has the whole time to itself.
    const turn = { ...ofTrial, rounds: [] as RoundResult[] };
    await takeTurn(turn, spec, bench, controls);
    participant.failure = turn.failure;
    if (turn.failure !== null || turn.rounds.length === 0 || controls.signal?.aborted === true) return null;
    ofTrial.rounds.push(...turn.rounds);
    result = summarizeVariant(recordOf(ofTrial), bench);
  } while (judge(result, ofTrial.rounds).outcome === 'undecided' && ofTrial.rounds.length < MOST_ROUNDS);
  const { rounds } = ofTrial;
  return {
    report: reportOf(trial, result, rounds, settings),
    otherCpuCores: otherCpuCores(rounds),
    hopeless: isHopeless(rounds, settings),
  };
}

function reportOf(
  { rate, why }: Pick<PeakTrialReport, 'rate' | 'why'>,
  result: BenchResult,
  rounds: readonly RoundResult[],
  { bench }: PeakSettings,
): PeakTrialReport {
  const { outcome, reason } = judge(result, rounds);
  const sortedNs = sortedCopy(concatenated(rounds.map(({ latencyNs }) => latencyNs)));
  const judgedNs = percentile(sortedNs, bench.latencyBoundPermille);
  return {
    rate,
    why,
    passed: outcome === 'met',
    outcome,
    reason,
    offeredPerSecond: result.schedule?.offeredPerSecond ?? null,
    achievedPerSecond: result.schedule?.achievedPerSecond ?? null,
    queries: result.queries,
    durationSeconds: result.durationSeconds,
    extended: result.durationSeconds > bench.minDurationSeconds * 1.5,
    p50Seconds: result.latencySeconds?.p50 ?? null,
    p99Seconds: result.latencySeconds?.p99 ?? null,
    judgedSeconds: judgedNs === null ? null : judgedNs / 1e9,
    invalidReasons: result.invalidReasons,
  };
}

function judge(
  { bound, schedule }: BenchResult,
  rounds: readonly RoundResult[],
): Pick<PeakTrialReport, 'outcome' | 'reason'> {
  const planned = rounds.reduce((total, { plannedRuns }) => total + (plannedRuns ?? 0), 0);
  const done = rounds.reduce((total, { runs }) => total + runs.run.length, 0);
  if (done < planned) {
    return {
      outcome: 'unfinished',
      reason: `${planned - done} of ${planned} queries were not worked off when the time was up`,
    };
  }
  if (schedule?.saturated === true) {
    const growth = schedule.backlogGrowthPerSecond?.toPrecision(3) ?? 'some';
    return { outcome: 'saturated', reason: `the backlog grew by up to ${growth} queries a second` };
  }
  return { outcome: bound?.outcome ?? 'undecided', reason: bound?.reason ?? 'nothing was judged' };
}

function isHopeless(rounds: readonly RoundResult[], { bench }: PeakSettings): boolean {
  const serviceNs = sortedCopy(concatenated(rounds.flatMap((round) => round.serviceNs ?? [])));
  const median = percentile(serviceNs, 500);
  return median !== null && median > bench.latencyBoundSeconds * 1e9;
}
