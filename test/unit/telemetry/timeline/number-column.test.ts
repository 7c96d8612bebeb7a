import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, MalformedBytesError } from '../../../../src/telemetry/timeline/byte-reader.ts';
import { ByteWriter } from '../../../../src/telemetry/timeline/byte-writer.ts';
import {
  decodeNumbers,
  encodeNumbers,
  newNumberState,
} from '../../../../src/telemetry/timeline/number-column.ts';

/** Writes blocks one after the other, as of one column, and gives the bytes of each. */
function encode(blocks: readonly (readonly number[])[]): readonly Uint8Array[] {
  const state = newNumberState();
  return blocks.map((values) => {
    const out = new ByteWriter();
    encodeNumbers(out, values, state);
    return out.bytes();
  });
}

function decode(blocks: readonly Uint8Array[], counts: readonly number[]): readonly (readonly number[])[] {
  const state = newNumberState();
  return blocks.map((bytes, index) => decodeNumbers(new ByteReader(bytes), counts[index] ?? 0, state));
}

const value = fc.oneof(
  fc.double(),
  fc.integer({ min: -1000, max: 1000 }).map((hundredths) => hundredths / 100),
  fc.nat({ max: 1 << 28 }).map((pages) => pages * 4096),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 51, -(2 ** 51) + 1, 1e300),
);

describe('a column of numbers', () => {
  it('gives back the very same doubles, block after block', () => {
    const blocks = fc.array(fc.array(value, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(blocks, (values) => {
        expect(
          decode(
            encode(values),
            values.map(({ length }) => length),
          ),
        ).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['a counter that stands still', Array.from({ length: 50 }, () => 123_456_789), 3],
    ['a counter that changed once', Array.from({ length: 50 }, (_, i) => (i < 30 ? 4096 : 12_288)), 7],
    [
      'hundredths of a second that grow unevenly',
      Array.from({ length: 50 }, (_, i) => (100 + i + (i % 3)) / 100),
      28,
    ],
    [
      'memory that changes by pages',
      Array.from({ length: 50 }, (_, i) => 4096 * (1e6 + ((i * 7919) % 16))),
      45,
    ],
  ])('takes few bytes, after its first block, for %s', (_what, values, most) => {
    const [, second] = encode([values, values]);
    expect(second?.length).toBeLessThanOrEqual(most);
  });

  it('pays for an outlier once, and not for its distance', () => {
    const quiet = Array.from({ length: 50 }, (_, i) => (i * 7) % 5);
    const [plain, spiked] = [encode([quiet])[0], encode([quiet.with(25, 2 ** 50)])[0]];
    expect((spiked?.length ?? 0) - (plain?.length ?? 0)).toBeLessThan(30);
  });

  it('of bytes that no writer left is an error, never an endless loop or a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (bytes, count) => {
        try {
          expect(decodeNumbers(new ByteReader(bytes), count, newNumberState())).toHaveLength(count);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError);
        }
      }),
    );
  });
});
