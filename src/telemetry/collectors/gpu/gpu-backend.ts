import type { Result } from '../../../core/result.ts';
import type { CollectProblem, Host } from '../collector.ts';
import type { GpuBackendName, GpusReading } from './gpu-reading.ts';

/** One way to read GPUs. Making it touches nothing; the first `read` opens what it needs. */
export interface GpuBackend {
  readonly name: GpuBackendName;
  /**
   * Reads without waiting for another process. Problems: `absent` when what it reads with is not here or finds no GPU,
   * `unreadable` and `malformed` when it is here and does not work.
   */
  read(host: Host, watchedPids: readonly number[]): Result<GpusReading, GpuProblem>;
  close(): void;
}

/** `isStarting`: it cannot tell yet, so that nothing else is to be tried. */
export type GpuProblem = CollectProblem & { readonly isStarting?: true };
