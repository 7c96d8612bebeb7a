import type { MemoryReading } from '../collectors/memory.ts';
import { Gauge } from './gauge.ts';
import type { Fold } from './steps.ts';

/** Memory of the host. */
export interface MemorySummary {
  readonly availableMinBytes: number;
  /** What is not available: of all programs, without the cache that the kernel would give up. */
  readonly usedMeanBytes: number;
  readonly usedPeakBytes: number;
}

export function createMemoryFold(): Fold<MemoryReading, MemorySummary> {
  const available = new Gauge();
  const used = new Gauge();
  return {
    step(step) {
      const { from, to } = step;
      available.add(step, from.value.availableBytes, to.value.availableBytes);
      used.add(step, usedBytes(from.value), usedBytes(to.value));
    },
    finish() {
      const [free, taken] = [available.figures(), used.figures()];
      if (free === undefined || taken === undefined) return undefined;
      return {
        availableMinBytes: Math.round(free.min),
        usedMeanBytes: Math.round(taken.mean),
        usedPeakBytes: Math.round(taken.max),
      };
    },
  };
}

function usedBytes({ totalBytes, availableBytes }: MemoryReading): number {
  return totalBytes - availableBytes;
}
