import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { comparePaired } from '../../src/evaluation/paired.ts';
import { clopperPearsonInterval, clopperPearsonUpperBound } from '../../src/evaluation/proportion.ts';
import {
  acceleratedLevel,
  bootstrapShape,
  sortedQuantile,
} from '../../src/evaluation/statistics/bootstrap-interval.ts';
import { normalProbability, studentQuantile } from '../../src/evaluation/statistics/distributions.ts';
import { holmAdjusted } from '../../src/evaluation/statistics/holm.ts';
import { pairedBootstrap } from '../../src/evaluation/statistics/paired-bootstrap.ts';
import { pairedPermutationTest } from '../../src/evaluation/statistics/permutation-test.ts';
import type { Weights } from '../../src/evaluation/task.ts';
import { findPeerPython, type PeerPython } from '../perf/peer-subjects.ts';
import { mcnemarPower } from '../support/mcnemar-power.ts';
import { MAE, normal, uniform } from '../support/simulate-verdicts.ts';

// Holds the statistics of comparisons against SciPy and statsmodels, on random and on degenerate inputs.

const { python, reason } = findStatisticsPeer();

/** The peer's Python, if it has SciPy and statsmodels, or why there is none. */
function findStatisticsPeer(): PeerPython {
  const peer = findPeerPython();
  if (peer.python === undefined) return peer;
  try {
    execFileSync(peer.python, ['-c', 'import scipy.stats, statsmodels.stats.multitest'], { stdio: 'ignore' });
    return peer;
  } catch {
    return { python: undefined, reason: `${peer.python} has no SciPy or no statsmodels` };
  }
}

