import { type BenchProgress, type BenchRun, runBench } from '../benchmark/controller.ts';
import type { Clock } from '../core/clock.ts';
import { type BenchRequest, startVariant } from './variant-sut.ts';
import type { WorkerHost, WorkerProcess } from './worker-process.ts';

export interface BenchDeps {
  readonly host: WorkerHost;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Cancels the rest as soon as one variant's process ends, for those who need all or nothing. */
  readonly stopAtFirstFailure?: boolean;
  readonly onProgress?: (progress: BenchProgress) => void;
}

/**
 * Benchmarks variants against one another, each in a process of its own so that memory and a crash are its own, in
 * interleaved rounds. The first variant is the base of the speed-ups.
 */
export async function benchVariants(request: BenchRequest, deps: BenchDeps): Promise<BenchRun> {
  const workers: WorkerProcess[] = [];
  const failed = new AbortController();
  const suts = request.variants.map((variant) => {
    const { sut, worker } = startVariant(request, variant, deps.host);
    workers.push(worker);
    if (deps.stopAtFirstFailure === true) void worker.exited.then(() => failed.abort());
    return sut;
  });
  try {
    return await runBench(suts, request.settings, {
      clock: deps.clock,
      signal: deps.signal === undefined ? failed.signal : AbortSignal.any([deps.signal, failed.signal]),
      ...(deps.onProgress === undefined ? {} : { onProgress: deps.onProgress }),
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}
