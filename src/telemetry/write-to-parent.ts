import { writeSync } from 'node:fs';
import { SNAPSHOTS_DESCRIPTOR } from './sampler-messages.ts';

/** Writes a line to the parent process. Waits while the pipe is full: what is not sampled meanwhile is counted as missed. */
export function writeToParent(line: string): void {
  const bytes = Buffer.from(line);
  try {
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(SNAPSHOTS_DESCRIPTOR, bytes, written);
    }
  } catch (error) {
    // A parent that has gone is noticed by its channel, with which this process ends.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
}
