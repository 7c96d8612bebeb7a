import { ProblemError, problem } from '../../core/problem.ts';
import { MAX_VARINT_BYTES, putVarint, varintSizeBytes } from '../../core/varint.ts';

/** A field as it stands in a message: what has a length as its bytes, everything else as the 64 bits of a number. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/**
 * Fields of a protobuf message in their order, those without a meaning to us among them. The bytes are views, nothing is copied.
 * Throws `ProblemError` of the kind `malformed-message`.
 * Source: the encoding guide of Protocol Buffers.
 */
export function* readFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
      const byte = bytes[at];
      if (byte === undefined) throw malformed('it ends within a number');
      at += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('a number has more than 64 bits');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw malformed('a field is longer than what is left');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    if (number < 1 || number > 0x1fff_ffff) throw malformed('a field has an impossible number');
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: littleEndian(take(8)) };
        break;
      case 2:
        // Beyond 2^53 a number is no longer exact, and still much more than is left.
        yield { number, value: take(Number(varint())) };
        break;
      case 5:
        yield { number, value: littleEndian(take(4)) };
        break;
      default:
        throw malformed('a field has an unknown type');
    }
  }
}

/** Text of a field. Throws `ProblemError` where it is a number or not UTF-8. */
export function textOf({ value }: WireField): string {
  if (typeof value === 'bigint') throw malformed('a text is a number');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw malformed('a text is not UTF-8');
  }
}

/** An unsigned number of a field. Throws `ProblemError` where it is none. */
export function numberOf({ value }: WireField): bigint {
  if (typeof value !== 'bigint') throw malformed('a number is a text');
  return value;
}

/** Bytes of a field, such as a message. Throws `ProblemError` where it is a number. */
export function bytesOf({ value }: WireField): Uint8Array {
  if (typeof value === 'bigint') throw malformed('a message is a number');
  return value;
}

/** A field with a length, whole. */
export function lengthField(number: number, value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([lengthFieldHead(number, bytes.length), bytes]);
}

/** What comes before the content of a field that has a length, so that the content can be sent from elsewhere. */
export function lengthFieldHead(number: number, sizeBytes: number): Uint8Array {
  return Buffer.concat([encodeVarint(number * 8 + 2), encodeVarint(sizeBytes)]);
}

/** A field with a whole number from 0 to 2^53. */
export function varintField(number: number, value: number): Uint8Array {
  return Buffer.concat([encodeVarint(number * 8), encodeVarint(value)]);
}

export function doubleField(number: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([encodeVarint(number * 8 + 1), bytes]);
}

function encodeVarint(value: number): Uint8Array {
  const bytes = Buffer.alloc(varintSizeBytes(value));
  putVarint(bytes, 0, value);
  return bytes;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function malformed(why: string): ProblemError<'malformed-message'> {
  return new ProblemError(problem('malformed-message', `the message cannot be read: ${why}`));
}
