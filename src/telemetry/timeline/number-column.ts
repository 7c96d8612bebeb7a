import { BitReader, BitWriter } from './bit-stream.ts';
import { type ByteReader, MalformedBytesError } from './byte-reader.ts';
import { type ByteWriter, zigzag } from './byte-writer.ts';
import { findPower, POWERS } from './decimal-power.ts';
import { chooseRice, gammaBits, readGamma, readRice, writeGamma, writeRice } from './rice-code.ts';

/*
 * Values of one column in one block. What a host tells are whole numbers in some decimal unit (bytes, hundredths of a second,
 * microseconds, milliwatts), so a column is brought to whole numbers by a power of ten that restores every double exactly,
 * as ALP does (Afroozeh et al., Proc. ACM Manag. Data 1(4), 2023). These are divided by what all differences share (memory changes by
 * pages of 4096 bytes) and kept as differences, as in Gorilla (Pelkonen et al., VLDB 2015), or as distances from the least,
 * whichever is shorter in Rice's code. Columns that seldom change take the zeros between changes as one number. Doubles that no power
 * of ten brings to whole numbers are kept as they are.
 */

/** What is known of a column from earlier blocks of its segment, to writer and reader alike. */
export interface NumberState {
  power: number;
  /** Divides the differences of all values so far; 0 as long as there was but one value. */
  unit: number;
  /** The last value times `power`. Undefined where the last block was not in whole numbers. */
  whole: number | undefined;
}

export function newNumberState(): NumberState {
  return { power: 1, unit: 0, whole: undefined };
}

const CODINGS = ['raw', 'from-least', 'differences', 'differences-from-least', 'sparse'] as const;
type Coding = (typeof CODINGS)[number];

// The first byte: three bits of coding, one that tells that power, unit and first value follow, four of `k`.
const IS_NEW = 0x08;
const K_SHIFT = 4;
const LONG_K = 15;

/** Writes values, at least one, exactly, NaN and -0 included. Changes `state`, as the reader will. */
export function encodeNumbers(out: ByteWriter, values: readonly number[], state: NumberState): void {
  const power = findPower(values, state.power);
  if (power === undefined) {
    out.byte(CODINGS.indexOf('raw'));
    out.float64s(values);
    state.whole = undefined;
    return;
  }
  const whole = values.map((value) => Math.round(value * power));
  const carried = power === state.power ? state.whole : undefined;
  const base = carried ?? (whole[0] as number);
  const differences = differencesOf(whole, base);
  const unit = differences.reduce(greatestCommonDivisor, carried === undefined ? 0 : state.unit);
  const isNew = carried === undefined || unit !== state.unit;
  const { coding, k, least, numbers } = shortest(whole, base, differences, Math.max(1, unit));
  out.byte(CODINGS.indexOf(coding) | (isNew ? IS_NEW : 0) | (Math.min(k, LONG_K) << K_SHIFT));
  if (isNew) {
    out.byte((POWERS as readonly number[]).indexOf(power));
    out.varint(unit);
    out.signedVarint(base);
  }
  if (k >= LONG_K) out.byte(k);
  if (coding === 'from-least' || coding === 'differences-from-least') out.signedVarint(least);
  out.raw(codeNumbers(numbers, coding, k));
  state.power = power;
  state.unit = unit;
  state.whole = whole.at(-1);
}

/** Reads `count` values, at least one, from all that `reader` holds. Throws `MalformedBytesError`. */
export function decodeNumbers(reader: ByteReader, count: number, state: NumberState): number[] {
  const head = reader.byte();
  const coding = CODINGS[head & 0x07];
  if (coding === undefined) throw new MalformedBytesError(`unknown coding ${head}`);
  if (coding === 'raw') {
    state.whole = undefined;
    return reader.float64s(count);
  }
  if ((head & IS_NEW) !== 0) {
    const power = POWERS[reader.byte()];
    if (power === undefined) throw new MalformedBytesError('unknown power of ten');
    state.power = power;
    state.unit = reader.varint();
    state.whole = reader.signedVarint();
  }
  if (state.whole === undefined) throw new MalformedBytesError('a value before the first is missing');
  const shortK = head >>> K_SHIFT;
  const k = shortK === LONG_K ? reader.byte() : shortK;
  if (k > 53) throw new MalformedBytesError('a number has more than 53 bits');
  const fromLeast = coding === 'from-least' || coding === 'differences-from-least';
  const least = fromLeast ? reader.signedVarint() : 0;
  const numbers = decodeCoded(new BitReader(reader.raw(reader.remaining)), count, coding, k);
  const { power } = state;
  const unit = Math.max(1, state.unit);
  const base = state.whole;
  let value = base;
  const values = numbers.map((number) => {
    if (coding === 'from-least') value = base + (least + number) * unit;
    else value += (coding === 'differences-from-least' ? least + number : unzigzag(number)) * unit;
    return value / power;
  });
  state.whole = value;
  return values;
}

