import type { Problem } from '../core/problem.ts';

/** What the process tells its caller. */
export const EXIT = {
  done: 0,
  /** A verdict or a gate failed. */
  verdictFailed: 1,
  /** Bad usage or bad input. */
  badInput: 2,
  /** A fault of this program, or a worker that died. */
  fault: 3,
  /** Ended by Ctrl-C, as shells number it. */
  interrupted: 130,
} as const;

const FAULTS: ReadonlySet<string> = new Set([
  'internal-fault',
  'worker-crashed',
  'worker-killed',
  'memory-limit-exceeded',
]);

export function exitCodeOf({ kind }: Problem): number {
  if (kind === 'cancelled' || kind === 'bench-cancelled') return EXIT.interrupted;
  return FAULTS.has(kind) ? EXIT.fault : EXIT.badInput;
}
