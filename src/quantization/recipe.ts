export const CALIBRATION_METHODS = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const;

export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

/** How the ranges of activations are found. */
export interface CalibrationSettings {
  readonly method: CalibrationMethod;
  /** For `percentile`: the per cent of values that are kept, such as 99.99. */
  readonly percentile?: number;
  /** At most so many samples of the calibration split; all when absent. */
  readonly samples?: number;
}

/** How to quantize, as plain data: what a profile or the command line asks for. */
export interface StaticInt8Recipe {
  readonly format: 'static-int8';
  readonly calibration: CalibrationSettings;
  /** One scale for a whole weight tensor instead of one a channel. */
  readonly perTensor: boolean;
  /** Seven-bit weights. `auto`: only where the processor's 8-bit products saturate. */
  readonly reduceRange: boolean | 'auto';
  /** What stays float32. Node names may hold `*`. */
  readonly exclude: { readonly opTypes: readonly string[]; readonly nodes: readonly string[] };
}

export type Recipe = StaticInt8Recipe;

export const STATIC_INT8: StaticInt8Recipe = {
  format: 'static-int8',
  calibration: { method: 'mse' },
  perTensor: false,
  reduceRange: 'auto',
  exclude: { opTypes: [], nodes: [] },
};

/** Whether `name` matches `pattern`, in which `*` stands for any run of characters. */
export function matchesPattern(pattern: string, name: string): boolean {
  const literal = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${literal}$`, 's').test(name);
}
