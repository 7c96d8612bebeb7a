import type { Profile } from '../config/profile.ts';
import { asError } from '../core/as-error.ts';
import { logWith } from '../core/log.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import type { Run } from '../store/runs.ts';
import { planOf, type RunOrder } from './orders.ts';
import { type PipelineResult, runPipeline } from './pipeline.ts';
import type { PipelineDeps } from './run-context.ts';

/** Carries out the order of a run. A bug is that run's failure: whoever called goes on. */
export async function runOrder(
  run: Run,
  profile: Profile,
  deps: PipelineDeps,
): Promise<Result<PipelineResult, Problem>> {
  const logger = logWith(deps.logger, { run: run.id, model: run.model });
  deps.live?.runStarted({ id: run.id, model: run.model });
  try {
    return await runPipeline(run.id, profile, planOf(profile, run.request as RunOrder), {
      ...deps,
      logger,
    });
  } catch (error) {
    const thrown = asError(error);
    logger.error('fault in a run', { stack: thrown.stack });
    return err(problem('internal-fault', `a fault in ptq-agent itself: ${thrown.message}`));
  } finally {
    deps.live?.runEnded();
  }
}
