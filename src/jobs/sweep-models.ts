import type { SweepConfiguration } from '../benchmark/sweep/configurations.ts';
import { runSweep, type SweepMeasurements, type SweepProgress } from '../benchmark/sweep/run-sweep.ts';
import type { VariantRecord } from '../benchmark/variant-record.ts';
import { type BenchDeps, benchAlone, lockHost } from './bench-variants.ts';
import type { BenchRequest } from './variant-sut.ts';

export interface SweepRequest extends Omit<BenchRequest, 'variants' | 'threads' | 'batch'> {
  /** Their models are paths. */
  readonly configurations: readonly SweepConfiguration[];
}

export interface SweepDeps
  extends Pick<BenchDeps, 'host' | 'clock' | 'signal' | 'onWaiting' | 'waitSeconds'> {
  readonly onProgress?: (progress: SweepProgress) => void;
}

/**
 * Measures configurations of models, each repetition in a process of its own, one process at a time, with this host's benchmark
 * lock held from the first to the last. Throws `ProblemError` as `benchVariants` does.
 */
export async function sweepModels(request: SweepRequest, deps: SweepDeps): Promise<SweepMeasurements> {
  const { configurations, settings, ...rest } = request;
  const { onProgress, ...bench } = deps;
  const lock = await lockHost(request, deps);
  try {
    return await runSweep(configurations, settings, {
      ...(deps.signal === undefined ? {} : { signal: deps.signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
      measure: async ({ model, threads, batch }, ofRepetition) => {
        const variants = [{ variant: model, path: model }];
        const run = await benchAlone({ ...rest, variants, threads, batch, settings: ofRepetition }, bench);
        return run.records[0] as VariantRecord;
      },
    });
  } finally {
    lock?.release();
  }
}
