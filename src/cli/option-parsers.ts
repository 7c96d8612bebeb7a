import { InvalidArgumentError } from 'commander';
import { parseDurationSeconds } from '../config/duration.ts';
import { MOST_TRACED_QUERIES } from '../core/bench-terms.ts';
import { isSampling, SAMPLING_FORM, type Sampling } from '../core/sampling.ts';
import { RECIPE_FORMATS } from '../quantization/recipe.ts';

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`expected a whole number but found '${text}'`);
  }
  return value;
}

/** 0 stands for every core. */
export function threadCount(text: string): number {
  const value = wholeNumber(text);
  if (value > 1024) throw new InvalidArgumentError(`expected at most 1024 threads but found ${text}`);
  return value;
}

export function positiveInteger(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('expected a whole number of at least 1 but found 0');
  return value;
}

/** From 1 to 10,000. */
export function tracedQueries(text: string): number {
  const value = positiveInteger(text);
  if (value > MOST_TRACED_QUERIES)
    throw new InvalidArgumentError(`expected at most ${MOST_TRACED_QUERIES} but found ${text}`);
  return value;
}

/** `a,b` → ['a', 'b']; the option may be given more than once. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  return [
    ...before,
    ...text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ];
}

/** The name of a format, `auto`, or something that can be the path of a file. */
export function recipeName(text: string): string {
  const names: readonly string[] = [...RECIPE_FORMATS, 'auto'];
  if (names.includes(text) || /[./\\]/.test(text)) return text;
  throw new InvalidArgumentError(`Allowed choices are ${names.join(', ')}, or a YAML file.`);
}

/** `500ms`, `10s`, `2m`, `1h` → seconds. */
export function durationSeconds(text: string): number {
  const seconds = parseDurationSeconds(text) ?? 0;
  if (seconds <= 0)
    throw new InvalidArgumentError(`expected a duration such as 500ms, 10s or 2m but found '${text}'`);
  return seconds;
}

/** A p-value below which something counts as shown: above 0 and up to 0.2. */
export function significance(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 0.2)) {
    throw new InvalidArgumentError(`expected a number above 0 and up to 0.2 but found '${text}'`);
  }
  return value;
}

/** Of intervals: from 0.5 to below 1. */
export function confidence(text: string): number {
  const value = Number(text);
  if (!(value >= 0.5 && value < 1)) {
    throw new InvalidArgumentError(`expected a number from 0.5 to below 1 but found '${text}'`);
  }
  return value;
}

/** A number above 50 and up to 100. */
export function percentile(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 50 && value <= 100)) {
    throw new InvalidArgumentError(`expected a number above 50 and up to 100 but found '${text}'`);
  }
  return value;
}

export function nonNegative(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError(`expected a number of at least 0 but found '${text}'`);
  }
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError(`expected a number above 0 but found '${text}'`);
  }
  return value;
}

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `500MiB`, `1.5 GiB` → bytes. */
export function sizeBytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?(KiB|MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (!(bytes >= 1))
    throw new InvalidArgumentError(`expected a size such as 500MiB or 4GiB but found '${text}'`);
  return Math.floor(bytes);
}

/** A percentile of latencies from above 50 to 99.9, with one decimal at most → thousandths. */
export function tailPermille(text: string): number {
  const permille = Math.round(Number(text) * 10);
  if (!/^\d+(\.\d)?$/.test(text) || !(permille > 500 && permille <= 999)) {
    throw new InvalidArgumentError(`expected a percentile above 50 and up to 99.9 but found '${text}'`);
  }
  return permille;
}

/** `5%` or `0.05` → 0.05; above 0 and below 1. */
export function ratioOrPercent(text: string): number {
  const [, digits, sign] = /^(\d+(?:\.\d+)?)\s*(%)?$/.exec(text) ?? [];
  const ratio = Number(digits) / (sign === undefined ? 1 : 100);
  if (!(ratio > 0 && ratio < 1)) {
    throw new InvalidArgumentError(`expected a share such as 5% or 0.05 but found '${text}'`);
  }
  return ratio;
}

/** `1,2,4` → [1, 2, 4], each once. */
export function positiveIntegers(text: string): readonly number[] {
  return numbersIn(text, positiveInteger);
}

/** As `positiveIntegers`; 0 stands for every core. */
export function threadCounts(text: string): readonly number[] {
  return numbersIn(text, threadCount);
}

function numbersIn(text: string, parse: (part: string) => number): readonly number[] {
  return [...new Set(text.split(',').map((part) => parse(part.trim())))];
}

/** `off`, `slow`, `1hz` to `100hz`. */
export function samplingRate(text: string): Sampling {
  if (!isSampling(text)) throw new InvalidArgumentError(`expected ${SAMPLING_FORM} but found '${text}'`);
  return text;
}

/** From 0 to 100 dB. */
export function decibels(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100)) {
    throw new InvalidArgumentError(`expected decibels from 0 to 100 but found '${text}'`);
  }
  return value;
}
