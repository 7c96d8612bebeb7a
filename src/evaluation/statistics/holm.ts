/**
 * Adjusts p-values of several comparisons so that the chance of any false alarm among them stays at the level that each
 * is compared with. In the order given; NaN is not a p-value and throws.
 * Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6 (1979).
 */
export function holmAdjusted(pValues: readonly number[]): readonly number[] {
  const wrong = pValues.find((p) => !(p >= 0 && p <= 1));
  if (wrong !== undefined) throw new RangeError(`${wrong} is not a p-value`);
  const order = pValues.map((_, position) => position);
  order.sort((i, j) => (pValues[i] as number) - (pValues[j] as number));
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, position] of order.entries()) {
    const scaled = (pValues.length - rank) * (pValues[position] as number);
    // A hypothesis cannot be rejected before all with smaller p-values are.
    largest = Math.max(largest, Math.min(1, scaled));
    adjusted[position] = largest;
  }
  return adjusted;
}
