import { type Problem, problem } from '../../core/problem.ts';
import type { Run } from '../../store/runs.ts';
import type { ModelRegistry } from '../model-registry.ts';
import { mistakeIn, type RunOrder } from '../orders.ts';

/** Why a run that waits cannot be carried out as models are registered now; undefined where it can. */
export function orphanedOrder(
  { model, request }: Pick<Run, 'model' | 'request'>,
  models: Pick<ModelRegistry, 'get'>,
): Problem | undefined {
  const profile = models.get(model);
  if (profile === undefined) {
    return problem('unknown-model', `no model '${model}' is registered any more`, {
      hint: 'its profile was removed while the order waited; put it back and order again',
    });
  }
  return mistakeIn(request as RunOrder, profile);
}
