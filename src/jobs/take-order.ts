import type { Profile } from '../config/profile.ts';
import { digestText } from '../core/digest.ts';
import { toJson } from '../core/json.ts';
import { attempt, type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Priority } from '../core/run-terms.ts';
import type { OrderKey } from '../store/order-keys.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { registeredModel } from './model-registry.ts';
import { mistakeIn, type RunOrder } from './orders.ts';

/** An order as it came. */
export interface IncomingOrder {
  readonly model: string;
  readonly order: RunOrder;
  /** `normal` unless given. */
  readonly priority?: Priority;
  /** It is given up when it is not over so long after it came. */
  readonly deadlineSeconds?: number;
  /** What its sender calls it. */
  readonly key?: string;
}

type OrderStore = Pick<Store, 'createRun' | 'countRuns' | 'findOrder' | 'getRun' | 'joinRun' | 'listRuns'>;

const MAX_QUEUED = 100;

/**
 * Makes a queued run of an order. One that comes again under its key is not carried out again: the run that it led to is
 * the answer, in whatever state that is. One that wants the same as an order that waits is joined with that (see `equalWaiting`).
 * Problems: `unknown-model`, `unknown-variant`, `unknown-suite`, `queue-full`, `key-used-otherwise`, `store-not-written`.
 * @param nowMs of the wall clock
 */
export function takeOrder(
  incoming: IncomingOrder,
  profiles: Pick<ReadonlyMap<string, Profile>, 'get' | 'keys'>,
  store: OrderStore,
  nowMs: number,
): Result<Run, Problem> {
  const { model, order, priority = 'normal', deadlineSeconds, key: name } = incoming;
  const key = name === undefined ? undefined : { key: name, digest: digestOf(incoming) };
  const known = key === undefined ? undefined : runUnder(key, store);
  if (known !== undefined) return known;
  const registered = registeredModel(profiles, model);
  if (!registered.ok) return registered;
  const profile = registered.value;
  const mistake = mistakeIn(order, profile);
  if (mistake !== undefined) return err(mistake);
  const named = key === undefined ? {} : { key };
  const waiting = deadlineSeconds === undefined ? equalWaiting(incoming, store) : undefined;
  if (waiting !== undefined) {
    const joined = attempt(() => store.joinRun(waiting.id, { priority, ...named }));
    if (!joined.ok) return joined;
    if (joined.value.ok) return joined.value;
  }
  if ((store.countRuns().queued ?? 0) >= MAX_QUEUED) {
    return err(problem('queue-full', `${MAX_QUEUED} runs are waiting already`, { hint: 'try again later' }));
  }
  return attempt(() =>
    store.createRun({
      ...{ kind: order.kind, model, request: order, priority, resumes: true },
      ...(deadlineSeconds === undefined ? {} : { deadlineMs: Math.round(nowMs + deadlineSeconds * 1e3) }),
      ...named,
    }),
  );
}

function digestOf({ key: _key, ...asked }: IncomingOrder): string {
  return digestText(toJson(asked));
}

/**
 * An order that waits and gives the same result as another: whoever makes or judges variants wants that done, not done twice. A benchmark is never one
 * of them, as another measurement is another fact, and whatever has a deadline stands for itself.
 */
function equalWaiting({ model, order }: IncomingOrder, store: OrderStore): Run | undefined {
  if (order.kind === 'bench') return undefined;
  const wanted = wishOf(order);
  return store
    .listRuns({ model, kind: order.kind, state: 'queued', limit: MAX_QUEUED })
    .find(({ request, deadlineMs }) => deadlineMs === undefined && wishOf(request as RunOrder) === wanted);
}

/** What only says why it was ordered, and when. */
const REASONS = new Set(['reasons', 'basis']);

/** Equal for orders that want the same, in whatever order they name it. */
function wishOf(order: RunOrder): string {
  const fields = Object.entries(order).filter(([name]) => !REASONS.has(name));
  const sorted = fields.map(([name, value]) => [name, Array.isArray(value) ? value.toSorted() : value]);
  return toJson(sorted.sort(([one], [other]) => (one < other ? -1 : 1)));
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
