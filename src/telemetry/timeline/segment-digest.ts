import { deflateRawSync } from 'node:zlib';
import { parseTick } from './bigint-column.ts';
import { ByteReader, MalformedBytesError } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { findPower, POWERS } from './decimal-power.ts';
import { inflate } from './inflate.ts';
import { LEAF_KINDS, type LeafKind, type PathPart } from './snapshot-leaves.ts';

/*
 * What a segment's columns hold in a few figures each, so that a day can be drawn without reading all of it.
 * Only numbers and ticks: texts are for whoever reads the snapshots.
 */

/** Figures of one column over a segment. */
export interface ColumnDigest {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  /** Of all values, to the seven digits of a float32. */
  readonly mean: number;
}

export interface TickDigest {
  readonly count: number;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

export interface DigestEntry {
  readonly path: readonly PathPart[];
  readonly numbers?: ColumnDigest;
  readonly ticks?: TickDigest;
}

/** Gathers the figures of one column while blocks are made of it. */
export class LeafDigest {
  #count = 0;
  #first = 0;
  #last = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #sum = 0;
  #firstNs = 0n;
  #lastNs = 0n;

  addAll(numbers: readonly number[], ticks: readonly bigint[]): void {
    if (this.#count === 0) {
      this.#first = numbers[0] ?? 0;
      this.#firstNs = ticks[0] ?? 0n;
    }
    for (const value of numbers) {
      this.#min = Math.min(this.#min, value);
      this.#max = Math.max(this.#max, value);
      this.#sum += value;
    }
    this.#last = numbers.at(-1) ?? this.#last;
    this.#lastNs = ticks.at(-1) ?? this.#lastNs;
    this.#count += numbers.length + ticks.length;
  }

  get count(): number {
    return this.#count;
  }

  numbers(): ColumnDigest {
    return {
      count: this.#count,
      first: this.#first,
      last: this.#last,
      min: this.#min,
      max: this.#max,
      mean: this.#sum / this.#count,
    };
  }

  ticks(): TickDigest {
    return { count: this.#count, firstNs: this.#firstNs, lastNs: this.#lastNs };
  }
}

interface DigestedColumn {
  readonly kind: LeafKind;
  readonly path: readonly PathPart[];
  readonly digest: LeafDigest;
}

/** A digest's payload. */
export function encodeDigest(columns: readonly DigestedColumn[]): Uint8Array {
  const out = new ByteWriter();
  const digested = columns.filter(
    ({ kind, digest }) => digest.count > 0 && (kind === 'number' || kind === 'bigint'),
  );
  out.varint(digested.length);
  for (const { kind, path, digest } of digested) {
    out.byte(LEAF_KINDS.indexOf(kind));
    out.text(JSON.stringify(path));
    out.varint(digest.count);
    if (kind === 'number') writeNumbers(out, digest.numbers());
    else {
      const { firstNs, lastNs } = digest.ticks();
      out.text(firstNs.toString());
      out.text(lastNs.toString());
    }
  }
  return deflateRawSync(out.bytes());
}

/** Throws `MalformedBytesError`. */
export function decodeDigest(payload: Uint8Array): readonly DigestEntry[] {
  const reader = new ByteReader(inflate(payload));
  return Array.from({ length: reader.count() }, () => {
    const kind = LEAF_KINDS[reader.byte()];
    const path = parsePath(reader.text());
    const count = reader.varint();
    if (kind === 'number') return { path, numbers: readNumbers(reader, count) };
    return { path, ticks: { count, firstNs: parseTick(reader.text()), lastNs: parseTick(reader.text()) } };
  });
}

// The first byte: the place of the power of ten, or this; and whether all values are the same.
const NOT_DECIMAL = 0x07;
const IS_CONSTANT = 0x08;

function writeNumbers(out: ByteWriter, { first, last, min, max, mean }: ColumnDigest): void {
  const values = [first, last, min, max];
  const isConstant = Object.is(min, max);
  const power = findPower(values, 1);
  const place = power === undefined ? NOT_DECIMAL : (POWERS as readonly number[]).indexOf(power);
  out.byte(place | (isConstant ? IS_CONSTANT : 0));
  if (power === undefined) out.float64s(isConstant ? [first] : values);
  else {
    const whole = Math.round(first * power);
    out.signedVarint(whole);
    if (!isConstant)
      for (const value of [last, min, max]) out.signedVarint(Math.round(value * power) - whole);
  }
  if (!isConstant) out.raw(new Uint8Array(Float32Array.of(mean).buffer));
}

function readNumbers(reader: ByteReader, count: number): ColumnDigest {
  const head = reader.byte();
  const isConstant = (head & IS_CONSTANT) !== 0;
  const [first = 0, last = first, min = first, max = first] = readValues(
    reader,
    head & 0x07,
    isConstant ? 1 : 4,
  );
  return { count, first, last, min, max, mean: isConstant ? first : readFloat32(reader) };
}

function readValues(reader: ByteReader, place: number, count: number): readonly number[] {
  if (place === NOT_DECIMAL) return reader.float64s(count);
  const power = POWERS[place] ?? 1;
  const first = reader.signedVarint();
  return [first, ...Array.from({ length: count - 1 }, () => first + reader.signedVarint())].map(
    (whole) => whole / power,
  );
}

function readFloat32(reader: ByteReader): number {
  const bytes = reader.raw(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
}

/** The path of a column, as it is kept: a JSON list. Throws `MalformedBytesError`. */
export function parsePath(text: string): readonly PathPart[] {
  try {
    const path: unknown = JSON.parse(text);
    if (Array.isArray(path) && path.every(isPathPart)) return path;
  } catch {
    // Told below, together with JSON that is no path.
  }
  throw new MalformedBytesError('the name of a column is no path');
}

function isPathPart(part: unknown): part is PathPart {
  if (typeof part === 'string' || Number.isSafeInteger(part)) return true;
  if (typeof part !== 'object' || part === null) return false;
  const values = Object.values(part);
  return values.length === 1 && (typeof values[0] === 'string' || Number.isSafeInteger(values[0]));
}
