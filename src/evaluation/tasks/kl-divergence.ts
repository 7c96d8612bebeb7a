/**
 * The least probability that a candidate is taken to give. A softmax in eight bits gives many classes exactly 0, and one
 * of them that the reference thinks possible would make the divergence infinite.
 */
const LEAST_PROBABILITY = 1e-7;

/** How far the sum of given probabilities may be from 1. */
const SUM_TOLERANCE = 1e-3;

/**
 * Kullback-Leibler divergence KL(reference ‖ candidate) of two vectors of class scores, in nats; 0 for equal ones.
 *
 * The reference decides what both vectors are: if its numbers lie from 0 to 1 and their sum is 1 within 0.001 they are
 * probabilities, and both vectors are divided by their sums after the candidate's numbers were raised to 1e-7 at least.
 * Otherwise they are logits, and the softmax of both is compared; logarithms of probabilities come out right that way.
 *
 * Null where nothing can be told: fewer than two classes, different lengths, or a number that is not finite.
 * Source: S. Kullback and R. A. Leibler, Annals of Mathematical Statistics 22 (1951).
 */
export function klDivergence(reference: ArrayLike<number>, candidate: ArrayLike<number>): number | null {
  if (reference.length < 2 || reference.length !== candidate.length) return null;
  if (!areFinite(reference) || !areFinite(candidate)) return null;
  return areProbabilities(reference)
    ? divergenceOfProbabilities(reference, candidate)
    : divergenceOfLogits(reference, candidate);
}

function areFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i += 1) if (!Number.isFinite(values[i])) return false;
  return true;
}

function areProbabilities(values: ArrayLike<number>): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (value < 0) return false;
    sum += value;
  }
  return Math.abs(sum - 1) <= SUM_TOLERANCE;
}

/** Σ p · ln(p/q), where p and q still have to be divided by their sums P and Q: Σ p · ln(p/q) / P + ln(Q/P). */
function divergenceOfProbabilities(reference: ArrayLike<number>, candidate: ArrayLike<number>): number {
  let referenceSum = 0;
  let candidateSum = 0;
  let sum = 0;
  for (let i = 0; i < reference.length; i += 1) {
    const p = reference[i] as number;
    const q = Math.max(candidate[i] as number, LEAST_PROBABILITY);
    referenceSum += p;
    candidateSum += q;
    if (p > 0) sum += p * Math.log(p / q);
  }
  // Rounding may carry the divergence of nearly equal vectors below 0.
  return Math.max(0, sum / referenceSum + Math.log(candidateSum / referenceSum));
}

function divergenceOfLogits(reference: ArrayLike<number>, candidate: ArrayLike<number>): number {
  const referenceNormalizer = logSumExp(reference);
  const candidateNormalizer = logSumExp(candidate);
  let sum = 0;
  for (let i = 0; i < reference.length; i += 1) {
    const logP = (reference[i] as number) - referenceNormalizer;
    const logQ = (candidate[i] as number) - candidateNormalizer;
    sum += Math.exp(logP) * (logP - logQ);
  }
  return Math.max(0, sum);
}

function logSumExp(values: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i += 1) largest = Math.max(largest, values[i] as number);
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += Math.exp((values[i] as number) - largest);
  return largest + Math.log(sum);
}
