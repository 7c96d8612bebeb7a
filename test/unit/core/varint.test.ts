import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bigintSizeBytes,
  MAX_VARINT_BYTES,
  putBigVarint,
  putVarint,
  varintSizeBytes,
} from '../../../src/core/varint.ts';

function decode(bytes: Uint8Array): bigint {
  return BigInt.asIntN(
    64,
    bytes.reduce((sum, byte, place) => sum | (BigInt(byte & 0x7f) << BigInt(7 * place)), 0n),
  );
}

/** Checks that all bytes but the last say that more follow. */
function read(put: (bytes: Uint8Array) => number): { value: bigint; sizeBytes: number } {
  const bytes = new Uint8Array(MAX_VARINT_BYTES + 2);
  const end = put(bytes);
  const used = bytes.subarray(1, end);
  expect(used.findIndex((byte) => byte < 0x80)).toBe(used.length - 1);
  return { value: decode(used), sizeBytes: used.length };
}

describe('putVarint', () => {
  it.each([0, 1, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, -1])(
    'puts %s',
    (value) => {
      expect(read((bytes) => putVarint(bytes, 1, value))).toEqual({
        value: BigInt(value),
        sizeBytes: varintSizeBytes(value),
      });
    },
  );

  it('puts 150 as the description of the format does', () => {
    const bytes = new Uint8Array(2);
    expect(putVarint(bytes, 0, 150)).toBe(2);
    expect([...bytes]).toEqual([0x96, 0x01]);
  });

  it('puts every safe integer, in as many bytes as it is said to take', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(read((bytes) => putVarint(bytes, 1, value))).toEqual({
          value: BigInt(value),
          sizeBytes: varintSizeBytes(value),
        });
      }),
    );
  });
});

describe('putBigVarint', () => {
  it('puts every 64-bit integer, in as many bytes as it is said to take', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(read((bytes) => putBigVarint(bytes, 1, value))).toEqual({
          value,
          sizeBytes: bigintSizeBytes(value),
        });
      }),
    );
  });
});
