import type { Problem } from '../core/problem.ts';
import type { OutputFidelity } from './fidelity.ts';
import type { IndexList } from './index-list.ts';
import { itemsNeeded, type PairedComparison } from './paired.ts';
import { clopperPearsonUpperBound } from './proportion.ts';

/** What the evidence allows to be said about a candidate. */
export type Verdict = 'non_inferior' | 'degraded_within_budget' | 'regressed' | 'inconclusive' | 'invalid';

/** How much accuracy may be lost. Where both are given the smaller loss counts; where neither is, 1 % relative. */
export interface AccuracyBudget {
  /** As a share of the items: 0.005 is half a percentage point. */
  readonly absolute?: number;
  /** As a share of the reference's accuracy: 0.01 of 76 % is 0.76 percentage points. */
  readonly relative?: number;
}

export interface VerdictSettings {
  /** A loss counts as shown when the exact test's p-value is below this. */
  readonly alpha: number;
  /** Confidence of intervals and of the bounds that must stay below the budget. */
  readonly confidence: number;
  readonly budget: AccuracyBudget;
  /** What is judged by: the right answers where there are labels (the default), or the answers kept whatever the labels. */
  readonly metric?: 'top1' | 'agreement';
  /** For models without class scores: the SQNR of the first output that is good enough, in dB. */
  readonly minSqnrDb?: number;
}

export const DEFAULT_VERDICT_SETTINGS: VerdictSettings = {
  alpha: 0.01,
  confidence: 0.95,
  budget: { relative: 0.01 },
};

export interface Judgement {
  readonly verdict: Verdict;
  /** One or two plain sentences with the figures that decided. */
  readonly reason: string;
}

/** The loss of accuracy that the budget allows, as a share of the items. */
export function allowedDrop(budget: AccuracyBudget, referenceAccuracy: number): number {
  const { absolute, relative } = budget;
  if (absolute === undefined && relative === undefined) return 0.01 * referenceAccuracy;
  return Math.min(
    absolute ?? Number.POSITIVE_INFINITY,
    (relative ?? Number.POSITIVE_INFINITY) * referenceAccuracy,
  );
}

/** What can make an evaluation worthless. */
interface Soundness {
  readonly n: number;
  readonly failed: IndexList;
  readonly firstFailure: Problem | undefined;
  readonly nonFiniteReference: IndexList;
  readonly nonFiniteCandidate: IndexList;
}

/** `invalid` when there is nothing to judge or it is not to be trusted, otherwise undefined. */
export function judgeValidity(soundness: Soundness): Judgement | undefined {
  const { n, failed, firstFailure, nonFiniteReference, nonFiniteCandidate } = soundness;
  const invalid = (reason: string): Judgement => ({ verdict: 'invalid', reason });
  if (failed.count > 0) {
    const cause = firstFailure === undefined ? '' : `: ${firstFailure.message}`;
    return invalid(
      `${failed.count} of ${n + failed.count} items failed, the first is item ${failed.indices[0]}${cause}`,
    );
  }
  if (n === 0) return invalid('no items were evaluated');
  for (const [model, { count, indices }] of [
    ['reference', nonFiniteReference],
    ['candidate', nonFiniteCandidate],
  ] as const) {
    if (count > 0) {
      return invalid(
        `the ${model} gave NaN or infinity on ${count} of ${n} items, the first is item ${indices[0]}`,
      );
    }
  }
  return undefined;
}

/**
 * Judges by right and wrong answers. The first that holds decides:
 * a loss that is shown (p < alpha) and above the budget is `regressed`, one within it `degraded_within_budget`;
 * an upper bound of the loss below the budget is `non_inferior`; anything else is `inconclusive`.
 */
