import { readFileSync } from 'node:fs';

interface Question<Arguments extends readonly unknown[], Answer> {
  readonly arguments: Arguments;
  readonly answer: Answer;
}

interface Vectors {
  readonly normal: readonly Question<[z: number], number>[];
  readonly student: readonly Question<[p: number, degreesOfFreedom: number], number>[];
  readonly holm: readonly Question<[pValues: number[]], number[]>[];
  readonly mcnemarPower: readonly Question<
    [n: number, discordance: number, drop: number, alpha: number],
    number
  >[];
  readonly intervalOfReplicates: readonly Question<
    [values: number[], replicates: number[], level: number, method: 'percentile' | 'BCa'],
    [low: number, high: number]
  >[];
}

/** What SciPy and statsmodels computed; `test/fixtures/statistics/make_comparisons.py` writes them. */
export const vectors = JSON.parse(
  readFileSync(new URL('../../../fixtures/statistics/comparisons.json', import.meta.url), 'utf8'),
) as Vectors;
