import { type Problem, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { CollectorName, Readings } from './collectors/all.ts';
import type { CollectProblem, SamplerSource } from './collectors/collector.ts';
import type { RunningCollector } from './running-collector.ts';

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
  /** CPU time of the sampler process since it started, as it was at the first of the snapshots that came together. */
  readonly cpuSeconds: number;
  /** Ticks that were due and not taken since it started. */
  readonly missedTicks: number;
}

/** How a collector fared. */
export function healthOf(
  { name, deadlineMs }: RunningCollector,
  outcome: Result<unknown, CollectProblem>,
  seconds: number,
): CollectorHealth {
  const durationSeconds = wholeMicroseconds(seconds);
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
