import { findPeaks, type PeakProgress } from '../benchmark/find-peaks.ts';
import type { PeakResult } from '../benchmark/peak-result.ts';
import type { PeakSettings } from '../benchmark/peak-settings.ts';
import { type BenchDeps, lockHost } from './bench-variants.ts';
import { type BenchRequest, startVariant } from './variant-sut.ts';

export interface PeakRequest extends Omit<BenchRequest, 'settings' | 'batch'> {
  readonly settings: PeakSettings;
}

export interface PeakDeps extends Pick<BenchDeps, 'host' | 'clock' | 'signal' | 'onWaiting' | 'waitSeconds'> {
  readonly onProgress?: (progress: PeakProgress) => void;
}

/**
 * The peak rates of variants, each in one process for its whole search, which has this host's benchmark lock.
 * Throws `ProblemError` as `benchVariants` does.
 */
export async function findPeakRates(request: PeakRequest, deps: PeakDeps): Promise<readonly PeakResult[]> {
  const { settings, ...rest } = request;
  const lock = await lockHost(request, deps);
  const started = request.variants.map((variant) =>
    startVariant({ ...rest, settings: settings.bench }, variant, deps.host),
  );
  try {
    return await findPeaks(
      started.map(({ sut }) => sut),
      settings,
      {
        clock: deps.clock,
        ...(deps.signal === undefined ? {} : { signal: deps.signal }),
        ...(deps.onProgress === undefined ? {} : { onProgress: deps.onProgress }),
      },
    );
  } finally {
    await Promise.all(started.map(({ sut }) => sut.handle.close()));
    lock?.release();
  }
}
