/**
 * The stride that picks about `most` of `length` values. It has no divisor in common with the length and so none with
 * the length of a row: one that falls into step with rows would look at the same few columns, often a border, again and
 * again.
 */
export function evenStride(length: number, most: number): number {
  let stride = Math.max(1, Math.ceil(length / most));
  while (greatestCommonDivisor(stride, length) > 1) stride += 1;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
