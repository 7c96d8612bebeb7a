import { type ByteReader, MalformedBytesError } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { decodeNumbers, encodeNumbers, newNumberState } from './number-column.ts';

/** Distances below this are exact in a double, and fit what `encodeNumbers` takes. */
const MAX_DISTANCE = 2n ** 50n;

const AS_TEXT = 0;
const STEADY = 1;
const STEADY_FROM_CARRIED = 2;

/** Whole milliseconds of a tick, to which the wall clock is put in relation. */
export function millisecondsOf(tickNs: bigint): number {
  return Number(tickNs / 1_000_000n);
}

/**
 * Writes ticks: how far each lies from a steady course, as a sampler has its ticks at whole multiples of its period and is
 * late by a little that does not add up. Values far apart are kept as decimal text.
 */
export function encodeBigints(out: ByteWriter, values: readonly bigint[], carried: bigint | undefined): void {
  const first = values[0] ?? 0n;
  const period = middleOf(values.slice(1).map((value, index) => value - (values[index] ?? 0n)));
  const distances = values.map((value, index) => value - first - BigInt(index) * period);
  if ([...distances, period].some((distance) => distance > MAX_DISTANCE || distance < -MAX_DISTANCE)) {
    out.byte(AS_TEXT);
    for (const value of values) out.text(value.toString());
    return;
  }
  const gap = carried === undefined ? undefined : first - carried;
  if (gap !== undefined && gap < MAX_DISTANCE && gap > -MAX_DISTANCE) {
    out.byte(STEADY_FROM_CARRIED);
    out.signedVarint(Number(gap));
  } else {
    out.byte(STEADY);
    out.text(first.toString());
  }
  out.signedVarint(Number(period));
  encodeNumbers(out, distances.map(Number), newNumberState());
}

/** Reads `count` values, at least one. Throws `MalformedBytesError`. */
export function decodeBigints(reader: ByteReader, count: number, carried: bigint | undefined): bigint[] {
  const coding = reader.byte();
  if (coding === AS_TEXT) return Array.from({ length: count }, () => parseTick(reader.text()));
  const first = firstTick(reader, coding, carried);
  const period = BigInt(reader.signedVarint());
  return decodeNumbers(reader, count, newNumberState()).map((distance, index) => {
    if (!Number.isSafeInteger(distance)) throw new MalformedBytesError('a tick is no whole number');
    return first + BigInt(index) * period + BigInt(distance);
  });
}

function firstTick(reader: ByteReader, coding: number, carried: bigint | undefined): bigint {
  if (coding === STEADY) return parseTick(reader.text());
  if (coding !== STEADY_FROM_CARRIED) throw new MalformedBytesError('unknown coding of whole numbers');
  if (carried === undefined) throw new MalformedBytesError('a tick before the first is missing');
  return carried + BigInt(reader.signedVarint());
}

/** The median, which a gap does not move. Zero of none. */
function middleOf(values: readonly bigint[]): bigint {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[sorted.length >>> 1] ?? 0n;
}

/** Throws `MalformedBytesError`. */
export function parseTick(text: string): bigint {
  if (!/^-?\d{1,400}$/.test(text)) throw new MalformedBytesError('a tick is no whole number');
  return BigInt(text);
}
