import { isDeepStrictEqual } from 'node:util';
import type { ItemFacts } from '../core/item.ts';
import { type ComparedFigure, describeFigure, topFigures } from './compared-figure.ts';
import { comparePaired, type PairedComparison, type PairedCounts } from './paired.ts';
import { clopperPearsonInterval, type Interval } from './proportion.ts';
import { judgeLoss } from './statistics/judge-loss.ts';
import { type PairedBootstrap, pairedBootstraps } from './statistics/paired-bootstrap.ts';
import { type PermutationTest, pairedPermutationTest } from './statistics/permutation-test.ts';
import { resamplingUnits } from './statistics/resampling.ts';
import { itemsNeededForLoss } from './statistics/sample-size.ts';
import type { MetricInfo, Task } from './task.ts';
import {
  type AdjustedPValue,
  allowedDrop,
  type Judgement,
  judgeAgainstReference,
  judgeByAgreement,
  judgeByLabels,
  type VerdictSettings,
} from './verdict.ts';

/** What both models answered to one item. */
export interface TalliedItem extends Pick<ItemFacts, 'index' | 'id' | 'group'> {
  readonly reference: unknown;
  readonly candidate: unknown;
}

/** What the loss of the metric that was judged by is known to be, where it is no count of right and wrong answers. */
export interface ResampledLoss {
  readonly metric: string;
  readonly loss: number | null;
  readonly upperBound: number | null;
  readonly standardError: number | null;
  readonly confidence: number;
  readonly replicates: number;
  /** Null where the metric has no value, or compares with the reference, so that there is nothing to swap. */
  readonly test: PermutationTest | null;
}

/** What the answers of two models to the same items give. */
export interface AnswerComparison {
  /** What was judged by: a metric of the task, `agreement`, or `sqnr_db`. */
  readonly metric: string;
  readonly figures: readonly ComparedFigure[];
  /** Of classifiers with labels. */
  readonly top1?: number;
  readonly top1Interval?: Interval | null;
  /** With six classes or more. */
  readonly top5?: number;
  readonly reference?: {
    readonly top1: number;
    readonly top1Interval: Interval | null;
    readonly top5?: number;
  };
  /** Share of the items to which both models give the same answer. */
  readonly agreement: number;
  readonly agreementInterval: Interval;
  /** By who was right, where the metric is a share of right answers and items are independent. */
  readonly paired?: PairedComparison;
  readonly resampled?: ResampledLoss;
  /** The loss that the budget allows, in units of the metric. */
  readonly allowedDrop: number;
  /** How many groups the items are clustered in, where they are. */
  readonly groups?: number;
}

interface Judged {
  readonly comparison: Pick<AnswerComparison, 'metric' | 'allowedDrop' | 'paired' | 'resampled'>;
  /** Of the test that there is a loss; null where nothing was tested. */
  readonly pValue: number | null;
  readonly judge: (adjusted?: AdjustedPValue) => Judgement;
}

/** What is known of a candidate, and what may be said of it alone, or as one of several that are compared. */
export interface ComparedAnswers extends Pick<Judged, 'pValue' | 'judge'> {
  readonly comparison: AnswerComparison;
}

const GROUPS = 'groups (items of one group, such as a recording, are not independent and count as one)';

/** Fixed, so that the same answers always give the same verdict. */
const SEED = 12_345;

/**
 * Compares the answers of two models and judges by the metric of the settings, or by the task's first, or without labels
 * by how many answers were kept. A share of right answers on independent items has the exact test; every other metric,
 * and items in groups, have a permutation test and a bootstrap over items or groups.
 */
export function compareAnswers(
  task: Task<unknown>,
  items: readonly TalliedItem[],
  changed: readonly TalliedItem[],
  settings: VerdictSettings,
): ComparedAnswers {
  const n = items.length;
  const { confidence } = settings;
  const groups = items.some(({ group }) => group !== undefined) ? items.map(({ group }) => group) : undefined;
  const units = resamplingUnits(n, groups).count;
  const spreads = spreadsOf(task, items, groups, confidence);
  const exact = groups === undefined ? countRights(task, items) : undefined;
  const figures = task.metrics.map((metric, position) =>
    describeFigure(metric, spreads[position] as PairedBootstrap, position === 0 ? exact : undefined),
  );
  // Items of a group may all change together, so as many groups count as make up the share of the changed items.
  const changedUnits = Math.ceil((changed.length * units) / n);
  const position = judgedPosition(task, figures, settings);
  const judged =
    position === undefined
      ? judgeKeptAnswers({ changed: changedUnits, units, isGrouped: groups !== undefined }, exact, settings)
      : position === 0 && exact !== undefined
        ? judgeRights(task, exact, settings)
        : judgeResampled(
            task,
            items,
            { position, groups, units, spread: spreads[position] as PairedBootstrap },
            settings,
          );
  return {
    comparison: {
      figures,
      ...topFigures(figures),
      agreement: (n - changed.length) / n,
      agreementInterval: clopperPearsonInterval(units - changedUnits, units, confidence),
      ...(groups === undefined ? {} : { groups: units }),
      ...judged.comparison,
    },
    pValue: judged.pValue,
    judge: judged.judge,
  };
}

