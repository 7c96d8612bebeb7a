import { attempt } from '../../core/problem.ts';
import { type ExportDeps, expectModel, restoreMetrics, seriesOf } from '../exported-results.ts';
import type { ModelChanges, ModelRegistry } from '../model-registry.ts';
import { orphanedOrder } from './orphaned-orders.ts';

const MOST_WAITING = 1000;

/** Shows of each model what it has now: nothing of one that is gone, and no variant or suite that its profile has no more. */
export function showModels(
  { added, removed, changed }: ModelChanges,
  models: Pick<ModelRegistry, 'get'>,
  deps: ExportDeps,
): void {
  for (const name of removed) deps.metrics.forgetModel(name);
  for (const name of changed) {
    const profile = models.get(name);
    if (profile === undefined) continue;
    deps.metrics.forgetModel(name, seriesOf(profile));
    expectModel(deps, profile);
  }
  for (const name of added) {
    const profile = models.get(name);
    if (profile !== undefined) restoreMetrics(deps, profile);
  }
}

/**
 * Ends the orders that wait and cannot be carried out any more, because their model, a variant or the suite is not registered.
 * Returns the ids of these runs. One that the disk does not let be written fails when its turn comes.
 */
export function failOrphans(
  models: Pick<ModelRegistry, 'get'>,
  { store, logger }: Pick<ExportDeps, 'store' | 'logger'>,
): readonly string[] {
  const ids: string[] = [];
  for (const run of store.listRuns({ state: 'queued', limit: MOST_WAITING })) {
    const reason = orphanedOrder(run, models);
    if (reason === undefined) continue;
    const failed = attempt(() => store.failRun(run.id, reason));
    if (!failed.ok) continue;
    ids.push(run.id);
    logger.warn('an order cannot be carried out any more', { run: run.id, model: run.model, ...reason });
  }
  return ids;
}
