import { type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import type { RoundResult, RoundSpec } from './round.ts';
import type { WarmUpResult, WarmUpSpec } from './steady-state.ts';
import type { SutIdentity, SutUsage } from './variant-record.ts';

/** A system under test in a process of its own, seen from the process that drives it. */
export interface SutHandle {
  warmUp(spec: WarmUpSpec): Promise<Result<WarmUpResult, Problem>>;
  round(spec: RoundSpec): Promise<Result<RoundResult, Problem>>;
  /** Asks for the usage and lets the process end. */
  finish(): Promise<Result<SutUsage, Problem>>;
  /** Ends the process at once. May come at any time, also after it has ended. */
  kill(): void;
}

/** A handle with the name of what it runs. */
export interface NamedSut {
  readonly identity: SutIdentity;
  readonly handle: SutHandle;
}

/**
 * Waits for an answer of a system under test, but no longer than `timeoutSeconds` nor past a cancellation. A rejection
 * becomes a problem of that one system, so that the others go on.
 */
export async function answerOf<T>(
  name: string,
  ask: () => Promise<Result<T, Problem>>,
  timeoutSeconds: number,
  signal: AbortSignal | undefined,
): Promise<Result<T, Problem>> {
  if (signal?.aborted === true) return cancelled();
  const { promise: cutShort, resolve: cutShortBy } = deferred<Result<T, Problem>>();
  const timer = setTimeout(() => cutShortBy(timedOut(name, timeoutSeconds)), timeoutSeconds * 1000);
  const onAbort = () => cutShortBy(cancelled());
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([cutShort, ask()]);
  } catch (error) {
    return err(asProblem(name, error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function cancelled() {
  return err(problem('bench-cancelled', 'The benchmark was cancelled'));
}

function timedOut(name: string, timeoutSeconds: number) {
  return err(
    problem('sut-timed-out', `${name} did not answer within ${timeoutSeconds.toFixed(0)} s and was ended`, {
      hint: 'One query may take longer than a whole round: allow a longer grace period or a smaller input.',
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
