import { describe, expect, it } from 'vitest';
import { decodeFloat16, encodeFloat16 } from '../../../src/core/float16.ts';

const ALL_BITS = Array.from({ length: 0x10000 }, (_, bits) => bits);

describe('float16', () => {
  it('decodes the values that IEEE 754 gives as examples', () => {
    expect(decodeFloat16(0x3c00)).toBe(1);
    expect(decodeFloat16(0xc000)).toBe(-2);
    expect(decodeFloat16(0x7bff)).toBe(65504);
    expect(decodeFloat16(0x0400)).toBe(2 ** -14);
    expect(decodeFloat16(0x0001)).toBe(2 ** -24);
    expect(decodeFloat16(0x8000)).toBe(-0);
    expect(decodeFloat16(0xfc00)).toBe(Number.NEGATIVE_INFINITY);
    expect(decodeFloat16(0x7e00)).toBeNaN();
  });

  it('encodes every value that it decodes back to the same bits', () => {
    const changed = ALL_BITS.filter((bits) => {
      const value = decodeFloat16(bits);
      return !Number.isNaN(value) && encodeFloat16(value) !== bits;
    });
    expect(changed).toEqual([]);
  });

  it('rounds to nearest, half way to even, between any two neighbours', () => {
    const wrong = ALL_BITS.slice(0, 0x7bff).filter((bits) => {
      const middle = (decodeFloat16(bits) + decodeFloat16(bits + 1)) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      return (
        encodeFloat16(middle) !== even ||
        encodeFloat16(middle * (1 + 2 ** -40)) !== bits + 1 ||
        encodeFloat16(-middle * (1 - 2 ** -40)) !== (0x8000 | bits)
      );
    });
    expect(wrong).toEqual([]);
  });

  it('turns what is too large into infinity', () => {
    expect(encodeFloat16(65519.99)).toBe(0x7bff);
    expect(encodeFloat16(65520)).toBe(0x7c00);
    expect(encodeFloat16(-1e300)).toBe(0xfc00);
    expect(encodeFloat16(Number.NaN)).toBe(0x7e00);
  });
});
