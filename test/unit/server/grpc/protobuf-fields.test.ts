import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attempt } from '../../../../src/core/problem.ts';
import {
  bytesOf,
  doubleField,
  lengthField,
  lengthFieldHead,
  numberOf,
  readFields,
  textOf,
  varintField,
} from '../../../../src/server/grpc/protobuf-fields.ts';

const read = (bytes: Uint8Array) => attempt(() => [...readFields(bytes)]);
const reasonOf = (bytes: Uint8Array) => {
  const result = read(bytes);
  return result.ok ? undefined : result.error.message;
};

describe('readFields', () => {
  it('reads the example of the encoding guide', () => {
    expect(read(Uint8Array.of(0x08, 0x96, 0x01))).toEqual({ ok: true, value: [{ number: 1, value: 150n }] });
    const [field] = readFields(Uint8Array.of(0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67));
    expect(field?.number).toBe(2);
    expect(field && textOf(field)).toBe('testing');
  });

  it('reads fields of fixed length', () => {
    const bytes = Uint8Array.of(0x0d, 1, 0, 0, 0, 0x11, 2, 0, 0, 0, 0, 0, 0, 0x80);
    expect(read(bytes)).toEqual({
      ok: true,
      value: [
        { number: 1, value: 1n },
        { number: 2, value: 0x8000_0000_0000_0002n },
      ],
    });
  });

  it('takes a negative number as what its 64 bits are', () => {
    const [field] = readFields(Uint8Array.of(0x08, ...Array(9).fill(0xff), 0x01));
    expect(field && numberOf(field)).toBe(2n ** 64n - 1n);
  });

  it.each([
    ['a number that is cut off', [0x08, 0x96], 'within a number'],
    ['a number of more than ten bytes', [0x08, ...Array(11).fill(0xff)], 'more than 64 bits'],
    ['a field longer than the message', [0x12, 0x05, 1], 'longer than what is left'],
    ['a length beyond any memory', [0x12, ...Array(9).fill(0xff), 0x01], 'longer than what is left'],
    ['a fixed field that is cut off', [0x0d, 1, 2], 'longer than what is left'],
    ['the field 0', [0x00, 0x01], 'impossible number'],
    ['a group', [0x0b, 0x0c], 'unknown type'],
  ])('refuses %s', (_what, bytes, reason) => expect(reasonOf(Uint8Array.from(bytes))).toContain(reason));

  it('reads what it writes, and never does anything but read or refuse', () => {
    const number = fc.integer({ min: 1, max: 0x1fff_ffff });
    fc.assert(
      fc.property(number, fc.maxSafeNat(), fc.string(), fc.uint8Array(), (field, value, text, bytes) => {
        const message = Buffer.concat([
          varintField(field, value),
          lengthField(field, text),
          lengthFieldHead(field, bytes.length),
          bytes,
        ]);
        const [first, second, third] = [...readFields(message)];
        expect(first && numberOf(first)).toBe(BigInt(value));
        expect(second && textOf(second)).toBe(Buffer.from(text).toString());
        expect(third && Buffer.from(bytesOf(third))).toEqual(Buffer.from(bytes));
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void read(bytes)));
  });

  it('writes a double as the eight bytes of IEEE 754', () =>
    expect([...doubleField(2, 1)]).toEqual([0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]));
});

describe('the types of fields', () => {
  const kindOf = (action: () => unknown) => {
    const result = attempt(action);
    return result.ok ? undefined : result.error.kind;
  };

  it('are held against what is expected', () => {
    const text = { number: 1, value: Uint8Array.of(0x41) };
    const count = { number: 1, value: 7n };
    expect(kindOf(() => numberOf(text))).toBe('malformed-message');
    expect(kindOf(() => textOf(count))).toBe('malformed-message');
    expect(kindOf(() => bytesOf(count))).toBe('malformed-message');
    expect(kindOf(() => textOf({ number: 1, value: Uint8Array.of(0xff) }))).toBe('malformed-message');
  });
});
