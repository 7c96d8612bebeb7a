import { MAX_VARINT_BYTES, putBigVarint, putVarint } from '../core/varint.ts';
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
    this.#reserve(MAX_VARINT_BYTES);
    this.#at = putVarint(this.#buffer, this.#at, value);
  }

  /** A 64-bit integer, in two's complement. */
  bigint(value: bigint): void {
    this.#reserve(MAX_VARINT_BYTES);
    this.#at = putBigVarint(this.#buffer, this.#at, value);
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
