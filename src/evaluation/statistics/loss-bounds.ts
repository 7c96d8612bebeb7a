import type { Interval } from '../proportion.ts';
import { normalQuantile } from '../special-functions.ts';
import type { MetricInfo } from '../task.ts';
import { type BootstrapDistribution, bootstrapBound } from './bootstrap-interval.ts';

/** All in the metric's unit; null where nothing bounds the loss. */
export interface LossBounds {
  readonly lossStandardError: number | null;
  readonly lossInterval: Interval | null;
  /** One-sided: the true loss is smaller with the probability of the confidence. */
  readonly lossUpperBound: number | null;
  /** How far one changed unit more than was seen would move the loss. */
  readonly oneMoreChange: number | null;
}

/**
 * Bounds of a loss from its replicates, further away by one changed unit more than was seen, in the root of squares.
 *
 * Replicates know nothing of what did not happen: if two of a thousand answers changed, a replicate draws none of them
 * every seventh time, and if none changed, all replicates agree that none ever will. Counting one change more does for
 * any metric what Agresti and Min's ½ in each cell does for right and wrong answers (see `comparePaired`), and
 * is the same for them up to the replicates' noise. How much a change moves the loss is known from those that were
 * seen. Where none was, it is taken to move a proportion by a whole item, and another figure as much as a usual item
 * does; if that is not known either, nothing bounds the loss.
 *
 * @param reference distribution of the reference's own figure
 */
export function boundLoss(
  losses: BootstrapDistribution,
  reference: BootstrapDistribution,
  { unit }: Pick<MetricInfo, 'unit'>,
  confidence: number,
): LossBounds {
  const { observed, standardError, units } = losses;
  const seen = standardError > 0 && losses.effectiveUnits > 0;
  const usual = unit === 'proportion' ? 1 / (units + 2) : reference.standardError / Math.sqrt(units);
  const oneMoreChange = seen ? standardError / Math.sqrt(losses.effectiveUnits) : usual;
  if (oneMoreChange === 0) {
    return {
      lossStandardError: standardError,
      lossInterval: null,
      lossUpperBound: null,
      oneMoreChange: null,
    };
  }
  const bound = (level: number): number => {
    const distance = bootstrapBound(losses, level) - observed;
    const side = level < 0.5 ? -1 : 1;
    return observed + side * Math.hypot(Math.max(0, side * distance), normalQuantile(level) * oneMoreChange);
  };
  const tail = (1 - confidence) / 2;
  return {
    lossStandardError: standardError,
    lossInterval: { lower: bound(tail), upper: bound(1 - tail), confidence },
    lossUpperBound: bound(confidence),
    oneMoreChange,
  };
}
