/** Value of an IEEE 754 half-precision number, given as its 16 bits. */
export function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Bits of the half-precision number nearest to `value`, ties to even. What is too large becomes infinity. */
export function encodeFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // 65520 lies half way between the largest half (65504) and the next power of two; the tie goes up.
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, binaryExponent(magnitude));
  // A sum above 2^52 has no fraction bits left, so the addition itself rounds half to even.
  const steps = magnitude * 2 ** (10 - exponent) + 2 ** 52 - 2 ** 52;
  // The leading one of a normal number adds to the exponent field, and so does a carry out of the rounding.
  return sign | ((exponent + 14) * 1024 + steps);
}

function binaryExponent(magnitude: number): number {
  if (magnitude === 0) return Number.NEGATIVE_INFINITY;
  const estimate = Math.floor(Math.log2(magnitude));
  if (2 ** estimate > magnitude) return estimate - 1;
  return 2 ** (estimate + 1) <= magnitude ? estimate + 1 : estimate;
}
