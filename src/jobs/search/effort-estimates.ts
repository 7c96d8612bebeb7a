import type { CandidateEffort } from '../../quantization/search/candidates.ts';

/** How long candidates take to make, from those that were made. */
export interface EffortEstimates {
  note(effort: CandidateEffort, seconds: number): void;
  /** Undefined where nothing is known to go by. */
  of(effort: CandidateEffort): number | undefined;
  total(efforts: readonly CandidateEffort[]): number | undefined;
}

/** What an effort costs, in times of a plain candidate, until one of its kind was made; measured on four models. */
const TIMES_OF_PLAIN: Readonly<Record<CandidateEffort, number>> = { plain: 1, fast: 8, full: 12, mixed: 16 };

export function createEstimates(): EffortEstimates {
  const noted = new Map<CandidateEffort, number[]>();
  const of = (effort: CandidateEffort): number | undefined => {
    const own = noted.get(effort);
    if (own !== undefined) return median(own);
    for (const [known, seconds] of noted) {
      return (median(seconds) * TIMES_OF_PLAIN[effort]) / TIMES_OF_PLAIN[known];
    }
    return undefined;
  };
  return {
    note: (effort, seconds) => noted.set(effort, [...(noted.get(effort) ?? []), seconds]),
    of,
    total: (efforts) => {
      const each = efforts.map(of);
      return each.includes(undefined) ? undefined : each.reduce<number>((sum, one) => sum + (one ?? 0), 0);
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