export function judgeByLabels(
  paired: PairedComparison,
  referenceAccuracy: number,
  settings: VerdictSettings,
): Judgement {
  const budget = allowedDrop(settings.budget, referenceAccuracy);
  const change =
    `top-1 went from ${percent(referenceAccuracy)} to ${percent(referenceAccuracy - paired.drop)} on ${paired.n} items ` +
    `(${paired.b} newly wrong, ${paired.c} newly right, p = ${significant(paired.pValue)})`;
  if (paired.pValue < settings.alpha) {
    return paired.drop > budget
      ? {
          verdict: 'regressed',
          reason: `${change}: the loss is real and above the ${points(budget)} allowed`,
        }
      : {
          verdict: 'degraded_within_budget',
          reason: `${change}: the loss is real but within the ${points(budget)} allowed`,
        };
  }
  const limit = paired.dropUpperBound;
  const surely = `with ${percent(paired.confidence)} confidence`;
  if (limit < 0) {
    return { verdict: 'non_inferior', reason: `${change}: ${surely} the gain is above ${points(-limit)}` };
  }
  const bound = `${surely} the loss is below ${points(limit)}`;
  if (limit < budget) {
    return { verdict: 'non_inferior', reason: `${change}: ${bound}, within the ${points(budget)} allowed` };
  }
  return {
    verdict: 'inconclusive',
    reason: `${change}: ${bound}, which is more than the ${points(budget)} allowed. ${advice(paired, budget, settings)}`,
  };
}

/**
 * Judges without labels. Accuracy cannot fall by more than the share of items whose answer changed, so a bound of that
 * share below the budget shows `non_inferior`. More changes than that prove nothing: a changed answer may be a better
 * one, so the other outcome is `inconclusive` and never `regressed`. The reference's answers stand in for the labels,
 * and its accuracy therefore for 100 % where the budget is relative.
 */
export function judgeByAgreement(disagreements: number, n: number, settings: VerdictSettings): Judgement {
  const budget = allowedDrop(settings.budget, 1);
  const bound = clopperPearsonUpperBound(disagreements, n, settings.confidence);
  const change =
    `the answer changed on ${disagreements} of ${n} items; with ${percent(settings.confidence)} confidence ` +
    `it changes on fewer than ${percent(bound)}`;
  if (bound < budget) {
    return {
      verdict: 'non_inferior',
      reason: `${change}, so accuracy cannot fall by more than the ${points(budget)} allowed`,
    };
  }
  const next =
    disagreements / n < budget
      ? 'more items would narrow the bound'
      : 'only labels can tell whether the changes are losses';
  return { verdict: 'inconclusive', reason: `${change}, and ${points(budget)} are allowed: ${next}` };
}

/**
 * Judges outputs that are no class scores. Equal outputs are `non_inferior`; otherwise only a floor that the user set
 * (`minSqnrDb`) decides, as no general one would mean the same for every model.
 */
export function judgeByFidelity(primary: OutputFidelity, settings: VerdictSettings): Judgement {
  const { minSqnrDb } = settings;
  if (primary.identical) {
    return { verdict: 'non_inferior', reason: `'${primary.name}' equals the reference on every item` };
  }
  const measured =
    primary.sqnrDb === null
      ? 'has no SQNR (the reference is zero)'
      : `has an SQNR of ${primary.sqnrDb.toFixed(1)} dB`;
  if (minSqnrDb === undefined) {
    return {
      verdict: 'inconclusive',
      reason: `'${primary.name}' ${measured}, but no floor is set and there are no labels to judge by`,
    };
  }
  return primary.sqnrDb !== null && primary.sqnrDb >= minSqnrDb
    ? {
        verdict: 'non_inferior',
        reason: `'${primary.name}' ${measured}, at least the ${minSqnrDb} dB asked for`,
      }
    : { verdict: 'regressed', reason: `'${primary.name}' ${measured}, below the ${minSqnrDb} dB asked for` };
}

function advice(paired: PairedComparison, budget: number, settings: VerdictSettings): string {
  if (budget === 0) return 'A budget of nothing cannot be shown by any sample.';
  const needed = itemsNeeded(paired.discordance, budget, { confidence: settings.confidence });
  return needed > paired.n
    ? `About ${needed} items would show it if nothing is lost in truth.`
    : 'If nothing were lost in truth this many items should have shown it: a loss near the budget is likely.';
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function points(share: number): string {
  const value = Number((share * 100).toPrecision(3));
  return `${value} percentage ${value === 1 ? 'point' : 'points'}`;
}

function significant(p: number): string {
  return p >= 0.001 ? p.toFixed(3) : p.toExponential(1);
}
