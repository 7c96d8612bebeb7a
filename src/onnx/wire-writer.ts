import type { Payload } from './messages.ts';
import { encodeText, isAscii } from './wire-text.ts';

/** Where encoded bytes go. What `write` is given is reused after the call. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
  writePayload(payload: Payload): void;
}

const BUFFER_BYTES = 64 * 1024;
/** The length of a short text is a varint of one byte. */
const SHORT_TEXT = 127;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Writes wire values through a small buffer; `flush` at the end. */
export class WireWriter {
  readonly #sink: ByteSink;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #at = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  flush(): void {
    if (this.#at > 0) this.#sink.write(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
  }

  /** A safe integer; negative ones are sign-extended to 64 bits and take ten bytes. */
  varint(value: number): void {
    if (value < 0) {
      this.bigint(BigInt(value));
      return;
    }
    this.#reserve(10);
    let rest = value;
    // Bitwise operators work on 32 bits only, and sizes may be larger.
    while (rest > 0x7fffffff) {
      this.#buffer[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  /** A 64-bit integer, in two's complement. */
  bigint(value: bigint): void {
    if (value >= 0n && value <= MAX_SAFE) {
      this.varint(Number(value));
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#at++] = Number(rest);
  }

  float(value: number): void {
    this.#reserve(4);
    this.#at = this.#buffer.writeFloatLE(value, this.#at);
  }

  /** Bytes with their length in front. */
  prefixed(bytes: Uint8Array): void {
    this.varint(bytes.byteLength);
    this.bytes(bytes);
  }

  text(text: string): void {
    if (text.length > SHORT_TEXT || !isAscii(text)) {
      this.prefixed(encodeText(text));
      return;
    }
    this.#reserve(text.length + 1);
    this.#buffer[this.#at++] = text.length;
    for (let index = 0; index < text.length; index++) this.#buffer[this.#at++] = text.charCodeAt(index);
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.byteLength > BUFFER_BYTES) {
      this.flush();
      this.#sink.write(bytes);
      return;
    }
    this.#reserve(bytes.byteLength);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  payload(payload: Payload): void {
    if (payload.kind === 'memory') {
      this.bytes(payload.bytes);
      return;
    }
    this.flush();
    this.#sink.writePayload(payload);
  }

  #reserve(size: number): void {
    if (this.#at + size > BUFFER_BYTES) this.flush();
  }
}

/** Size of a safe integer as a varint; negative ones are sign-extended to 64 bits. */
export function varintSizeBytes(value: number): number {
  if (value < 0) return 10;
  if (value < 0x80) return 1;
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

/** Size of a 64-bit integer as a varint. */
export function bigintSizeBytes(value: bigint): number {
  if (value >= 0n && value <= MAX_SAFE) return varintSizeBytes(Number(value));
  if (value < 0n) return 10;
  let size = 1;
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size += 1;
  return size;
}
