import type { RecipeOptions } from './quantize-options.ts';
import type { RangesOptions } from './ranges-option.ts';
import type { SearchOptions } from './search/search-options.ts';
import type { StateOptions } from './state-option.ts';
import type { TraceOptions } from './trace-option.ts';

/** All options of `quantize`, as commander leaves them behind. */
export interface QuantizeOptions
  extends RecipeOptions,
    StateOptions,
    RangesOptions,
    TraceOptions,
    SearchOptions {
  readonly output: string;
  readonly calibration?: string;
  readonly split?: string;
  readonly threads: number;
  readonly json: boolean;
  readonly quiet: boolean;
}
