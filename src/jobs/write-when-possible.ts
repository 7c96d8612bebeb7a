import { setTimeout } from 'node:timers/promises';
import type { Logger } from '../core/log.ts';
import { attempt } from '../core/problem.ts';

export interface WriteControls {
  readonly logger: Logger;
  /** How long to wait before it is tried again. */
  readonly retryMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/**
 * Writes to the store, again and again while its disk does not take it: what is finished is not lost to a disk that is full for a
 * while. Undefined where the signal came first. Throws whatever is no matter of the disk.
 */
export async function writeWhenPossible<T>(
  write: () => T,
  { logger, retryMs, signal }: WriteControls,
): Promise<T | undefined> {
  for (let tries = 0; ; tries += 1) {
    const written = attempt(write);
    if (written.ok) return written.value;
    if (tries === 0) logger.error(written.error.message, { ...written.error, retryMs });
    if (signal.aborted) return undefined;
    await setTimeout(retryMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
