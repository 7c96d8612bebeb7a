import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_NUMBER_BYTES, putMicroseconds, putNumber } from '../../../../src/trace/perfetto/json-bytes.ts';

function written(put: (bytes: Buffer) => number): string {
  const bytes = Buffer.alloc(MAX_NUMBER_BYTES + 1);
  return bytes.toString('latin1', 1, put(bytes));
}

describe('putNumber', () => {
  it('writes whole numbers digit by digit', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(written((bytes) => putNumber(bytes, 1, value))).toBe(String(value));
      }),
    );
  });

  it('writes every finite number so that JSON reads the same', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const read: unknown = JSON.parse(written((bytes) => putNumber(bytes, 1, value)));
        expect(read === value).toBe(true);
      }),
    );
  });
});

describe('putMicroseconds', () => {
  it.each([
    [0, '0'],
    [999, '0.999'],
    [1000, '1'],
    [1001, '1.001'],
    [1_234_560, '1234.560'],
    [104 * 24 * 3600 * 1e9 + 7, '8985600000000.007'],
  ])('writes %s ns as %s', (ns, text) => {
    expect(written((bytes) => putMicroseconds(bytes, 1, ns))).toBe(text);
  });
});
