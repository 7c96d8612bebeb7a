import type { Logger } from '../core/log.ts';
import { attemptAsync, type Problem, problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import { isEnded } from '../core/run-terms.ts';
import type { Store } from '../store/store.ts';
import { removeTrace } from '../trace/prune-traces.ts';
import type { PipelineResult } from './pipeline.ts';

/**
 * Removes a run that is over: its record, its files, the keys of its orders, and its trace unless somebody reads it. Its artifacts may be those
 * of others; they go when nothing uses them any more. Problems: `unknown-run`, `run-not-ended`, `store-not-written`.
 */
export async function removeRun(
  id: string,
  {
    store,
    logdir,
    reading,
    logger,
  }: {
    readonly store: Pick<Store, 'getRun' | 'removeRun'>;
    /** The folder of traces. */
    readonly logdir: string;
    /** Names of traces that are being read. */
    readonly reading: Iterable<string>;
    readonly logger: Logger;
  },
): Promise<Result<void, Problem>> {
  const run = store.getRun(id);
  if (run === undefined) return err(problem('unknown-run', `there is no run '${id}'`));
  if (!isEnded(run)) {
    return err(
      problem('run-not-ended', `the run is ${run.state}`, {
        hint: 'POST /bench/{id}/cancel ends it; what is over can be removed',
      }),
    );
  }
  const removed = await attemptAsync(() => store.removeRun(id));
  if (!removed.ok) return removed;
  // A result that another version wrote may have a shape of its own.
  const trace = (run.result as Partial<PipelineResult> | null | undefined)?.trace?.run;
  if (typeof trace === 'string' && !new Set(reading).has(trace)) {
    const gone = await removeTrace(logdir, trace);
    if (!gone.ok) logger.warn(`the trace of a removed run stays: ${gone.error.message}`, { trace });
  }
  logger.info('run removed', { run: id, model: run.model });
  return removed;
}
