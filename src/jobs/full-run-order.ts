import type { Profile } from '../config/profile.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { RunOrder } from './orders.ts';
import { changedParts, type RunBasis, type RunReason } from './run-basis.ts';

/** Full runs of one model wait at the same time only where people ordered different ones. */
const FEW = 20;

/** Queues a full run for a reason of the daemon's own, unless one of the model waits already, which is then the result. Throws where the store cannot. */
export function queueFullRun(
  store: Pick<Store, 'listRuns' | 'createRun'>,
  model: string,
  of: { readonly reasons: readonly RunReason[]; readonly basis: RunBasis },
): Run {
  const request: RunOrder = { kind: 'pipeline', ...of };
  const waiting = store.listRuns({ model, kind: 'pipeline', state: 'queued', limit: FEW });
  // One that may expire before its turn is none to rely on.
  const relied = waiting.find(({ deadlineMs }) => deadlineMs === undefined);
  return relied ?? store.createRun({ kind: 'pipeline', model, request, priority: 'low' });
}

/**
 * What a full run that begins is noted to be made from: what changed while it waited is no reason for another. Undefined where what is noted
 * holds, and for runs of other kinds.
 */
export async function requestWithBasis(
  { request }: Pick<Run, 'request'>,
  profile: Profile,
  basisOf: (profile: Profile) => Promise<RunBasis>,
): Promise<unknown> {
  const order = request as RunOrder;
  // A bug in what was stored is the run's failure.
  if (order?.kind !== 'pipeline') return undefined;
  const basis = await basisOf(profile);
  const isNoted = order.basis !== undefined && changedParts(order.basis, basis).length === 0;
  return isNoted ? undefined : { ...order, basis };
}
