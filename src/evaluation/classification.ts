import type { PairedCounts } from './paired.ts';

/** Position of the largest score, the first of equals as in NumPy; -1 when a score is NaN, as nothing was predicted. */
export function predictedClass(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] as number;
    if (Number.isNaN(score)) return -1;
    if (score > (scores[best] as number)) best = i;
  }
  return best;
}

/** Whether the label is among the `k` largest scores. Of equal scores the first counts as the larger. */
export function isInTop(k: number, scores: ArrayLike<number>, label: number): boolean {
  const own = scores[label] as number;
  let ahead = 0;
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] as number;
    if (Number.isNaN(score)) return false;
    if (score > own || (score === own && i < label)) ahead += 1;
  }
  return ahead < k;
}

/** Top-5 of five classes is always right, so it means something only from six on. */
const TOP5_MIN_CLASSES = 6;

export interface ClassificationTally {
  /** Returns whether the two models predict the same class. Without a label only this is counted. */
  add(reference: ArrayLike<number>, candidate: ArrayLike<number>, label: number | undefined): boolean;
  result(): ClassificationCounts;
}

export interface ClassificationCounts {
  readonly items: number;
  readonly agreed: number;
  /** Right and wrong by the labels; undefined without labels. */
  readonly paired: PairedCounts | undefined;
  /** Items with the label among the five largest scores; undefined without labels or with fewer than six classes. */
  readonly top5: { readonly reference: number; readonly candidate: number } | undefined;
}

/** Counts right answers and agreement, item by item. */
export function tallyClassification(): ClassificationTally {
  let items = 0;
  let agreed = 0;
  let labelled = 0;
  let ranked = 0;
  const paired = { bothRight: 0, referenceOnly: 0, candidateOnly: 0, bothWrong: 0 };
  const top5 = { reference: 0, candidate: 0 };
  return {
    add: (reference, candidate, label) => {
      const expected = predictedClass(reference);
      const predicted = predictedClass(candidate);
      // Two NaN outputs are two failures, not an agreement.
      const same = expected === predicted && predicted !== -1;
      items += 1;
      if (same) agreed += 1;
      if (label === undefined) return same;
      labelled += 1;
      paired[outcome(expected === label, predicted === label)] += 1;
      if (reference.length >= TOP5_MIN_CLASSES) {
        ranked += 1;
        if (isInTop(5, reference, label)) top5.reference += 1;
        if (isInTop(5, candidate, label)) top5.candidate += 1;
      }
      return same;
    },
    result: () => ({
      items,
      agreed,
      paired: labelled === items && items > 0 ? { ...paired } : undefined,
      top5: ranked === items && items > 0 ? { ...top5 } : undefined,
    }),
  };
}

function outcome(referenceRight: boolean, candidateRight: boolean): keyof PairedCounts {
  if (referenceRight) return candidateRight ? 'bothRight' : 'referenceOnly';
  return candidateRight ? 'candidateOnly' : 'bothWrong';
}
