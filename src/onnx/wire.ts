import { ProblemError, problem } from '../core/problem.ts';
import type { ByteSource } from './byte-source.ts';

/** The protobuf wire format: tags, varints and ranges. Source: protobuf.dev/programming-guides/encoding. */
export const WIRE_TYPE = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  startGroup: 3,
  endGroup: 4,
  fixed32: 5,
} as const;

export type WireProblemKind = 'truncated' | 'malformed' | 'too-deep' | 'too-large' | 'integer-out-of-range';

/** The limit of the protobuf libraries that read ONNX files, so nothing deeper can be used anyway. */
export const MAX_DEPTH = 100;

/**
 * What is read into memory at once. Weights stay in the file, so a larger field is no part of a graph; without the
 * limit one length in a hostile file could take all memory.
 */
const MAX_EAGER_BYTES = 2 ** 28;

/** Messages, strings and numbers that one file may hold; many times the largest graphs in use. */
const MAX_ELEMENTS = 2 ** 26;

const WINDOW_BYTES = 64 * 1024;

export function wireProblem<K extends WireProblemKind>(kind: K, message: string): ProblemError<K> {
  return new ProblemError(problem(kind, message));
}

/** Reads wire values in order through a small window. Every method throws a `ProblemError` of `WireProblemKind`. */
export class WireReader {
  readonly source: ByteSource;
  #window: Uint8Array;
  #view: DataView;
  #start = 0;
  #at = 0;
  #low = 0;
  #high = 0;
  #elements = 0;

  constructor(source: ByteSource) {
    this.source = source;
    this.#window = source.file === undefined ? source.read(0, source.sizeBytes) : new Uint8Array(0);
    this.#view = viewOf(this.#window);
  }

  /** Offset in the source of the next byte. */
  get position(): number {
    return this.#start + this.#at;
  }

  /** Counts `weight` elements against the limit of one file. */
  charge(weight: number): void {
    this.#elements += weight;
    if (this.#elements > MAX_ELEMENTS) {
      throw wireProblem('too-large', `The file holds more than ${MAX_ELEMENTS} messages and values.`);
    }
  }

  tag(): number {
    const start = this.position;
    this.#varint();
    const field = this.#low >>> 3;
    if (this.#high !== 0 || field === 0)
      throw wireProblem('malformed', `Invalid field tag at byte ${start}.`);
    return this.#low;
  }

  /** The length prefix of a field that must end at or before `end`. */
  length(end: number): number {
    const start = this.position;
    this.#varint();
    const size = this.#high * 2 ** 32 + this.#low;
    this.#require(size, end, start);
    return size;
  }

  int32(): number {
    this.#varint();
    return this.#low | 0;
  }

  /** A signed 64-bit integer that must be exact as a number. */
  int64(): number {
    const start = this.position;
    this.#varint();
    const value = (this.#high | 0) * 2 ** 32 + this.#low;
    if (!Number.isSafeInteger(value)) {
      const exact = this.#bigint();
      throw wireProblem(
        'integer-out-of-range',
        `The integer ${exact} at byte ${start} is beyond ±(2^53 - 1).`,
      );
    }
    return value;
  }

  bigint(): bigint {
    this.#varint();
    return this.#bigint();
  }

  float(end: number): number {
    this.#require(4, end, this.position);
    this.#fill(4);
    const value = this.#view.getFloat32(this.#at, true);
    this.#at += 4;
    return value;
  }

  /** A view that may be a part of a larger buffer; copy what is kept. */
  take(size: number): Uint8Array {
    if (size > MAX_EAGER_BYTES) throw this.#tooLarge(size, this.position);
    if (size > WINDOW_BYTES && this.source.file !== undefined) {
      const bytes = this.source.read(this.position, size);
      this.skip(size);
      return bytes;
    }
    this.#fill(size);
    const bytes = this.#window.subarray(this.#at, this.#at + size);
    this.#at += size;
    return bytes;
  }

  /** Bytes that may be kept: a copy when they come from a file, a view of the caller's bytes otherwise. */
  keep(size: number): Uint8Array {
    const bytes = this.take(size);
    return this.source.file === undefined ? bytes : bytes.slice();
  }

  skip(size: number): void {
    this.#at += size;
  }

  /** The bytes from `start` up to here, which may be kept. */
  since(start: number): Uint8Array {
    const size = this.position - start;
    if (start >= this.#start) return this.#window.slice(start - this.#start, this.#at);
    if (size > MAX_EAGER_BYTES) throw this.#tooLarge(size, start);
    return this.source.read(start, size).slice();
  }

  /** Goes past the value of a field whose tag was read; groups with all that they contain. */
  skipValue(tag: number, end: number, depth = 0): void {
    switch (tag & 7) {
      case WIRE_TYPE.varint:
        this.#varint();
        break;
      case WIRE_TYPE.fixed64:
        this.#skipFixed(8, end);
        break;
      case WIRE_TYPE.bytes:
        this.skip(this.length(end));
        break;
      case WIRE_TYPE.startGroup:
        this.#skipGroup(tag >>> 3, end, depth + 1);
        break;
      case WIRE_TYPE.fixed32:
        this.#skipFixed(4, end);
        break;
      default:
        throw wireProblem('malformed', `Invalid wire type ${tag & 7} before byte ${this.position}.`);
    }
    if (this.position > end) throw this.#overrun(end);
  }

  #skipFixed(size: number, end: number): void {
    this.#require(size, end, this.position);
    this.skip(size);
  }

  #skipGroup(field: number, end: number, depth: number): void {
    if (depth > MAX_DEPTH) throw tooDeep(this.position);
    while (this.position < end) {
      const tag = this.tag();
      if ((tag & 7) === WIRE_TYPE.endGroup) {
        if (tag >>> 3 === field) return;
        break;
      }
      this.skipValue(tag, end, depth);
    }
    throw wireProblem('malformed', `A group of field ${field} has no end before byte ${this.position}.`);
  }

  #require(size: number, end: number, start: number): void {
    if (this.position + size > end) throw this.#overrun(end, start, size);
  }

