import type { Scenario } from '../core/bench-terms.ts';
import { concatenated } from './concatenated.ts';
import type { RunRecords } from './load/run-records.ts';
import type { RoundResult } from './round-result.ts';
import { isScheduled } from './scenario.ts';
import { detectSaturation, type Saturation } from './statistics/saturation.ts';
import { type ScheduleFidelity, scheduleFidelity } from './statistics/schedule-fidelity.ts';

/** How queries came and were taken in a scenario with a schedule. */
export interface ScheduleSummary {
  /** Queries per second of the schedule, and of completions: the means over the rounds. Null for single queries. */
  readonly offeredPerSecond: number | null;
  readonly achievedPerSecond: number | null;
  /** How late the generator called queries that were due while a lane was free. */
  readonly lagSeconds: {
    readonly p50: number | null;
    readonly p99: number | null;
    readonly max: number | null;
  };
  /** Share of the queries with a lag above 1 ms. */
  readonly lateRatio: number;
  /** Whether the backlog grew in any round; null where the rounds are too short to tell. */
  readonly saturated: boolean | null;
  /** The fastest growth of a round, queries per second. */
  readonly backlogGrowthPerSecond: number | null;
  /** Sentences: what of it makes the latencies say less than they seem to. */
  readonly problems: readonly string[];
}

/** Null where queries do not come by a schedule or none were measured. */
export function summarizeSchedule(
  rounds: readonly RoundResult[],
  scenario: Scenario,
): ScheduleSummary | null {
  if (!isScheduled(scenario) || rounds.length === 0) return null;
  const all = scheduleFidelity(joined(rounds.map(({ runs }) => runs)));
  const each = rounds.map(({ runs }) => scheduleFidelity(runs));
  const saturations = hasSteadyRate(scenario) ? rounds.map(({ runs }) => detectSaturation(runs)) : [];
  const saturated = isAnySaturated(saturations);
  const growths = saturations.flatMap(({ growthPerSecond }) => growthPerSecond ?? []);
  const backlogGrowthPerSecond = growths.length === 0 ? null : Math.max(...growths);
  return {
    offeredPerSecond: mean(each.map(({ offeredRate }) => offeredRate)),
    achievedPerSecond: mean(each.map(({ achievedRate }) => achievedRate)),
    lagSeconds: { p50: seconds(all.lagP50Ns), p99: seconds(all.lagP99Ns), max: seconds(all.lagMaxNs) },
    lateRatio: all.lateShare,
    saturated,
    backlogGrowthPerSecond,
    problems: [
      ...all.reasons,
      ...(saturated === true ? [saturationSentence(each, backlogGrowthPerSecond)] : []),
    ],
  };
}

/** Whether a backlog that grows means that the system does not keep up, and not that the schedule got faster. */
function hasSteadyRate(scenario: Scenario): boolean {
  return scenario === 'server' || scenario === 'constant-rate';
}

function isAnySaturated(saturations: readonly Saturation[]): boolean | null {
  if (saturations.some(({ saturated }) => saturated === true)) return true;
  return saturations.some(({ saturated }) => saturated === null) || saturations.length === 0 ? null : false;
}

function saturationSentence(rounds: readonly ScheduleFidelity[], growth: number | null): string {
  const rate = (perSecond: number | null) =>
    perSecond === null ? 'an unknown number of' : perSecond.toPrecision(3);
  const offered = mean(rounds.map(({ offeredRate }) => offeredRate));
  return (
    `Saturated: ${rate(offered)} queries a second came and the backlog grew by up to ${rate(growth)} a second, so that ` +
    'the latencies say how long the run was; offer less'
  );
}

function joined(parts: readonly RunRecords[]): RunRecords {
  const join = (column: keyof RunRecords) => concatenated(parts.map((part) => part[column]));
  return {
    run: join('run'),
    dueNs: join('dueNs'),
    readyNs: join('readyNs'),
    startNs: join('startNs'),
    doneNs: join('doneNs'),
  };
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function seconds(ns: number | null): number | null {
  return ns === null ? null : ns / 1e9;
}
