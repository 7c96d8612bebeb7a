import type { Random } from '../../src/benchmark/random.ts';

/** The share of answers that stay, over many draws: its mean, and what 9 of 10 draws lie within. */
export interface NoisyAgreement {
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
}

const DRAWS = 300;
/** So many standard deviations below the best, a class does not become the best. */
const OUT_OF_REACH = 9;

/**
 * How many answers stay when Gaussian noise of a given SQNR is added to scores: what a model of that SQNR is to be expected to have,
 * whatever its noise comes of, and how far that varies by chance alone.
 * @param scores of each sample, one a class
 */
export function agreementUnderNoise(
  scores: readonly Float32Array[],
  sqnrDb: number,
  random: Random,
): NoisyAgreement {
  const values = scores.reduce((count, of) => count + of.length, 0);
  const energy = scores.reduce((sum, of) => sum + of.reduce((within, value) => within + value * value, 0), 0);
  const deviation = Math.sqrt((energy / values) * 10 ** (-sqnrDb / 10));
  const margins = scores.map((of) => marginsOf(of, OUT_OF_REACH * deviation));
  const shares = Array.from({ length: DRAWS }, () => {
    const kept = margins.filter((below) => staysBest(below, deviation, random)).length;
    return kept / margins.length;
  }).sort((a, b) => a - b);
  const at = (share: number) => shares[Math.round(share * (DRAWS - 1))] as number;
  return { mean: shares.reduce((sum, share) => sum + share, 0) / DRAWS, lower: at(0.05), upper: at(0.95) };
}

/** How far the other classes lie below the best one, as far as they can be reached. */
function marginsOf(scores: Float32Array, reach: number): readonly number[] {
  const best = scores.reduce((highest, value, at) => (value > (scores[highest] as number) ? at : highest), 0);
  const top = scores[best] as number;
  return [...scores].flatMap((value, at) => (at !== best && top - value < reach ? [top - value] : []));
}

function staysBest(below: readonly number[], deviation: number, random: Random): boolean {
  const own = deviation * gaussian(random);
  return below.every((margin) => deviation * gaussian(random) < margin + own);
}

/** By Box and Muller. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
