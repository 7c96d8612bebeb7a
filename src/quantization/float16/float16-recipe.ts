import type { RecipeScope } from '../node-selection.ts';
import type { Target } from '../targets.ts';

/** What a profile or the command line asks of a float16 model. */
export interface Float16Recipe extends RecipeScope {
  readonly format: 'float16';
  readonly target: Target;
  /** Whether the model's float inputs and outputs keep float32 at the edge. */
  readonly keepIo: boolean;
}
