import type { MetricInfo } from '../task.ts';

/** A share of 1 in percent, with two decimals at most. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

/** A difference of two shares in percentage points, with three significant digits. */
export function points(share: number): string {
  const value = Number((share * 100).toPrecision(3));
  return `${value} percentage ${value === 1 ? 'point' : 'points'}`;
}

/** A p-value with three decimals, or as a power of ten below 0.001. */
export function pValueWords(p: number): string {
  return p >= 0.001 || p === 0 ? p.toFixed(3) : p.toExponential(1);
}

/** A loss, a bound or a budget in the metric's unit: percentage points, or a number with three significant digits. */
export function differenceWords({ unit }: Pick<MetricInfo, 'unit'>, difference: number): string {
  return unit === 'proportion' ? points(difference) : significant(difference, 3);
}

/** `top-1 went from 76.4 % to 75.9 %`. Numbers get as many digits as it takes to tell them apart, from three to six. */
export function changeWords(
  { label, unit }: Pick<MetricInfo, 'label' | 'unit'>,
  reference: number,
  candidate: number,
): string {
  if (unit === 'proportion') return `${label} went from ${percent(reference)} to ${percent(candidate)}`;
  let digits = 3;
  while (digits < 6 && significant(reference, digits) === significant(candidate, digits)) digits += 1;
  if (reference === candidate) digits = 3;
  return `${label} went from ${significant(reference, digits)} to ${significant(candidate, digits)}`;
}

function significant(value: number, digits: number): string {
  return `${Number(value.toPrecision(digits))}`;
}
