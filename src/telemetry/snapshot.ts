import { type Clock, secondsBetween } from '../core/clock.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import type { Activity } from './activity.ts';
import { type CollectorName, type CollectorTable, collectorNames, type Readings } from './collectors/all.ts';
import {
  type CollectProblem,
  deadlineMsOf,
  type Host,
  type OpenCollector,
  type SamplerSource,
} from './collectors/collector.ts';

/**
 * What one sampler process read on one tick. Readings and health are apart: a collector that failed publishes no reading,
 * never an old one, and its health says why. A collector that was not due has neither.
 */
export interface Snapshot extends Readings {
  /** When the reading began, on the monotonic clock that all processes of one boot share. */
  readonly tickNs: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
  readonly source: SamplerSource;
  readonly health: Readonly<Partial<Record<CollectorName, CollectorHealth>>>;
  readonly sampler: SamplerCost;
}

/**
 * `slow`: it gave its reading, but took longer than its deadline. `down`: it was not asked, as its process does not answer or
 * goes on without it.
 */
export type CollectorHealth =
  | { readonly status: 'ok'; readonly durationSeconds: number }
  | { readonly status: 'slow'; readonly durationSeconds: number; readonly problem: Problem<'collector-slow'> }
  | { readonly status: 'failed'; readonly durationSeconds: number; readonly problem: CollectProblem }
  | { readonly status: 'down'; readonly problem: Problem };

/** What the measuring itself costs and how well it kept its schedule: of one sampler process. */
export interface SamplerCost {
  /** A new pid means a new sampler process, whose counters begin at zero. */
  readonly pid: number;
  readonly intervalMs: number;
  /** CPU time of the sampler process since it started. */
  readonly cpuSeconds: number;
  /** Ticks that were due and not taken since it started. */
  readonly missedTicks: number;
}

/** A collector in the process that runs it. */
export interface RunningCollector {
  readonly name: CollectorName;
  readonly create: () => OpenCollector<unknown>;
  /** Made by the first reading. */
  collect: OpenCollector<unknown> | undefined;
  readonly minIntervalNs: bigint;
  readonly deadlineMs: number;
  lastTickNs: bigint | undefined;
  /** It found nothing to read the last time. */
  isAbsent: boolean;
}

/** What a host does not have it seldom gets: so long it is not looked for again. */
const ABSENT_REST_NS = 10_000_000_000n;

/** The collectors of one process, none of them made yet: making one may hang as reading may. */
export function collectorsOf(table: CollectorTable, source: SamplerSource): readonly RunningCollector[] {
  return collectorNames(table).flatMap((name) => {
    const entry = table[name];
    if (entry?.source !== source) return [];
    const minIntervalNs = BigInt(Math.round((entry.minIntervalMs ?? 0) * 1e6));
    const deadlineMs = deadlineMsOf(entry);
    const { create } = entry;
    return [
      { name, create, collect: undefined, minIntervalNs, deadlineMs, lastTickNs: undefined, isAbsent: false },
    ];
  });
}

export interface SnapshotSources {
  readonly source: SamplerSource;
  readonly collectors: readonly RunningCollector[];
  readonly host: Host;
  readonly watchedPids: readonly number[];
  readonly clock: Clock;
  /** Collectors that are not run. */
  readonly leftOut?: ReadonlySet<CollectorName>;
  /** Told of each collector before it runs. */
  readonly activity?: Activity;
}

/** Runs every collector that is due once; the failure of one does not touch the others. */
export function takeSnapshot(sources: SnapshotSources, sampler: SamplerCost): Snapshot {
  const { source, collectors, host, watchedPids, clock, leftOut, activity } = sources;
  const tickNs = clock.nowNs();
  const wallMs = clock.wallMs();
  const readings: Partial<Record<CollectorName, unknown>> = {};
  const health: Partial<Record<CollectorName, CollectorHealth>> = {};
  for (const collector of collectors) {
    const { name } = collector;
    if (leftOut?.has(name) || !isDue(collector, tickNs, sampler.intervalMs)) continue;
    collector.lastTickNs = tickNs;
    activity?.enter(name);
    const startNs = clock.nowNs();
    const outcome = runCollector(collector, host, watchedPids);
    const durationSeconds = wholeMicroseconds(secondsBetween(startNs, clock.nowNs()));
    collector.isAbsent = !outcome.ok && outcome.error.kind === 'absent';
    if (outcome.ok) readings[name] = outcome.value;
    health[name] = healthOf(collector, outcome, durationSeconds);
  }
  activity?.leave();
  host.files?.sweep();
  return { tickNs, wallMs, source, ...(readings as Readings), health, sampler };
}

function runCollector(
  collector: RunningCollector,
  host: Host,
  watchedPids: readonly number[],
): Result<unknown, CollectProblem> {
  try {
    collector.collect ??= collector.create();
    return collector.collect(host, watchedPids);
  } catch (error) {
    // A fault in one collector must not take those down that share its process.
    const thrown = error instanceof Error ? error.message : String(error);
    return err(problem('internal-fault', `A fault in the collector ${collector.name}: ${thrown}`));
  }
}

function healthOf(
  { name, deadlineMs }: RunningCollector,
  outcome: Result<unknown, CollectProblem>,
  durationSeconds: number,
): CollectorHealth {
  if (!outcome.ok) return { status: 'failed', durationSeconds, problem: outcome.error };
  if (durationSeconds * 1e3 <= deadlineMs) return { status: 'ok', durationSeconds };
  const took = `${(durationSeconds * 1e3).toFixed(1)} ms`;
  return {
    status: 'slow',
    durationSeconds,
    problem: problem(
      'collector-slow',
      `The collector ${name} took ${took}, its deadline is ${deadlineMs} ms.`,
    ),
  };
}

/** What is below a microsecond is noise, and would be a sixth of a timeline. */
function wholeMicroseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

/** When the first of the collectors is due again that are not left out; undefined where there is none. */
export function nextDueNs(
  collectors: readonly RunningCollector[],
  leftOut: ReadonlySet<CollectorName>,
  intervalMs: number,
): bigint | undefined {
  let first: bigint | undefined;
  for (const collector of collectors) {
    if (leftOut.has(collector.name)) continue;
    const dueNs = dueNsOf(collector, intervalMs);
    if (first === undefined || dueNs < first) first = dueNs;
  }
  return first;
}

function isDue(collector: RunningCollector, tickNs: bigint, intervalMs: number): boolean {
  return tickNs >= dueNsOf(collector, intervalMs);
}

function dueNsOf({ lastTickNs, minIntervalNs, isAbsent }: RunningCollector, intervalMs: number): bigint {
  if (lastTickNs === undefined) return 0n;
  const restNs = isAbsent && minIntervalNs < ABSENT_REST_NS ? ABSENT_REST_NS : minIntervalNs;
  // A tick may come a little early by comparison with one that was late; the next would be a whole period too late.
  return lastTickNs + restNs - BigInt(Math.round(intervalMs * 1e6)) / 2n;
}
