import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { PipelineOrder } from './orders.ts';
import { changedParts, type RunBasis, type RunReason } from './run-basis.ts';

/**
 * Why a model should be worked through again; empty where nothing speaks for it. A run that failed is not repeated as long as
 * nothing changed, and one that was interrupted is taken up again once.
 * @param runs full runs of the model that have started, the newest first; one is enough
 */
export function reasonsToRun(
  [last]: readonly Pick<Run, 'state' | 'request'>[],
  now: RunBasis,
): readonly RunReason[] {
  if (last === undefined) return ['first'];
  const { basis, reasons = [] } = last.request as Partial<PipelineOrder>;
  // Runs of versions that noted no basis say nothing of what has changed.
  const changed = basis === undefined ? [] : changedParts(basis, now);
  if (changed.length > 0) return changed;
  // One that had another reason is not the second try of whatever was interrupted before it.
  const isSecondTry = reasons.includes('interrupted');
  return last.state === 'interrupted' && !isSecondTry ? ['interrupted'] : [];
}

/** Full runs of a model that have started, the newest first. */
export function lastFullRuns(store: Pick<Store, 'listRuns'>, model: string): readonly Run[] {
  return store
    .listRuns({ model, kind: 'pipeline', limit: FEW })
    .filter(({ startedMs }) => startedMs !== undefined)
    .slice(0, 1);
}

/** Those that were cancelled while they waited are among them. */
const FEW = 20;
