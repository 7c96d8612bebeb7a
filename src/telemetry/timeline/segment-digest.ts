import { deflateRawSync } from 'node:zlib';
import { parseTick } from './bigint-column.ts';
import { ByteReader, MalformedBytesError } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { inflate } from './inflate.ts';
import { decodeNumbers, encodeNumbers, newNumberState } from './number-column.ts';
import { LEAF_KINDS, type LeafKind, type PathPart } from './snapshot-leaves.ts';

/*
 * What a segment's columns hold, in a few figures for each minute, so that a day can be drawn without reading all of it.
 * Only numbers and ticks: texts are for whoever reads the snapshots.
 */

/** The width of the points of which the view of a long time is made. */
export const DIGEST_INTERVAL_NS = 60_000_000_000n;

/** Figures of one column over an interval. */
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
  readonly kind: LeafKind;
  readonly path: readonly PathPart[];
  /** By interval; undefined where it has no values. */
  readonly numbers?: readonly (ColumnDigest | undefined)[];
  readonly ticks?: readonly (TickDigest | undefined)[];
}

/** Gathers the figures of one column while blocks are made of it, interval by interval. */
export class LeafDigest {
  readonly #numbers: (ColumnDigest | undefined)[] = [];
  readonly #ticks: (TickDigest | undefined)[] = [];