/** Asks the peer one kind of question about many arguments. */
function ask<Answer>(question: string, cases: readonly (readonly unknown[])[]): readonly Answer[] {
  const script = fileURLToPath(new URL('../fixtures/statistics/peer.py', import.meta.url));
  const answers = execFileSync(python as string, ['-B', script], {
    input: JSON.stringify(cases.map((arguments_) => [question, arguments_])),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return JSON.parse(answers) as Answer[];
}

/** Largest relative difference; absolute where the expected value is 0. */
function expectClose(actual: number, expected: number, tolerance: number, what: string): void {
  const error = Math.abs(actual - expected) / (expected === 0 ? 1 : Math.abs(expected));
  expect(error, `${what}: ${actual} and not ${expected}`).toBeLessThan(tolerance);
}

describe('agreement with SciPy and statsmodels', { timeout: 120_000 }, () => {
  if (python === undefined) {
    it(`is not tested: ${reason}`, (context) => {
      context.skip(reason);
    });
    return;
  }

  const random = uniform(1);
  const whole = (below: number): number => Math.floor(random() * below);
  const normals = (count: number): number[] => Array.from({ length: count }, () => normal(random));

  it('of Clopper-Pearson intervals and bounds, from no trials to a million', () => {
    const cases: [k: number, n: number, confidence: number][] = [
      [0, 0, 0.95],
      [0, 1, 0.95],
      [1, 1, 0.95],
      [0, 1_000_000, 0.99],
      [1_000_000, 1_000_000, 0.99],
      [1, 1_000_000, 0.95],
      [999_999, 1_000_000, 0.95],
      [500_000, 1_000_000, 0.999],
    ];
    for (let i = 0; i < 300; i += 1) {
      const n = 1 + whole(10 ** (1 + whole(6)));
      cases.push([whole(n + 1), n, [0.8, 0.95, 0.99][whole(3)] as number]);
    }
    const answers = ask<{ lower: number; upper: number; oneSidedUpper: number }>('clopperPearson', cases);
    for (const [i, [k, n, confidence]] of cases.entries()) {
      const expected = answers[i] as (typeof answers)[number];
      const { lower, upper } = clopperPearsonInterval(k, n, confidence);
      expectClose(lower, expected.lower, 1e-9, `lower of ${k}/${n}`);
      expectClose(upper, expected.upper, 1e-9, `upper of ${k}/${n}`);
      expectClose(clopperPearsonUpperBound(k, n, confidence), expected.oneSidedUpper, 1e-9, `${k}/${n}`);
    }
  });

  it("of McNemar's exact test, from no change to two million", () => {
    const cases: [b: number, c: number][] = [
      [0, 0],
      [0, 1],
      [1, 0],
      [0, 900],
      [900, 0],
      [1_000_000, 1_000_000],
      [1_001_000, 999_000],
    ];
    for (let i = 0; i < 300; i += 1) {
      const scale = 10 ** (1 + whole(5));
      const b = whole(scale);
      cases.push([b, Math.max(0, Math.round(b + 3 * Math.sqrt(b + 1) * normal(random)))]);
    }
    const answers = ask<number>('mcnemar', cases);
    for (const [i, [b, c]] of cases.entries()) {
      const { pValue } = comparePaired({ bothRight: 10, referenceOnly: b, candidateOnly: c, bothWrong: 0 });
      expectClose(pValue, answers[i] as number, 1e-9, `${b} losses and ${c} gains`);
    }
  });

  it('of the power of that test', () => {
    const cases = Array.from({ length: 25 }, () => {
      const discordance = 0.01 + 0.5 * random();
      return [1 + whole(400), discordance, discordance * (2 * random() - 1), [0.01, 0.05][whole(2)]] as const;
    });
    const answers = ask<number>('mcnemarPower', cases);
    for (const [i, [n, discordance, drop, alpha]] of cases.entries()) {
      const power = mcnemarPower(n, discordance, drop, alpha as number);
      expect(Math.abs(power - (answers[i] as number)), `n = ${n}`).toBeLessThan(1e-10);
    }
  });

  it("of Holm's adjustment, ties and certain values included", () => {
    const cases = Array.from({ length: 100 }, (_, i) => [
      Array.from({ length: 1 + whole(30) }, () => (i % 3 === 0 ? whole(11) / 10 : random() ** 4)),
    ]);
    const answers = ask<number[]>('holm', cases);
    for (const [i, [pValues]] of cases.entries()) {
      const adjusted = holmAdjusted(pValues as number[]);
      for (const [j, p] of (answers[i] as number[]).entries())
        expectClose(adjusted[j] as number, p, 1e-12, `p ${j}`);
    }
  });

  it("of the normal distribution and Student's quantiles", () => {
    const points = Array.from({ length: 200 }, () => [16 * random() - 8] as const);
    for (const [i, p] of ask<number>('normal', points).entries()) {
      const [z] = points[i] as readonly [number];
      expect(Math.abs(normalProbability(z) - p), `z = ${z}`).toBeLessThan(1e-14);
    }
    const levels = Array.from(
      { length: 200 },
      () => [0.0005 + 0.999 * random(), 1 + whole(10 ** (1 + whole(5)))] as const,
    );
    for (const [i, t] of ask<number>('student', levels).entries()) {
      const [p, degreesOfFreedom] = levels[i] as readonly [number, number];
      const error = Math.abs(studentQuantile(p, degreesOfFreedom) - t) / Math.max(1, Math.abs(t));
      expect(error, `p = ${p}, ν = ${degreesOfFreedom}`).toBeLessThan(1e-9);
    }
  });

  it('of percentile and BCa intervals from the same replicates', () => {
    const cases = Array.from({ length: 60 }, (_, i) => {
      const values = normals(3 + whole(60)).map((value) => Math.exp(0.8 * value));
      const draw = () => values[whole(values.length)] as number;
      const replicates = Array.from({ length: 99 + whole(400) }, () => mean(values.map(draw)));
      return [
        values,
        replicates,
        [0.8, 0.9, 0.95][whole(3)] as number,
        i % 2 === 0 ? 'BCa' : 'percentile',
      ] as const;
    });
    const answers = ask<[number, number]>('intervalOfReplicates', cases);
    for (const [i, [values, replicates, level, method]] of cases.entries()) {
      const sorted = Float64Array.from(replicates).sort();
      const total = mean(values) * values.length;
      const jackknife = Float64Array.from(values, (value) => (total - value) / (values.length - 1));
      const shape = bootstrapShape(sorted, mean(values), jackknife);
      for (const [end, tail] of [(1 - level) / 2, (1 + level) / 2].entries()) {
        const at = method === 'BCa' ? acceleratedLevel(tail, shape) : tail;
        expectClose(
          sortedQuantile(sorted, at),
          (answers[i] as number[])[end] as number,
          1e-9,
          `${method} ${i}`,
        );
      }
    }
  });

  it('of bootstrap intervals of a paired difference, within the noise of the replicates', {
    timeout: 120_000,
  }, () => {
    const cases = Array.from({ length: 6 }, (_, i) => {
      const before = normals(150 + whole(200)).map((value) => Math.exp(0.5 * value));
      const after = before.map((value) => value + 0.1 + 0.3 * normal(random));
      return [after, before, 0.9, 'BCa', i] as const;
    });
    const answers = ask<{ low: number; high: number; standardError: number }>('bootstrapOfDifference', cases);
    for (const [i, [after, before]] of cases.entries()) {
      const n = before.length;
      const { lossStandardError, lossInterval } = pairedBootstrap({
        reference: meanMeasure(before),
        candidate: meanMeasure(after),
        n,
        metric: MAE,
        seed: i,
        replicates: 9999,
        confidence: 0.9,
      });
      const { low, high, standardError } = answers[i] as (typeof answers)[number];
      // Of 9,999 replicates the 5 % quantile has a standard error of 0.021 of theirs; ours is expanded by 1 % besides.
      expect(Math.abs((lossInterval?.lower as number) - low) / standardError).toBeLessThan(0.18);
      expect(Math.abs((lossInterval?.upper as number) - high) / standardError).toBeLessThan(0.18);
      expectClose(lossStandardError as number, standardError, 0.05, 'standard error');
    }
  });

  it('of permutation tests: the same for few items, within the noise of the draws for many', () => {
    const sizes = [2, 3, 5, 8, 10, 12, 60, 200];
    const cases = sizes.map((n) => {
      const before = normals(n);
      return [before, before.map((value) => value + 0.15 + normal(random))] as const;
    });
    const answers = ask<number>('permutation', cases);
    for (const [i, [before, after]] of cases.entries()) {
      const test = pairedPermutationTest({
        measure: meanMeasure([...before, ...after]),
        n: before.length,
        metric: MAE,
        seed: i,
        permutations: 9999,
      });
      const p = answers[i] as number;
      const { method, pValue, permutations } = test as NonNullable<typeof test>;
      expect(method).toBe(before.length <= 12 ? 'exact' : 'sampled');
      const noise =
        method === 'exact' ? 1e-12 : 5 * Math.sqrt((p * (1 - p)) / permutations + (p * (1 - p)) / 9999);
      expect(Math.abs(pValue - p), `${before.length} items`).toBeLessThan(noise + 1e-12);
    }
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function meanMeasure(values: readonly number[]) {
  return (weights?: Weights) => {
    let sum = 0;
    let count = 0;
    for (const [i, value] of values.entries()) {
      const weight = weights?.[i] ?? 1;
      sum += weight * value;
      count += weight;
    }
    return { mae: count === 0 ? null : sum / count };
  };
}
