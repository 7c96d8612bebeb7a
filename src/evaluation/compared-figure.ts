import type { PairedCounts } from './paired.ts';
import { clopperPearsonInterval, type Interval } from './proportion.ts';
import type { PairedBootstrap } from './statistics/paired-bootstrap.ts';
import type { MetricInfo } from './task.ts';

/** One metric of both models, in the metric's own unit; null is what could not be told. */
export interface ComparedFigure extends MetricInfo {
  readonly value: number | null;
  readonly interval: Interval | null;
  readonly reference: number | null;
  readonly referenceInterval: Interval | null;
  /** How much worse the candidate is: positive is a loss, whichever way the metric points. */
  readonly loss: number | null;
  readonly lossInterval: Interval | null;
}

/** @param exact counts of right and wrong answers, where the metric is the share of right ones: intervals are exact then */
export function describeFigure(
  metric: MetricInfo,
  spread: PairedBootstrap,
  exact: PairedCounts | undefined,
): ComparedFigure {
  const exactInterval = (alone: 'referenceOnly' | 'candidateOnly') => {
    if (exact === undefined) return undefined;
    const n = exact.bothRight + exact.referenceOnly + exact.candidateOnly + exact.bothWrong;
    return clopperPearsonInterval(exact.bothRight + exact[alone], n, spread.confidence);
  };
  return {
    ...metric,
    value: spread.candidate,
    interval: exactInterval('candidateOnly') ?? spread.candidateInterval,
    reference: spread.reference,
    referenceInterval: exactInterval('referenceOnly') ?? spread.referenceInterval,
    loss: spread.loss,
    lossInterval: spread.lossInterval,
  };
}

/** The figures of classifiers under the names by which everybody looks for them. */
export function topFigures(figures: readonly ComparedFigure[]) {
  const top1 = figures.find(({ name }) => name === 'top1');
  const top5 = figures.find(({ name }) => name === 'top5');
  if (top1?.value == null || top1.reference === null) return {};
  return {
    top1: top1.value,
    top1Interval: top1.interval,
    ...(top5?.value == null ? {} : { top5: top5.value }),
    reference: {
      top1: top1.reference,
      top1Interval: top1.referenceInterval,
      ...(top5?.reference == null ? {} : { top5: top5.reference }),
    },
  };
}