function spreadsOf(
  task: Task<unknown>,
  items: readonly TalliedItem[],
  groups: readonly (string | undefined)[] | undefined,
  confidence: number,
): readonly PairedBootstrap[] {
  const reference = items.map((item) => item.reference);
  const candidate = items.map((item) => item.candidate);
  return pairedBootstraps({
    reference: task.measure(reference, reference),
    candidate: task.measure(candidate, reference),
    n: items.length,
    groups,
    metrics: task.metrics,
    seed: SEED,
    confidence,
  });
}

/** The metric to judge by, as its position; undefined where that is how many answers were kept. */
function judgedPosition(
  task: Task<unknown>,
  figures: readonly ComparedFigure[],
  { metric }: VerdictSettings,
): number | undefined {
  if (metric === 'agreement') return undefined;
  const named = task.metrics.findIndex(({ name }) => name === metric);
  if (named >= 0) return named;
  // Without labels the task's own metric has no value.
  return figures[0] === undefined || figures[0].reference === null ? undefined : 0;
}

function judgeKeptAnswers(
  {
    changed,
    units,
    isGrouped,
  }: { readonly changed: number; readonly units: number; readonly isGrouped: boolean },
  exact: PairedCounts | undefined,
  settings: VerdictSettings,
): Judged {
  const paired = exact === undefined ? {} : { paired: comparePaired(exact, settings.confidence) };
  return {
    comparison: { metric: 'agreement', allowedDrop: allowedDrop(settings.budget, 1), ...paired },
    pValue: null,
    judge: () => judgeByAgreement(changed, units, settings, isGrouped ? GROUPS : 'items'),
  };
}

function judgeRights(task: Task<unknown>, exact: PairedCounts, settings: VerdictSettings): Judged {
  const metric = task.metrics[0] as MetricInfo;
  const paired = comparePaired(exact, settings.confidence);
  const reference = (exact.bothRight + exact.referenceOnly) / paired.n;
  return {
    comparison: { metric: metric.name, allowedDrop: allowedDrop(settings.budget, reference), paired },
    pValue: paired.pValue,
    judge: (adjusted) => judgeByLabels(paired, reference, settings, { metric, adjusted }),
  };
}

interface ResampledEvidence {
  readonly position: number;
  readonly groups: readonly (string | undefined)[] | undefined;
  readonly units: number;
  readonly spread: PairedBootstrap;
}

function judgeResampled(
  task: Task<unknown>,
  items: readonly TalliedItem[],
  { position, groups, units, spread }: ResampledEvidence,
  settings: VerdictSettings,
): Judged {
  const metric = task.metrics[position] as MetricInfo;
  const n = items.length;
  const budget = allowedDrop(settings.budget, Math.abs(spread.reference ?? 0));
  const isRelative = task.againstReference || metric.againstReference === true;
  const test = isRelative ? null : swapAnswers(task, items, metric, groups);
  const { lossStandardError, oneMoreChange } = spread;
  const evidence = {
    metric,
    reference: spread.reference,
    candidate: spread.candidate,
    loss: spread.loss,
    lossUpperBound: spread.lossUpperBound,
    budget,
    n,
    ...(groups === undefined ? {} : { groups: units }),
    itemsNeeded:
      lossStandardError === null || oneMoreChange === null || budget === 0
        ? undefined
        : itemsNeededForLoss({ lossStandardError, oneMoreChange, n }, budget, settings),
  };
  return {
    comparison: {
      metric: metric.name,
      allowedDrop: budget,
      resampled: {
        metric: metric.name,
        loss: spread.loss,
        upperBound: spread.lossUpperBound,
        standardError: lossStandardError,
        confidence: spread.confidence,
        replicates: spread.replicates,
        test,
      },
    },
    pValue: test?.pValue ?? null,
    judge: (adjusted) =>
      isRelative
        ? judgeAgainstReference({ ...evidence, lossLowerBound: spread.lossInterval?.lower ?? null }, settings)
        : judgeLoss({ ...evidence, pValue: test?.pValue ?? null, ...adjusted }, settings),
  };
}

function swapAnswers(
  task: Task<unknown>,
  items: readonly TalliedItem[],
  metric: MetricInfo,
  groups: readonly (string | undefined)[] | undefined,
): PermutationTest | null {
  const reference = items.map((item) => item.reference);
  const both = [...reference, ...items.map((item) => item.candidate)];
  return pairedPermutationTest({
    measure: task.measure(both, [...reference, ...reference]),
    n: items.length,
    groups,
    unchanged: Uint8Array.from(items, (item) => Number(isDeepStrictEqual(item.reference, item.candidate))),
    metric,
    seed: SEED,
  });
}

/** Right and wrong of both models; undefined unless all of it is known. */
function countRights({ isRight }: Task<unknown>, items: readonly TalliedItem[]): PairedCounts | undefined {
  if (isRight === undefined) return undefined;
  const counts = { bothRight: 0, referenceOnly: 0, candidateOnly: 0, bothWrong: 0 };
  for (const { reference, candidate } of items) {
    const [ofReference, ofCandidate] = [isRight(reference), isRight(candidate)];
    if (ofReference === undefined || ofCandidate === undefined) return undefined;
    if (ofReference) counts[ofCandidate ? 'bothRight' : 'referenceOnly'] += 1;
    else counts[ofCandidate ? 'candidateOnly' : 'bothWrong'] += 1;
  }
  return counts;
}
