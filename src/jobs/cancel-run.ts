import { attempt, type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isEnded } from '../core/run-terms.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { CurrentRun } from './run-queue.ts';

/**
 * Ends a run: one that waits at once, the one under way as soon as its processes are gone. One that is cancelled already stays so. The
 * result is the run as it is then. Problems: `unknown-run`, `run-ended`, `store-not-written`.
 * @param current the run under way
 */
export function cancelRun(
  id: string,
  current: CurrentRun | undefined,
  store: Pick<Store, 'getRun' | 'cancelRun'>,
): Result<Run, Problem> {
  const run = store.getRun(id);
  if (run === undefined) return err(problem('unknown-run', `there is no run '${id}'`));
  if (run.state === 'cancelled') return ok(run);
  if (isEnded(run)) {
    return err(
      problem('run-ended', `the run is over: it is ${run.state}`, { hint: 'GET it for its result' }),
    );
  }
  if (current?.id === id) {
    current.cancelling = true;
    current.abort.abort();
    return ok(run);
  }
  const cancelled = attempt(() => store.cancelRun(id));
  if (!cancelled.ok) return cancelled;
  return ok(store.getRun(id) ?? run);
}
