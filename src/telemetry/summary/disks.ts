import type { DiskReading } from '../collectors/disks.ts';
import { type Fold, growthOrReset, type Step, secondsWithin, shareOf } from './steps.ts';

/** All disks of the host together. */
export interface DisksSummary {
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly readBytesPerSecond: number;
  readonly writtenBytesPerSecond: number;
  /** Requests in flight, averaged over time. */
  readonly meanQueueDepth: number;
}

export function createDisksFold(): Fold<readonly DiskReading[], DisksSummary> {
  let readBytes = 0;
  let writtenBytes = 0;
  let requestSeconds = 0;
  let seconds = 0;
  return {
    step(step) {
      seconds += secondsWithin(step);
      readBytes += growth(step, (disk) => disk.readBytes);
      writtenBytes += growth(step, (disk) => disk.writtenBytes);
      requestSeconds += growth(step, (disk) => disk.weightedIoTimeSeconds);
    },
    finish() {
      if (seconds === 0) return undefined;
      return {
        readBytes: Math.round(readBytes),
        writtenBytes: Math.round(writtenBytes),
        readBytesPerSecond: readBytes / seconds,
        writtenBytesPerSecond: writtenBytes / seconds,
        meanQueueDepth: requestSeconds / seconds,
      };
    },
  };
}

function growth(step: Step<readonly DiskReading[]>, read: (disk: DiskReading) => number): number {
  return step.to.value.reduce((sum, disk) => {
    const before = step.from.value.find((other) => other.device === disk.device);
    return before === undefined ? sum : sum + shareOf(step) * growthOrReset(read(before), read(disk));
  }, 0);
}
