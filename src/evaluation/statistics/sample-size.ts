import { normalQuantile } from '../special-functions.ts';

/** What a sample says about how the loss varies, in the metric's unit; see `pairedBootstrap`. */
export interface LossScatter {
  readonly lossStandardError: number;
  /** How far one changed unit more than was seen would move the loss. */
  readonly oneMoreChange: number;
  /** Items of the sample. */
  readonly n: number;
}

/**
 * Items needed to show that the loss of any metric is below `margin`, if there is none in truth; infinite for a margin of
 * 0. The standard error falls with the square root of the items, the effect of one more change with the items. Where items
 * are grouped, as many are meant as make enough groups of the size seen.
 *
 * For a share of right answers this is what `itemsNeeded` gives.
 * @param power probability of succeeding with that many items
 */
export function itemsNeededForLoss(
  { lossStandardError, oneMoreChange, n }: LossScatter,
  margin: number,
  { confidence = 0.95, power = 0.8 }: { readonly confidence?: number; readonly power?: number } = {},
): number {
  const z = normalQuantile(confidence);
  const byPower = n * (((z + normalQuantile(power)) * lossStandardError) / margin) ** 2;
  // If nothing changes, the bound that is left is z times the effect of one change.
  const withoutChanges = (n * z * oneMoreChange) / margin;
  return Math.max(1, Math.ceil(Math.max(byPower, withoutChanges)));
}
