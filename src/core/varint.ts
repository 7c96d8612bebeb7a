// Integers of the protobuf wire format, seven bits a byte. Source: protobuf.dev/programming-guides/encoding.

/** What the longest varint takes: room that must be left before one is put. */
export const MAX_VARINT_BYTES = 10;

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Puts a safe integer at `at` and returns the place behind it. Negative ones are sign-extended to 64 bits and take ten bytes. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0) return putBigVarint(bytes, at, BigInt(value));
  let next = at;
  let rest = value;
  // Bitwise operators work on 32 bits only, and sizes may be larger.
  while (rest > 0x7fffffff) {
    bytes[next++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 0x7f) {
    bytes[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[next++] = rest;
  return next;
}

/** `putVarint` of any 64-bit integer, in two's complement. */
export function putBigVarint(bytes: Uint8Array, at: number, value: bigint): number {
  if (value >= 0n && value <= MAX_SAFE) return putVarint(bytes, at, Number(value));
  let next = at;
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes[next++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  bytes[next++] = Number(rest);
  return next;
}

/** Size of a safe integer as a varint; negative ones are sign-extended to 64 bits. */
export function varintSizeBytes(value: number): number {
  if (value < 0) return MAX_VARINT_BYTES;
  if (value < 0x80) return 1;
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

/** Size of a 64-bit integer as a varint. */
export function bigintSizeBytes(value: bigint): number {
  if (value >= 0n && value <= MAX_SAFE) return varintSizeBytes(Number(value));
  if (value < 0n) return MAX_VARINT_BYTES;
  let size = 1;
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size += 1;
  return size;
}
