import { seededRandom, shuffledIndices } from './random.ts';

/** One stretch of measuring: which variant runs in which round. */
export interface RoundSlot {
  readonly round: number;
  readonly variant: number;
}

/** The rounds that are measured before every variant gets a fresh process. */
export interface ProcessBlock {
  readonly process: number;
  /** The order in which the variants are started. */
  readonly startOrder: readonly number[];
  readonly slots: readonly RoundSlot[];
}

/**
 * Divides the rounds of `interleaveRounds` into blocks as equal as can be, each for one set of processes. Which variant is
 * started first changes from block to block in the mirrored way of the rounds, as the first of several processes gets
 * another CPU and another place in memory than those after it.
 *
 * @param processes at most `rounds`
 */
export function planBlocks(
  variantCount: number,
  { rounds, processes, seed }: { readonly rounds: number; readonly processes: number; readonly seed: number },
): ProcessBlock[] {
  const slots = interleaveRounds(variantCount, rounds, seed);
  const starts = interleaveRounds(variantCount, processes, seed + 1);
  return Array.from({ length: processes }, (_, process) => ({
    process,
    startOrder: starts.filter(({ round }) => round === process).map(({ variant }) => variant),
    slots: slots.filter(({ round }) => Math.floor((round * processes) / rounds) === process),
  }));
}

/**
 * The order in which variants take turns. Every round has each variant once. Rounds come in pairs, the second in the
 * mirrored order of the first (A B, B A), so that a steady drift of the host weighs on all alike; the orders are the rows of
 * a Williams design, so that over 2k rounds of k variants each follows each other one equally often.
 *
 * @param variantCount how many variants take turns, k.
 * @param rounds an even number keeps the mirror complete.
 * @param seed decides which variant goes first and the order of the rows.
 */
export function interleaveRounds(variantCount: number, rounds: number, seed: number): RoundSlot[] {
  const random = seededRandom(seed);
  const variants = shuffledIndices(variantCount, random);
  const rows = shuffledIndices(variantCount, random);
  return Array.from({ length: rounds }, (_, round) => {
    const row = rows[Math.floor(round / 2) % variantCount] as number;
    const order = williamsRow(variantCount, row).map((place) => variants[place] as number);
    return (round % 2 === 0 ? order : order.reverse()).map((variant) => ({ round, variant }));
  }).flat();
}

/** Row `row` of Williams' square: 0, 1, k-1, 2, k-2, … shifted by `row`. For odd k the mirrored rows complete the balance. */
function williamsRow(variantCount: number, row: number): number[] {
  return Array.from({ length: variantCount }, (_, column) => {
    const step = column % 2 === 1 ? (column + 1) / 2 : variantCount - column / 2;
    return (step + row) % variantCount;
  });
}
