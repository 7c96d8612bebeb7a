import { type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import type { RoundSpec } from './round.ts';
import type { RoundTotals } from './round-result.ts';
import type { WarmUpResult, WarmUpSpec } from './steady-state.ts';
import type { TracedPassSpec } from './traced-pass.ts';
import type { LoadedSut, SutIdentity, SutUsage } from './variant-record.ts';

/** A system under test in a process of its own, seen from the process that drives it. */
export interface SutHandle {
  load(): Promise<Result<LoadedSut, Problem>>;
  /** @param onAlive told now and then while runs complete */
  warmUp(spec: WarmUpSpec, onAlive: () => void): Promise<Result<WarmUpResult, Problem>>;
  /** @param onRuns given the finished runs in pieces, also those before a failure */
  round(spec: RoundSpec, onRuns: (chunk: Float64Array) => void): Promise<Result<RoundTotals, Problem>>;
  /**
   * Asks for the usage and lets the process end.
   * @param pass what to trace once the usage is read
   * @param onAlive told now and then meanwhile
   */
  finish(pass?: TracedPassSpec, onAlive?: () => void): Promise<Result<SutUsage, Problem>>;
  /** Asks to end the load under way once the runs that it is at are complete; its answer then comes as always. */
  stop(): void;
  /** Ends the process at once. May come at any time, also after it has ended. */
  kill(): void;
  /** As `kill`; resolves when the process is gone. */
  close(): Promise<void>;
}

/** A handle with the name of what it runs. */
export interface NamedSut {
  readonly identity: SutIdentity;
  readonly handle: SutHandle;
}

/** What can be started as often as is wanted, each time as a process of its own that nothing is left in of the one before. */
export interface Contestant {
  readonly identity: SutIdentity;
  start(): SutHandle;
}

export interface Patience {
  /** How long a system may be silent. It is heard when it answers, and when runs complete. */
  readonly graceSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** How long a load that was asked to stop may take to end. */
const STOP_SECONDS = 2;

/**
 * Waits for an answer of a system under test as long as it shows signs of life. Once cancelled, it asks the system to stop
 * and waits a little longer, so that what is measured so far is not lost. A rejection becomes a problem of that one system, so
 * that the others go on. Problems: `bench-cancelled`, `sut-timed-out`, `sut-failed`, and those of the system.
 * @param ask gets a function that tells that the system is alive
 */
export async function answerOf<T>(
  { identity, handle }: NamedSut,
  ask: (onAlive: () => void) => Promise<Result<T, Problem>>,
  { graceSeconds, signal }: Patience,
): Promise<Result<T, Problem>> {
  if (signal?.aborted === true) return err(cancelled());
  const { promise: cutShort, resolve: cutShortBy } = deferred<Result<T, Problem>>();
  const giveUp = () => cutShortBy(timedOut(identity.variant, graceSeconds));
  let timer = setTimeout(giveUp, graceSeconds * 1000);
  const onAlive = () => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, graceSeconds * 1000);
  };
  const onAbort = () => {
    handle.stop();
    clearTimeout(timer);
    timer = setTimeout(() => cutShortBy(err(cancelled())), STOP_SECONDS * 1000);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const answer = await Promise.race([cutShort, ask(onAlive)]);
    // Ctrl-C in a terminal goes to the system, too, and may end it before it can answer.
    return !answer.ok && signal?.aborted ? err(cancelled()) : answer;
  } catch (error) {
    return err(signal?.aborted ? cancelled() : asProblem(identity.variant, error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

export function cancelled(): Problem<'bench-cancelled'> {
  return problem('bench-cancelled', 'The benchmark was cancelled');
}

function timedOut(name: string, graceSeconds: number) {
  return err(
    problem('sut-timed-out', `${name} completed nothing for ${graceSeconds.toFixed(0)} s and was ended`, {
      hint: 'where one query takes that long, allow more with --grace, or use a smaller input',
    }),
  );
}

function asProblem(name: string, error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return problem('sut-failed', `${name} failed: ${detail}`);
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
