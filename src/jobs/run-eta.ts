import type { RunDurations } from '../store/run-durations.ts';
import type { Run } from '../store/runs.ts';
import { type DurationEstimate, estimateRun } from './estimate-run.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { RunOrder } from './orders.ts';

/** When a run is expected to be over, and how that is known. */
export interface RunEta {
  readonly etaSeconds: number;
  readonly etaBasis: DurationEstimate['basis'];
}

/**
 * Estimates when a run that waits or is under way is over: what is left of the one under way, those before it, and its own.
 * Undefined where one of these is not known, and where the run takes longer than was expected.
 */
export function runEta(
  run: Pick<Run, 'id' | 'state'>,
  {
    store,
    models,
    nowMs,
  }: { readonly store: RunDurations; readonly models: Pick<ModelRegistry, 'get'>; readonly nowMs: number },
): RunEta | undefined {
  if (run.state !== 'queued' && run.state !== 'running') return undefined;
  let seconds = 0;
  let etaBasis: RunEta['etaBasis'] = 'history';
  for (const one of store.unfinishedRuns()) {
    const profile = models.get(one.model);
    const estimate = profile === undefined ? undefined : estimateRun(profile, one.request as RunOrder, store);
    if (estimate === undefined) return undefined;
    const { startedMs } = one;
    const elapsed = one.state === 'running' && startedMs !== undefined ? (nowMs - startedMs) / 1e3 : 0;
    const left = estimate.seconds - elapsed;
    // How much longer what is late will take is anybody's guess, for itself and for those behind it.
    if (left < 0) return undefined;
    seconds += left;
    if (estimate.basis === 'plan') etaBasis = 'plan';
    if (one.id === run.id) return { etaSeconds: Math.ceil(seconds), etaBasis };
  }
  return undefined;
}