interface Coded {
  readonly coding: Coding;
  readonly k: number;
  readonly least: number;
  readonly numbers: readonly number[];
}

function shortest(
  whole: readonly number[],
  base: number,
  differences: readonly number[],
  unit: number,
): Coded {
  const steps = differences.map((difference) => difference / unit);
  const folded = steps.map(zigzag);
  const leastStep = leastOf(steps);
  const leastValue = (leastOf(whole) - base) / unit;
  const fromLeast = whole.map((value) => (value - base) / unit - leastValue);
  const candidates = [
    { coding: 'differences', least: 0, numbers: folded, ...chooseRice(folded) },
    sparse(folded),
    withLeast('from-least', leastValue, fromLeast),
    withLeast(
      'differences-from-least',
      leastStep,
      steps.map((step) => step - leastStep),
    ),
  ] as const satisfies readonly (Coded & { readonly bits: number })[];
  return candidates.reduce<Coded & { readonly bits: number }>(
    (best, candidate) => (candidate.bits < best.bits ? candidate : best),
    candidates[0],
  );
}

function withLeast<C extends Coding>(coding: C, least: number, numbers: readonly number[]) {
  const { k, bits } = chooseRice(numbers);
  return { coding, least, numbers, k, bits: bits + 8 * Math.ceil((1 + Math.log2(zigzag(least) + 1)) / 7) };
}

function sparse(numbers: readonly number[]) {
  const changes = numbers.filter((number) => number !== 0).map((number) => number - 1);
  const { k, bits } = chooseRice(changes);
  let runBits = 0;
  let zeros = 0;
  for (const number of numbers) {
    if (number === 0) zeros += 1;
    else {
      runBits += gammaBits(zeros + 1);
      zeros = 0;
    }
  }
  return { coding: 'sparse', least: 0, numbers, k, bits: bits + runBits + gammaBits(zeros + 1) } as const;
}

function codeNumbers(numbers: readonly number[], coding: Coding, k: number): Uint8Array {
  const bits = new BitWriter();
  if (coding !== 'sparse') {
    for (const number of numbers) writeRice(bits, number, k);
    return bits.bytes();
  }
  let zeros = 0;
  for (const number of numbers) {
    if (number === 0) zeros += 1;
    else {
      writeGamma(bits, zeros + 1);
      writeRice(bits, number - 1, k);
      zeros = 0;
    }
  }
  if (zeros > 0) writeGamma(bits, zeros + 1);
  return bits.bytes();
}

function decodeCoded(bits: BitReader, count: number, coding: Coding, k: number): number[] {
  if (coding !== 'sparse') return Array.from({ length: count }, () => readRice(bits, k));
  const numbers: number[] = [];
  while (numbers.length < count) {
    const zeros = readGamma(bits) - 1;
    if (numbers.length + zeros > count) throw new MalformedBytesError('a column has more values than rows');
    for (let index = 0; index < zeros; index += 1) numbers.push(0);
    if (numbers.length < count) numbers.push(readRice(bits, k) + 1);
  }
  return numbers;
}

function differencesOf(whole: readonly number[], base: number): number[] {
  let previous = base;
  return whole.map((value) => {
    const difference = value - previous;
    previous = value;
    return difference;
  });
}

function leastOf(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function greatestCommonDivisor(a: number, b: number): number {
  let larger = Math.abs(a);
  let smaller = Math.abs(b);
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
