import type { Profile } from '../config/profile.ts';
import { digestText } from '../core/digest.ts';
import { toJson } from '../core/json.ts';
import { attempt, type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { OrderKey, Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { type BenchOrder, mistakeIn } from './orders.ts';

/** An order as it came. */
export interface IncomingOrder {
  readonly model: string;
  readonly order: BenchOrder;
  /** What its sender calls it. */
  readonly key?: string;
}

const MAX_QUEUED = 100;

/**
 * Makes a queued run of an order. One that comes again under its key is not carried out again: the run that it led to is
 * the answer, in whatever state that is. Problems: `unknown-model`, `unknown-variant`, `unknown-suite`, `queue-full`,
 * `key-used-otherwise`, `store-not-written`.
 */
export function takeOrder(
  { model, order, key }: IncomingOrder,
  profiles: Pick<ReadonlyMap<string, Profile>, 'get' | 'keys'>,
  store: Pick<Store, 'createRun' | 'countRuns' | 'findOrder' | 'getRun'>,
): Result<Run, Problem> {
  const named = key === undefined ? undefined : { key, digest: digestText(toJson({ model, order })) };
  const known = named === undefined ? undefined : runUnder(named, store);
  if (known !== undefined) return known;
  const profile = profiles.get(model);
  if (profile === undefined) {
    return err(
      problem('unknown-model', `no model '${model}' is registered`, {
        place: { field: '/model' },
        hint: `registered are: ${[...profiles.keys()].join(', ') || 'none'}`,
      }),
    );
  }
  const mistake = mistakeIn(order, profile);
  if (mistake !== undefined) return err(mistake);
  if ((store.countRuns().queued ?? 0) >= MAX_QUEUED) {
    return err(problem('queue-full', `${MAX_QUEUED} runs are waiting already`, { hint: 'try again later' }));
  }
  return attempt(() =>
    store.createRun({ kind: 'bench', model, request: order, ...(named === undefined ? {} : { key: named }) }),
  );
}

/** The run that was ordered under a key; undefined where nothing was. */
function runUnder(
  { key, digest }: OrderKey,
  store: Pick<Store, 'findOrder' | 'getRun'>,
): Result<Run, Problem> | undefined {
  const known = store.findOrder(key);
  if (known === undefined) return undefined;
  if (known.digest !== digest) {
    return err(
      problem('key-used-otherwise', 'something else was ordered under this Idempotency-Key', {
        hint: 'give every order a key of its own, and send it again unchanged',
      }),
    );
  }
  const run = store.getRun(known.runId);
  return run === undefined ? undefined : ok(run);
}
