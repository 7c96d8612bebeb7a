import type { MetricInfo } from '../task.ts';
import { changeWords, differenceWords, percent, pValueWords } from './figure-words.ts';

/** What the evidence allows to be said about a candidate. */
export type Verdict = 'non_inferior' | 'degraded_within_budget' | 'regressed' | 'inconclusive' | 'invalid';

export interface Judgement {
  readonly verdict: Verdict;
  /** One or two plain sentences with the figures that decided. */
  readonly reason: string;
}

/** A p-value that allows for several comparisons at once, see `holmAdjusted`. */
export interface AdjustedPValue {
  readonly pValue: number;
  /** How many there are. */
  readonly comparisons: number;
}

/** What is known of a loss. Figures, loss, bound and budget are in the metric's unit; null is what could not be told. */
export interface LossEvidence {
  readonly metric: Pick<MetricInfo, 'label' | 'unit'>;
  readonly reference: number | null;
  readonly candidate: number | null;
  /** How much worse the candidate is: positive is a loss. */
  readonly loss: number | null;
  /** One-sided, that there is a loss; adjusted where several comparisons share the level. */
  readonly pValue: number | null;
  /** How many comparisons share the level, where they are several. */
  readonly comparisons?: number;
  /** One-sided, at the confidence of the settings. */
  readonly lossUpperBound: number | null;
  /** The loss that is allowed. */
  readonly budget: number;
  readonly n: number;
  /** How many groups the items are clustered in, where they are. */
  readonly groups?: number;
  /** More about the change, for the reason: `12 newly wrong, 3 newly right`. */
  readonly detail?: string;
  /** Items that would show a loss below the budget if nothing is lost in truth; undefined where it is not known. */
  readonly itemsNeeded: number | undefined;
}

/**
 * The verdict for any metric. The first that holds decides:
 * a loss that is shown (p < alpha) and above the budget is `regressed`, one within it `degraded_within_budget`;
 * an upper bound of the loss below the budget is `non_inferior`; anything else is `inconclusive`.
 */
export function judgeLoss(
  evidence: LossEvidence,
  settings: { readonly alpha: number; readonly confidence: number },
): Judgement {
  const { metric, reference, candidate, loss, pValue, budget } = evidence;
  if (reference === null || candidate === null || loss === null || pValue === null) {
    const model = reference === null ? 'reference' : 'candidate';
    return {
      verdict: 'inconclusive',
      reason: `${metric.label} has no value for the ${model} on these ${itemsOf(evidence)}`,
    };
  }
  const detail = evidence.detail === undefined ? '' : `${evidence.detail}, `;
  const change =
    `${changeWords(metric, reference, candidate)} on ${itemsOf(evidence)} ` +
    `(${detail}p = ${pValueWords(pValue)}${sharing(evidence)})`;
  const allowed = `${differenceWords(metric, budget)} allowed`;
  if (pValue < settings.alpha) {
    return loss > budget
      ? { verdict: 'regressed', reason: `${change}: the loss is real and above the ${allowed}` }
      : {
          verdict: 'degraded_within_budget',
          reason: `${change}: the loss is real but within the ${allowed}`,
        };
  }
  return judgeBound(evidence, change, allowed, percent(settings.confidence));
}

function judgeBound(evidence: LossEvidence, change: string, allowed: string, confidence: string): Judgement {
  const { metric, lossUpperBound: limit, budget } = evidence;
  if (limit === null) {
    return {
      verdict: 'inconclusive',
      reason: `${change}: nothing bounds the loss, as these items tell too little of how it varies. More items would.`,
    };
  }
  const surely = `with ${confidence} confidence`;
  if (limit < 0) {
    const gain = differenceWords(metric, -limit);
    return { verdict: 'non_inferior', reason: `${change}: ${surely} the gain is above ${gain}` };
  }
  const bound = `${surely} the loss is below ${differenceWords(metric, limit)}`;
  if (limit < budget) {
    return { verdict: 'non_inferior', reason: `${change}: ${bound}, within the ${allowed}` };
  }
  return {
    verdict: 'inconclusive',
    reason: `${change}: ${bound}, which is more than the ${allowed}.${advice(evidence)}`,
  };
}

function advice({ budget, itemsNeeded, n }: LossEvidence): string {
  if (budget === 0) return ' A budget of nothing cannot be shown by any sample.';
  if (itemsNeeded === undefined) return '';
  return itemsNeeded > n
    ? ` About ${itemsNeeded} items would show it if nothing is lost in truth.`
    : ' If nothing were lost in truth this many items should have shown it: a loss near the budget is likely.';
}

function sharing({ comparisons = 1 }: LossEvidence): string {
  return comparisons > 1 ? `, adjusted for ${comparisons} comparisons` : '';
}

function itemsOf({ n, groups }: LossEvidence): string {
  if (groups === undefined) return `${n} items`;
  return `${n} items clustered in ${groups} ${groups === 1 ? 'group' : 'groups'}`;
}