  /** Distinguishes a file that was cut off from a value that runs out of the message it belongs to. */
  #overrun(end: number, start = this.position, size?: number): ProblemError<WireProblemKind> {
    const what = size === undefined ? 'A value' : `A value of ${size} bytes`;
    return end === this.source.sizeBytes
      ? wireProblem('truncated', `${what} at byte ${start} goes beyond the end of the file at ${end}.`)
      : wireProblem('malformed', `${what} at byte ${start} goes beyond its message, which ends at ${end}.`);
  }

  #tooLarge(size: number, start: number): ProblemError<WireProblemKind> {
    return wireProblem('too-large', `A field of ${size} bytes at byte ${start} is too large for a graph.`);
  }

  #bigint(): bigint {
    if (this.#high === 0) return BigInt(this.#low);
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low));
  }

  /** Reads up to 64 bits into `#low` and `#high`, both unsigned. */
  #varint(): void {
    this.#fill(1);
    const first = this.#window[this.#at] ?? 0;
    if (first < 0x80) {
      this.#at += 1;
      this.#low = first;
      this.#high = 0;
      return;
    }
    this.#longVarint();
  }

  #longVarint(): void {
    const start = this.position;
    this.#fill(Math.min(10, this.source.sizeBytes - start));
    let low = 0;
    let high = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.#window[this.#at];
      if (byte === undefined) throw this.#overrun(this.source.sizeBytes, start);
      this.#at += 1;
      const bits = byte & 0x7f;
      // Groups of seven bits: four go into the low word, the fifth is split, the rest goes into the high word.
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw wireProblem('malformed', `An integer at byte ${start} is longer than ten bytes.`);
  }

  /** Makes at least `size` bytes available in the window. */
  #fill(size: number): void {
    if (this.#at + size <= this.#window.byteLength) return;
    const start = this.position;
    const available = this.source.sizeBytes - start;
    if (size > available) throw this.#overrun(this.source.sizeBytes, start, size);
    this.#window = this.source.read(start, Math.min(Math.max(size, WINDOW_BYTES), available));
    this.#view = viewOf(this.#window);
    this.#start = start;
    this.#at = 0;
  }
}

export function tooDeep(position: number): ProblemError<'too-deep'> {
  return wireProblem('too-deep', `Messages are nested more than ${MAX_DEPTH} deep at byte ${position}.`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
