import type { CpuReading } from '../collectors/cpu.ts';
import { type Fold, growthOf, shareOf } from './steps.ts';

/** Shares of all CPUs' time, 0 to 1. CPU time comes in steps of 10 ms, so phases below some 100 ms are coarse. */
export interface CpuSummary {
  /** Neither idle nor waiting for I/O nor stolen. */
  readonly busyRatio: number;
  /** Taken by the hypervisor for others; measurements under steal are not to be trusted. */
  readonly stealRatio: number;
}

type Mode = keyof CpuReading['secondsByMode'];
const BUSY: readonly Mode[] = ['user', 'nice', 'system', 'irq', 'softirq'];
const WAITING: readonly Mode[] = ['idle', 'iowait'];

export function createCpuFold(): Fold<CpuReading, CpuSummary> {
  let busy = 0;
  let steal = 0;
  let waiting = 0;
  return {
    step(step) {
      const { from, to } = step;
      const grown = (modes: readonly Mode[]) =>
        shareOf(step) *
        modes.reduce(
          (sum, mode) => sum + growthOf(from.value.secondsByMode[mode], to.value.secondsByMode[mode]),
          0,
        );
      busy += grown(BUSY);
      steal += grown(['steal']);
      waiting += grown(WAITING);
    },
    finish() {
      const total = busy + steal + waiting;
      return total > 0 ? { busyRatio: busy / total, stealRatio: steal / total } : undefined;
    },
  };
}
