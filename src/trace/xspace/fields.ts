import { MAX_VARINT_BYTES, putBigVarint, putVarint } from '../../core/varint.ts';

// Fields of protobuf messages as bytes, for the parts of a trace of which there are few.

const VARINT = 0;
const FIXED64 = 1;
const PREFIXED = 2;

/** Zero is what a field has that is not written. */
export function intField(field: number, value: number): Uint8Array {
  return value === 0 ? new Uint8Array(0) : oneOfIntField(field, value);
}

/** In a `oneof` zero is written: it is not the same as nothing. */
export function oneOfIntField(field: number, value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(2 * MAX_VARINT_BYTES);
  const at = putVarint(bytes, 0, (field << 3) | VARINT);
  const end = typeof value === 'bigint' ? putBigVarint(bytes, at, value) : putVarint(bytes, at, value);
  return bytes.subarray(0, end);
}

export function doubleField(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | FIXED64;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

/** Lone surrogates become U+FFFD: a protobuf string is valid UTF-8. */
export function textField(field: number, text: string): Uint8Array {
  return messageField(field, [Buffer.from(text, 'utf8')]);
}

export function messageField(field: number, parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([prefixOf(field, sizeOf(parts)), ...parts]);
}

/** What stands before a message of so many bytes. */
export function prefixOf(field: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(2 * MAX_VARINT_BYTES);
  return bytes.subarray(0, putVarint(bytes, putVarint(bytes, 0, (field << 3) | PREFIXED), sizeBytes));
}

export function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
