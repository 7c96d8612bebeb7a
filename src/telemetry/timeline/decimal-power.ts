/** Powers of ten that bring the values of a column to whole numbers; smallest first. */
export const POWERS = [1, 10, 100, 1_000, 10_000, 1_000_000, 1_000_000_000] as const;

/** Differences of two whole numbers below this are exact in a double, and fit a signed varint. */
const MAX_WHOLE = 2 ** 51;

/**
 * The power of ten at which all values are whole numbers that give back the very same doubles when divided by it: `before` if it does,
 * else the smallest. Undefined where there is none, as for NaN, -0 or a third.
 */
export function findPower(values: readonly number[], before: number): number | undefined {
  if (areWholeAt(values, before)) return before;
  return POWERS.find((power) => areWholeAt(values, power));
}

function areWholeAt(values: readonly number[], power: number): boolean {
  return values.every((value) => {
    const whole = Math.round(value * power);
    // Whole numbers are kept without a sign of zero.
    return Math.abs(whole) < MAX_WHOLE && whole / power === value && !Object.is(value, -0);
  });
}
