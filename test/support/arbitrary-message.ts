import fc from 'fast-check';
import type { AnyMessage, Field, MessageSchema } from '../../src/onnx/message-schema.ts';

/** Any message of `schema`, with unknown fields too; messages nest at most `depth` deep. */
export function arbitraryMessage(schema: MessageSchema, depth: number): fc.Arbitrary<AnyMessage> {
  const oneof = schema.fields.filter((field) => field.clears.length > 0).map(({ key }) => key);
  const fields = schema.fields.map((field): [string, fc.Arbitrary<unknown>] => [
    field.key,
    arbitraryField(field, depth),
  ]);
  return fc
    .tuple(fc.record(Object.fromEntries(fields)), fc.option(unknownField), fc.nat())
    .map(([message, unknown, chosen]) => {
      const kept = oneof[chosen % Math.max(1, oneof.length)];
      const others = oneof.filter((key) => key !== kept).map((key) => [key, undefined]);
      return { ...message, ...Object.fromEntries(others), unknown: unknown ?? undefined };
    });
}

function arbitraryField(field: Field, depth: number): fc.Arbitrary<unknown> {
  const isMessage = typeof field.kind === 'function';
  if (field.repeated) {
    if (isMessage && depth === 0) return fc.constant([]);
    return fc.array(arbitraryValue(field, depth), { maxLength: isMessage ? 2 : 4 });
  }
  if (isMessage && depth === 0) return fc.constant(undefined);
  return fc.option(arbitraryValue(field, depth), { nil: undefined });
}

const bytes = fc.uint8Array({ maxLength: 12 });

function arbitraryValue(field: Field, depth: number): fc.Arbitrary<unknown> {
  const { kind } = field;
  switch (kind) {
    case 'string':
      return fc.oneof(fc.string({ maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 8 }));
    case 'bytes':
    case 'wire':
      return bytes;
    case 'int32':
      return fc.integer();
    case 'int64':
      return fc.maxSafeInteger();
    case 'bigint':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'float':
      return fc.float();
    case 'payload':
      return bytes.map((data) => ({ kind: 'memory', bytes: data }));
    case 'payload-fixed32':
    case 'payload-fixed64':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((data) => ({ kind: 'memory', bytes: data }));
    case 'payload-varint':
      return bytes.map((data) => ({ kind: 'memory', bytes: data }));
    default:
      return arbitraryMessage(kind(), depth - 1);
  }
}

/** A field of number 500 in one of the ways in which a newer writer may encode it. */
const unknownField = fc.oneof(
  fc.nat(127).map((value) => Uint8Array.of(...tag(500, 0), value)),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => Uint8Array.of(...tag(500, 1), ...value)),
  bytes.map((value) => Uint8Array.of(...tag(500, 2), value.length, ...value)),
  fc.nat(127).map((value) => Uint8Array.of(...tag(500, 3), ...tag(1, 0), value, ...tag(500, 4))),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((value) => Uint8Array.of(...tag(500, 5), ...value)),
);

/** The one or two bytes of a tag. */
export function tag(field: number, wireType: number): readonly number[] {
  const value = (field << 3) | wireType;
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, value >>> 7];
}
