/** One figure of a measurement, ready for the table. */
export interface PerfRow {
  /** What was measured on, such as a model. */
  readonly subject: string;
  readonly figure: string;
  readonly value: string;
  /** What the figure should be, such as `≤ 2.0`; absent where it only explains another. */
  readonly target?: string;
  /** Whether the target is reached. */
  readonly reached?: boolean;
  /** What the value was made from, such as the two figures of a ratio. */
  readonly detail?: string;
}

/** Told each row as soon as it is known, as some measurements take minutes. */
export type OnRow = (row: PerfRow) => void;

/** A ratio that should not exceed `most`. */
export function ratioRow(subject: string, figure: string, ratio: number, most: number): PerfRow {
  return {
    subject,
    figure,
    value: ratio.toFixed(ratio < 0.1 ? 4 : 2),
    target: `≤ ${most}`,
    reached: ratio <= most,
  };
}

/** A ratio that should be `least` or more. */
export function atLeastRow(subject: string, figure: string, ratio: number, least: number): PerfRow {
  return { subject, figure, value: ratio.toFixed(2), target: `≥ ${least}`, reached: ratio >= least };
}

/** Bytes in MiB that should not exceed `mostMiB`. */
export function memoryRow(subject: string, figure: string, sizeBytes: number, mostMiB: number): PerfRow {
  const mebibytes = sizeBytes / 2 ** 20;
  return {
    subject,
    figure,
    value: `${mebibytes.toFixed(0)} MiB`,
    target: `≤ ${mostMiB} MiB`,
    reached: mebibytes <= mostMiB,
  };
}

export function plainRow(subject: string, figure: string, value: string): PerfRow {
  return { subject, figure, value };
}
