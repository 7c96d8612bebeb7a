import type { Exclusions } from '../exclusions.ts';

/** What a profile or the command line asks of a float16 model. */
export interface Float16Recipe {
  readonly format: 'float16';
  /** Whether the model's float inputs and outputs keep float32 at the edge. */
  readonly keepIo: boolean;
  readonly exclude: Exclusions;
}
