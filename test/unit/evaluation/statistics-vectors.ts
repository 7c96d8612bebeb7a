import { readFileSync } from 'node:fs';

interface Vectors {
  readonly incompleteBeta: readonly { a: number; b: number; x: number; p: number }[];
  readonly inverseIncompleteBeta: readonly { a: number; b: number; p: number; x: number }[];
  readonly normalQuantile: readonly { p: number; z: number }[];
  readonly proportions: readonly {
    k: number;
    n: number;
    confidence: number;
    lower: number;
    upper: number;
    oneSidedUpper: number;
  }[];
  readonly mcnemar: readonly { b: number; c: number; pValue: number }[];
}

/** Reference values that SciPy computed; `test/fixtures/statistics/make.py` writes them. */
export const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/statistics/statistics.json', import.meta.url), 'utf8'),
) as Vectors;

/** Error relative to the expected value, absolute where that is zero. */
export function relativeError(actual: number, expected: number): number {
  return Math.abs(actual - expected) / (expected === 0 ? 1 : Math.abs(expected));
}
