/** How much work goes into keeping accuracy: nothing, what takes little time, or all that is known to help. */
export const TUNING_LEVELS = ['none', 'fast', 'full'] as const;

export type TuningLevel = (typeof TUNING_LEVELS)[number];
