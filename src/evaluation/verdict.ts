import type { Problem } from '../core/problem.ts';
import type { OutputFidelity } from './fidelity.ts';
import type { IndexList } from './index-list.ts';
import { itemsNeeded, type PairedComparison } from './paired.ts';
import { clopperPearsonUpperBound } from './proportion.ts';
import { changeWords, differenceWords, percent, points } from './statistics/figure-words.ts';
import {
  type AdjustedPValue,
  type Judgement,
  judgeLoss,
  type LossEvidence,
} from './statistics/judge-loss.ts';
import type { MetricInfo } from './task.ts';

export type { AdjustedPValue, Judgement, Verdict } from './statistics/judge-loss.ts';

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
  /**
   * What is judged by: a metric of the task, `agreement` (the answers kept, whatever the labels), or `sqnr_db`. Where it
   * is absent the task's first metric where there are labels, otherwise agreement.
   */
  readonly metric?: string;
  /** For models without class scores: the SQNR of the first output that is good enough, in dB. */
  readonly minSqnrDb?: number;
}

export const DEFAULT_VERDICT_SETTINGS: VerdictSettings = {
  alpha: 0.01,
  confidence: 0.95,
  budget: { relative: 0.01 },
};

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

/** Judges by right and wrong answers, with the exact test and its bound; see `judgeLoss`. */
export function judgeByLabels(
  paired: PairedComparison,
  referenceAccuracy: number,
  settings: VerdictSettings,
  {
    metric = { label: 'top-1', unit: 'proportion' },
    adjusted,
  }: {
    readonly metric?: Pick<MetricInfo, 'label' | 'unit'>;
    readonly adjusted?: AdjustedPValue | undefined;
  } = {},
): Judgement {
  const budget = allowedDrop(settings.budget, referenceAccuracy);
  return judgeLoss(
    {
      metric,
      reference: referenceAccuracy,
      candidate: referenceAccuracy - paired.drop,
      loss: paired.drop,
      pValue: paired.pValue,
      lossUpperBound: paired.dropUpperBound,
      budget,
      n: paired.n,
      detail: `${paired.b} newly wrong, ${paired.c} newly right`,
      itemsNeeded: itemsNeeded(paired.discordance, budget, { confidence: settings.confidence }),
      ...adjusted,
    },
    settings,
  );
}

/**
 * Judges without labels. Accuracy cannot fall by more than the share of items whose answer changed, so a bound of that
 * share below the budget shows `non_inferior`. More changes than that prove nothing: a changed answer may be a better
 * one, so the other outcome is `inconclusive` and never `regressed`. The reference's answers stand in for the labels,
 * and its accuracy therefore for 100 % where the budget is relative.
 */
export function judgeByAgreement(
  disagreements: number,
  n: number,
  settings: VerdictSettings,
  /** Of what n counts, and why that is less than the items. */
  units = 'items',
): Judgement {
  const budget = allowedDrop(settings.budget, 1);
  const bound = clopperPearsonUpperBound(disagreements, n, settings.confidence);
  const change =
    `the answer changed on ${disagreements} of ${n} ${units}; with ${percent(settings.confidence)} confidence ` +
    `it changes on fewer than ${percent(bound)}`;
  if (bound < budget) {
    return {
      verdict: 'non_inferior',
      reason: `${change}, so accuracy cannot fall by more than the ${points(budget)} allowed`,
    };
  }
  const next =
    disagreements / n < budget
      ? `more ${units.split(' ')[0]} would narrow the bound`
      : 'only labels can tell whether the changes are losses';
  return { verdict: 'inconclusive', reason: `${change}, and ${points(budget)} are allowed: ${next}` };
}

/**
 * Judges by a figure that compares with the reference, such as how many of its neighbours an embedding keeps. The reference
 * is perfect by it, so that there is a loss needs no proof, only that it is larger than what is allowed: `regressed` where
 * its lower bound is, `non_inferior` where its upper bound is not, otherwise `inconclusive`.
 */
export function judgeAgainstReference(
  evidence: Omit<LossEvidence, 'pValue'> & { readonly lossLowerBound: number | null },
  settings: VerdictSettings,
): Judgement {
  const { metric, candidate, budget, lossLowerBound, lossUpperBound, n } = evidence;
  if (candidate === null || lossUpperBound === null) {
    return { verdict: 'inconclusive', reason: `${metric.label} has no value on these ${n} items` };
  }
  const change = changeWords(metric, evidence.reference ?? 1, candidate);
  const allowed = `the ${differenceWords(metric, budget)} allowed`;
  const surely = `with ${percent(settings.confidence)} confidence`;
  if (lossLowerBound !== null && lossLowerBound > budget) {
    const least = differenceWords(metric, lossLowerBound);
    return {
      verdict: 'regressed',
      reason: `${change} on ${n} items: ${surely} the loss is above ${least}, more than ${allowed}`,
    };
  }
  const bound = `${change} on ${n} items: ${surely} the loss is below ${differenceWords(metric, lossUpperBound)}`;
  return lossUpperBound < budget
    ? { verdict: 'non_inferior', reason: `${bound}, within ${allowed}` }
    : { verdict: 'inconclusive', reason: `${bound}, which is more than ${allowed}` };
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