  /** @param interval  their number within the segment; it never falls */
  addAll(interval: number, numbers: readonly number[], ticks: readonly bigint[]): void {
    const [firstTick, lastTick] = [ticks[0], ticks.at(-1)];
    if (firstTick !== undefined && lastTick !== undefined) {
      const before = this.#ticks[interval];
      this.#ticks[interval] = {
        count: (before?.count ?? 0) + ticks.length,
        firstNs: before?.firstNs ?? firstTick,
        lastNs: lastTick,
      };
    }
    const [first, last] = [numbers[0], numbers.at(-1)];
    if (first === undefined || last === undefined) return;
    const before = this.#numbers[interval];
    const count = (before?.count ?? 0) + numbers.length;
    const sum = numbers.reduce((all, value) => all + value, 0);
    this.#numbers[interval] = {
      count,
      first: before?.first ?? first,
      last,
      min: numbers.reduce((least, value) => Math.min(least, value), before?.min ?? first),
      max: numbers.reduce((most, value) => Math.max(most, value), before?.max ?? first),
      mean: ((before?.mean ?? 0) * (before?.count ?? 0) + sum) / count,
    };
  }

  numbers(): readonly (ColumnDigest | undefined)[] {
    return [...this.#numbers];
  }

  ticks(): readonly (TickDigest | undefined)[] {
    return [...this.#ticks];
  }
}

interface DigestedColumn {
  readonly kind: LeafKind;
  readonly path: readonly PathPart[];
  readonly digest: LeafDigest;
}

/** What else has numbers are texts, which have no mean. */
const DIGESTED: ReadonlySet<LeafKind> = new Set(['number', 'clock']);

/** A digest's payload, deflated: for each column its path, how many values each interval has, and figures of those that have any. */
export function encodeDigest(columns: readonly DigestedColumn[]): Uint8Array {
  const out = new ByteWriter();
  const digested = columns.filter(({ kind, digest }) =>
    kind === 'bigint' ? digest.ticks().length > 0 : DIGESTED.has(kind) && digest.numbers().length > 0,
  );
  out.varint(digested.length);
  for (const { kind, path, digest } of digested) {
    out.byte(LEAF_KINDS.indexOf(kind));
    out.text(JSON.stringify(path));
    if (kind !== 'bigint') writeNumbers(out, digest.numbers());
    else writeTicks(out, digest.ticks());
  }
  return deflateRawSync(out.bytes());
}

/**
 * Reads a digest; columns of numbers that are not wanted are passed over. Throws `MalformedBytesError`.
 */
export function decodeDigest(
  payload: Uint8Array,
  isWanted: (path: readonly PathPart[]) => boolean,
): readonly DigestEntry[] {
  const reader = new ByteReader(inflate(payload));
  const entries: DigestEntry[] = [];
  for (let left = reader.count(); left > 0; left -= 1) {
    const kind = LEAF_KINDS[reader.byte()];
    if (kind === undefined) throw new MalformedBytesError('a column is of an unknown kind');
    const path = parsePath(reader.text());
    const counts = Array.from({ length: reader.count() }, () => reader.varint());
    if (kind === 'bigint') entries.push({ kind, path, ticks: readTicks(reader, counts) });
    else if (isWanted(path)) entries.push({ kind, path, numbers: readNumbers(reader, counts) });
    else skipNumbers(reader, counts);
  }
  return entries;
}

function writeNumbers(out: ByteWriter, intervals: readonly (ColumnDigest | undefined)[]): void {
  const known = writeCounts(out, intervals);
  const isConstant = known.every(
    ({ min, max }) => Object.is(min, known[0]?.min) && Object.is(max, known[0]?.min),
  );
  out.byte(isConstant ? 1 : 0);
  if (isConstant) {
    out.float64s([known[0]?.min ?? 0]);
    return;
  }
  for (const figure of ['first', 'last', 'min', 'max'] as const) {
    const chunk = new ByteWriter();
    encodeNumbers(
      chunk,
      known.map((digest) => digest[figure]),
      newNumberState(),
    );
    out.varint(chunk.length);
    out.raw(chunk.bytes());
  }
  out.raw(new Uint8Array(Float32Array.from(known, ({ mean }) => mean).buffer));
}

function readNumbers(reader: ByteReader, counts: readonly number[]): readonly (ColumnDigest | undefined)[] {
  const known = counts.filter((count) => count > 0).length;
  if (known === 0) throw new MalformedBytesError('a digest is of no values');
  if (reader.byte() === 1) {
    const [value = 0] = reader.float64s(1);
    return counts.map((count) =>
      count === 0 ? undefined : { count, first: value, last: value, min: value, max: value, mean: value },
    );
  }
  const read = () => decodeNumbers(new ByteReader(reader.raw(reader.varint())), known, newNumberState());
  const [firsts, lasts, mins, maxs] = [read(), read(), read(), read()];
  const bytes = reader.raw(4 * known);
  const means = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = -1;
  return counts.map((count) => {
    if (count === 0) return undefined;
    at += 1;
    const [first = 0, last = 0, min = 0, max = 0] = [firsts[at], lasts[at], mins[at], maxs[at]];
    return { count, first, last, min, max, mean: means.getFloat32(4 * at, true) };
  });
}

function skipNumbers(reader: ByteReader, counts: readonly number[]): void {
  if (reader.byte() === 1) {
    reader.raw(8);
    return;
  }
  for (let figure = 0; figure < 4; figure += 1) reader.raw(reader.varint());
  reader.raw(4 * counts.filter((count) => count > 0).length);
}

function writeTicks(out: ByteWriter, intervals: readonly (TickDigest | undefined)[]): void {
  for (const { firstNs, lastNs } of writeCounts(out, intervals)) {
    out.text(firstNs.toString());
    out.text(lastNs.toString());
  }
}

function readTicks(reader: ByteReader, counts: readonly number[]): readonly (TickDigest | undefined)[] {
  return counts.map((count) =>
    count === 0 ? undefined : { count, firstNs: parseTick(reader.text()), lastNs: parseTick(reader.text()) },
  );
}

/** Gives those that have values. */
function writeCounts<T extends { readonly count: number }>(
  out: ByteWriter,
  intervals: readonly (T | undefined)[],
): readonly T[] {
  out.varint(intervals.length);
  for (const interval of intervals) out.varint(interval?.count ?? 0);
  return intervals.filter((interval) => interval !== undefined);
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
