import type { BitReader, BitWriter } from './bit-stream.ts';
import { MalformedBytesError } from './byte-reader.ts';

/*
 * Rice's code: a number's lowest `k` bits as they are, and how often 2^k fits into it in unary. It is the shortest code for numbers that
 * are geometrically distributed, as noise around a steady course nearly is (R. F. Rice, JPL Publication 79-22, 1979). Of 2^k beyond
 * `MOST_ONES` times the number follows in full, so that one outlier costs some ten bytes and not thousands.
 */

const MOST_ONES = 20;
const FULL_BITS = 53;

/** The `k` that makes the numbers shortest, and how many bits they then take. */
export function chooseRice(numbers: readonly number[]): { readonly k: number; readonly bits: number } {
  const mean = numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length);
  const guess = Math.max(0, Math.floor(Math.log2(mean + 1)));
  // An outlier raises the mean above what suits the others.
  let best = { k: 0, bits: Number.POSITIVE_INFINITY };
  for (let k = Math.min(guess + 1, FULL_BITS - 1); k >= 0; k -= 1) {
    const bits = riceBits(numbers, k);
    if (bits < best.bits) best = { k, bits };
    else if (bits > 1.5 * best.bits) break;
  }
  return best;
}

function riceBits(numbers: readonly number[], k: number): number {
  const unit = 2 ** k;
  let bits = 0;
  for (const number of numbers) {
    const ones = Math.floor(number / unit);
    bits += ones < MOST_ONES ? ones + 1 + k : MOST_ONES + FULL_BITS;
  }
  return bits;
}

export function writeRice(out: BitWriter, number: number, k: number): void {
  const unit = 2 ** k;
  const ones = Math.floor(number / unit);
  if (ones >= MOST_ONES) {
    out.write(2 ** MOST_ONES - 1, MOST_ONES);
    out.write(number, FULL_BITS);
    return;
  }
  out.write(2 ** (ones + 1) - 2, ones + 1);
  out.write(number - ones * unit, k);
}

/** Throws `MalformedBytesError`. */
export function readRice(reader: BitReader, k: number): number {
  const ones = reader.ones(MOST_ONES);
  return ones === MOST_ONES ? reader.read(FULL_BITS) : ones * 2 ** k + reader.read(k);
}

/** Bits of a number of at least 1 in Elias' gamma code: its length in unary, then the number. Short for small ones. */
export function gammaBits(number: number): number {
  return 2 * Math.floor(Math.log2(number)) + 1;
}

export function writeGamma(out: BitWriter, number: number): void {
  const more = Math.floor(Math.log2(number));
  out.write(2 ** (more + 1) - 2, more + 1);
  out.write(number - 2 ** more, more);
}

/** Throws `MalformedBytesError`. */
export function readGamma(reader: BitReader): number {
  const more = reader.ones(32);
  if (more === 32) throw new MalformedBytesError('a number is longer than any that is written');
  return 2 ** more + reader.read(more);
}
