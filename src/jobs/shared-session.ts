import { availableParallelism } from 'node:os';
import { ok, type Result } from '../core/result.ts';
import type { Session, SessionProblem, SessionSettings } from '../runtime/session.ts';
import type { SessionThread } from './session-thread.ts';
import { shareRuns } from './share-runs.ts';
import { type FirstRunsTrace, openTracedSession } from './traced-session.ts';

/** A model that runs in this thread and, where there is one, in a second beside it. */
export interface SharedSession extends Pick<Session, 'inputs' | 'outputs' | 'run' | 'close'> {
  /** Runs to have under way so that neither thread waits for the next. */
  readonly runsAtOnce: number;
}

/** One that runs and one that waits, so that the thread goes on at once. */
const HELPER_PLACES = 2;

/**
 * Loads a model into this thread and into `helper`, each with half of the cores: two samples that are computed side by
 * side take less time than two after another with all cores inside of each operator. `helper` takes part as soon as it
 * has loaded the model, and stays the caller's to close, once no run is under way.
 * @param threads all that there are to use; 0 for every core
 * @param trace what to trace of it; two threads share it out
 * @param more what else to open it with
 */
export async function openSharedSession(
  path: string,
  threads: number,
  helper: SessionThread | undefined,
  trace?: FirstRunsTrace,
  more: Pick<SessionSettings, 'keepsConversions'> = {},
): Promise<Result<SharedSession, SessionProblem>> {
  if (helper === undefined) {
    const session = await openTracedSession(path, { intraOpThreads: threads, ...more }, trace);
    return session.ok ? ok({ ...session.value, runsAtOnce: 1 }) : session;
  }
  const settings = { intraOpThreads: Math.floor(coresFor(threads) / 2), ...more };
  const half = trace === undefined ? undefined : { ...trace, runs: Math.ceil(trace.runs / 2) };
  const ready = helper.open(path, settings, half);
  // What it cannot load, for lack of memory, is run here alone.
  ready.catch(() => {});
  const session = await openTracedSession(path, settings, half);
  if (!session.ok) return session;
  const here = { run: session.value.run, places: 1 };
  const there = { run: helper.run, places: HELPER_PLACES, ready };
  return ok({ ...session.value, run: shareRuns([there, here]), runsAtOnce: HELPER_PLACES + 2 });
}

/** How many cores a number of threads stands for. */
export function coresFor(threads: number): number {
  return threads === 0 ? availableParallelism() : threads;
}
