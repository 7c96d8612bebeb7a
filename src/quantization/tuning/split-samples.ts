/** Positions of samples: to find ranges and learn from, and to judge by. */
export interface SampleSplit {
  readonly learn: readonly number[];
  readonly judge: readonly number[];
}

/** How many samples are kept apart to judge by. */
export interface JudgedPart {
  /** Of all samples, from 0 to 1. */
  readonly share: number;
  readonly most: number;
}

const JUDGES_OF_TUNING: JudgedPart = { share: 0.25, most: 64 };

/**
 * Divides samples by what they hold, so that the order in which they come does not matter and that equal samples are on one
 * side: those with the smallest digests judge. Of samples that are all alike none judge.
 * @param digests of each sample's contents, in the order of the samples
 */
export function splitSamples(
  digests: readonly string[],
  { share, most }: JudgedPart = JUDGES_OF_TUNING,
): SampleSplit {
  const sorted = [...digests].sort();
  const wanted = Math.min(most, Math.ceil(digests.length * share));
  const last = sorted[wanted - 1];
  const judges = (digest: string) => last !== undefined && last !== sorted.at(-1) && digest <= last;
  const positions = (wantsJudges: boolean) =>
    digests.flatMap((digest, index) => (judges(digest) === wantsJudges ? [index] : []));
  return { learn: positions(false), judge: positions(true) };
}
