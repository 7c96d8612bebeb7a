import { type Fold, growthOf, shareOf } from './steps.ts';

/** The paging counters of a snapshot. */
export interface SummedPaging {
  readonly swappedInPages?: number;
  readonly swappedOutPages?: number;
  readonly majorFaults?: number;
}

/** Pages of the host. Where pages are swapped in, times are those of a disk. */
export type PagingSummary = SummedPaging;

const COUNTERS = ['swappedInPages', 'swappedOutPages', 'majorFaults'] as const;

export function createPagingFold(): Fold<SummedPaging, PagingSummary> {
  const grown: Partial<Record<(typeof COUNTERS)[number], number>> = {};
  return {
    step(step) {
      for (const name of COUNTERS) {
        const [from, to] = [step.from.value[name], step.to.value[name]];
        if (from === undefined || to === undefined) continue;
        grown[name] = (grown[name] ?? 0) + shareOf(step) * growthOf(from, to);
      }
    },
    finish() {
      const whole = Object.entries(grown).map(([name, pages]) => [name, Math.round(pages)]);
      return whole.length === 0 ? undefined : (Object.fromEntries(whole) as PagingSummary);
    },
  };
}
