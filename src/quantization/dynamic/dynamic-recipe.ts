import type { RecipeScope } from '../node-selection.ts';
import type { Target } from '../targets.ts';

/** Int8 weights, and activations that are rounded anew at every run by their own extremes: needs no calibration. */
export interface DynamicInt8Recipe extends RecipeScope {
  readonly format: 'dynamic-int8';
  readonly target: Target;
  /** One scale for a whole weight tensor (for each direction of an LSTM) instead of one an output channel. */
  readonly perTensor: boolean;
  /** Seven-bit weights, for processors whose 8-bit products saturate. `auto` is resolved to a boolean beforehand. */
  readonly reduceRange: boolean | 'auto';
}
