import type { ModelEvaluation } from '../jobs/evaluate-task.ts';

/**
 * Whether a verdict fails a gate. `inconclusive` does not: it says that the samples are too few, not that the model is
 * worse.
 */
export function isFailedVerdict(verdict: ModelEvaluation['verdict']): boolean {
  return verdict === 'regressed' || verdict === 'invalid';
}

/** Whether an evaluation fails a gate: by its verdict, or because a model no longer gives the answers that it gave. */
export function hasFailed({ verdict, drift }: Pick<ModelEvaluation, 'verdict' | 'drift'>): boolean {
  return isFailedVerdict(verdict) || drift?.drift === 'answers';
}
