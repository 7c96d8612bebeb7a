import type { BenchRequest, Client, ClientProblem, Run, RunEvent } from '../client/client.ts';
import type { FanOut, FleetAgent } from './fleet-agent.ts';
import { inParallel } from './in-parallel.ts';

/** What came of a benchmark on one agent. */
export type BenchOutcome =
  | { readonly agent: string; readonly outcome: 'ended'; readonly runs: readonly [Run, ...Run[]] }
  /** It could not be ordered, or not be followed to its end. */
  | {
      readonly agent: string;
      readonly outcome: 'failed';
      readonly problem: ClientProblem;
      readonly run?: Run;
    }
  | { readonly agent: string; readonly outcome: 'without-model' };

export interface BenchFleetContext extends FanOut {
  /** So many times, one after the other; 1 unless given. */
  readonly repeat?: number;
  readonly onEvent?: (agent: string, event: RunEvent) => void;
  readonly onOrdered?: (agent: string, run: Run) => void;
  /** Fires when the user wants it to end: runs under way are cancelled, and no more are ordered. */
  readonly signal: AbortSignal;
}

/**
 * Orders the same benchmark of every agent that has the model, and waits for all of them. What one agent does has no part in what becomes of
 * the others.
 */
export function benchFleet(
  agents: readonly FleetAgent[],
  order: BenchRequest,
  context: BenchFleetContext,
): Promise<readonly BenchOutcome[]> {
  return inParallel(agents, context.parallel, (agent) => benchAgent(agent, order, context));
}

/** The first run that does not succeed is the last one of its agent. */
async function benchAgent(
  agent: FleetAgent,
  order: BenchRequest,
  context: BenchFleetContext,
): Promise<BenchOutcome> {
  const { repeat = 1, signal } = context;
  const first = await benchOnce(agent, order, context);
  if (first.outcome !== 'ended') return first;
  const runs: [Run, ...Run[]] = [...first.runs];
  while (runs.length < repeat && runs.at(-1)?.state === 'succeeded' && !signal.aborted) {
    const next = await benchOnce(agent, order, context);
    if (next.outcome !== 'ended') return next;
    runs.push(...next.runs);
  }
  return { ...first, runs };
}

async function benchOnce(
  { target: { name: agent, note }, client }: FleetAgent,
  order: BenchRequest,
  { signal, onEvent, onOrdered }: BenchFleetContext,
): Promise<BenchOutcome> {
  if (client === null) {
    const message = note ?? 'it has no address';
    return { agent, outcome: 'failed', problem: { kind: 'daemon-unreachable', message } };
  }
  if (signal.aborted) {
    const problem = { kind: 'cancelled', message: 'it was cancelled before it was ordered' };
    return { agent, outcome: 'failed', problem };
  }
  const ordered = await client.bench(order);
  if (!ordered.ok) {
    return ordered.error.kind === 'unknown-model'
      ? { agent, outcome: 'without-model' }
      : { agent, outcome: 'failed', problem: ordered.error };
  }
  onOrdered?.(agent, ordered.value);
  const ended = await followed(client, ordered.value.id, signal, (event) => onEvent?.(agent, event));
  return ended.ok
    ? { agent, outcome: 'ended', runs: [ended.value] }
    : { agent, outcome: 'failed', problem: ended.error, run: ordered.value };
}

async function followed(
  client: Client,
  id: string,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): ReturnType<Client['follow']> {
  // One that ended meanwhile is told as it ended.
  const cancel = () => void client.cancelRun(id);
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  const ended = await client.follow(id, { onEvent });
  signal.removeEventListener('abort', cancel);
  return ended;
}
