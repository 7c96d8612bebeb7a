import type { Problem } from '../core/problem.ts';

/** A worker that went without an answer: what it had made was not taken over, so that nothing is done twice. */
const DIED: ReadonlySet<string> = new Set(['worker-killed', 'worker-crashed']);

/**
 * Whether a run that ended with a problem could end otherwise when it is begun anew: somebody or the kernel ended a worker, or it
 * crashed. What a worker answers is the same the next time, and a limit that it broke it breaks again.
 */
export function isWorthAnotherAttempt({ kind }: Problem): boolean {
  return DIED.has(kind);
}
