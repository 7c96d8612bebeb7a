import { systemClock } from '../core/clock.ts';
import type { GpuReading } from '../telemetry/collectors/gpu/gpu-reading.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import { nextSample } from './sample-host.ts';

/** Keeps what processes hold of GPUs at most, from what a sampler reads of them. Must be stopped. */
export interface GpuMemoryWatch {
  /** The sampler must watch the process too, as it tells of no others. */
  readonly addProcess: (pid: number) => void;
  readonly removeProcess: (pid: number) => void;
  /**
   * The most bytes that the process was seen to hold at once so far, over all GPUs. Has the GPUs read once more for it, as a short
   * measurement may lie between two readings. Null where no reading told.
   */
  readonly peakBytes: (pid: number) => Promise<number | null>;
  readonly stop: () => void;
}

export function watchGpuMemory(sampler: Sampler): GpuMemoryWatch {
  const peaks = new Map<number, number | null>();
  const stop = sampler.onSnapshot(({ gpus }) => {
    if (gpus === undefined) return;
    for (const [pid, peak] of peaks) {
      const bytes = heldBytes(gpus.gpus, pid);
      if (bytes !== undefined) peaks.set(pid, Math.max(peak ?? 0, bytes));
    }
  });
  return {
    addProcess: (pid) => void peaks.set(pid, null),
    removeProcess: (pid) => void peaks.delete(pid),
    peakBytes: async (pid) => {
      await nextSample(sampler, { after: systemClock.nowNs(), source: 'gpu' });
      return peaks.get(pid) ?? null;
    },
    stop,
  };
}

/**
 * What a process holds of all GPUs together at the moment of a reading. Undefined where it is listed on none: it may be on one that
 * cannot be read, or in a list that nvidia-smi does not print. Undefined as well where the driver names it and not what it holds, as
 * the rest would be too little.
 */
function heldBytes(gpus: readonly GpuReading[], pid: number): number | undefined {
  const listed = gpus.flatMap(({ processes = [] }) => processes.filter((process) => process.pid === pid));
  if (listed.length === 0) return undefined;
  return listed.reduce<number | undefined>(
    (sum, { usedBytes }) => (sum === undefined || usedBytes === undefined ? undefined : sum + usedBytes),
    0,
  );
}
