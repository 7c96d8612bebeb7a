import { runSoak, type SoakResult } from '../benchmark/soak/soak.ts';
import { type HostWait, lockHost } from './bench-variants.ts';
import { residentMemoryBytes } from './memory-limit.ts';
import { type BenchRequest, type NamedModel, startVariant } from './variant-sut.ts';
import type { WorkerHost } from './worker-process.ts';

export interface SoakDeps extends HostWait {
  readonly host: WorkerHost;
  /** @param completedWindows of all models together */
  readonly onProgress?: (variant: string, completedWindows: number, totalWindows: number) => void;
}

/**
 * Soaks one model after another, each in a process of its own, for as long as the settings say; their rounds are its windows.
 * Nobody else benchmarks on the host meanwhile. A model that fails keeps the windows that it got, and the next has its turn.
 * Throws `ProblemError`: `bench-locked` where another benchmark does not end in time, `cancelled` while waiting.
 */
export async function soakModels(request: BenchRequest, deps: SoakDeps): Promise<readonly SoakResult[]> {
  const lock = await lockHost(request, deps);
  try {
    const results: SoakResult[] = [];
    for (const [index, model] of request.variants.entries()) {
      results.push(await soakModel(request, model, index, deps));
      if (deps.signal?.aborted === true) break;
    }
    return results;
  } finally {
    lock?.release();
  }
}

async function soakModel(
  request: BenchRequest,
  model: NamedModel,
  index: number,
  { host, clock, signal, onProgress }: SoakDeps,
): Promise<SoakResult> {
  const { rounds } = request.settings;
  const { sut, worker } = startVariant(request, model, host);
  try {
    return await runSoak(sut, request.settings, {
      clock,
      ...(signal === undefined ? {} : { signal }),
      readRssBytes: () => (worker.pid === undefined ? null : residentMemoryBytes(worker.pid)),
      onWindow: (completed) =>
        onProgress?.(model.variant, index * rounds + completed, request.variants.length * rounds),
    });
  } finally {
    await worker.close();
  }
}
