import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Figures } from '../../src/evaluation/task.ts';
import { findPeerPython } from '../perf/peer-subjects.ts';
import { figuresOf, type MetricCase } from '../unit/evaluation/tasks/metric-cases.ts';
import { expectSameFigures } from '../unit/evaluation/tasks/same-figures.ts';

// Holds the figures of the tasks against scikit-learn on inputs drawn anew, among them many with ties, absent classes,
// constant truths and single items.

const CASES = 150;
const SCRIPT = fileURLToPath(new URL('../fixtures/metrics/make.py', import.meta.url));
const { python, reason } = findPeerPython();

describe('agreement with scikit-learn', () => {
  if (python === undefined) {
    it(`is not tested: ${reason}`, (context) => {
      context.skip(reason);
    });
    return;
  }

  it.each(Object.entries(createGenerators()))(
    'of %s holds to 1e-9',
    { timeout: 120_000 },
    async (_, generator) => {
      const seed = Date.now() % 2 ** 31;
      const cases = fc.sample(generator, { seed, numRuns: CASES });
      const expected = await askPeer(python, cases);
      expect(expected).toHaveLength(cases.length);
      for (const [i, metricCase] of cases.entries()) {
        expectSameFigures(figuresOf(metricCase), expected[i] as Figures, { seed, ...metricCase });
      }
    },
  );
});

function createGenerators(): Readonly<Record<MetricCase['task'], fc.Arbitrary<MetricCase>>> {
  const items = fc.integer({ min: 1, max: 30 });
  // Those of the first kind make many ties; all are exact in float32.
  const scores = fc
    .oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4000 }))
    .map((n) => n / 4096);
  const bits = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1 }));
  const rows = <T>(n: number, width: number, of: fc.Arbitrary<T>): fc.Arbitrary<T[][]> =>
    list(n, list(width, of));
  return {
    classification: items.chain((n) =>
      fc.integer({ min: 2, max: 9 }).chain((classes) =>
        fc.record({
          task: fc.constant('classification' as const),
          // Of equal scores at the edge of the five largest scikit-learn takes others, so all differ.
          scores: list(
            n,
            fc.shuffledSubarray(
              Array.from({ length: classes }, (_, i) => i),
              { minLength: classes },
            ),
          ),
          truth: list(n, fc.nat(classes - 1)),
          weights: weightsOf(n),
        }),
      ),
    ),
    'multi-label': items.chain((n) =>
      fc.integer({ min: 2, max: 5 }).chain((classes) =>
        fc.record({
          task: fc.constant('multi-label' as const),
          scores: rows(n, classes, scores),
          truth: rows(n, classes, bits),
          threshold: fc.constantFrom(0.25, 0.5, 2 / 4096),
          weights: weightsOf(n),
        }),
      ),
    ),
    regression: fc.integer({ min: 2, max: 30 }).chain((n) =>
      fc.integer({ min: 1, max: 3 }).chain((width) =>
        fc.record({
          task: fc.constant('regression' as const),
          values: rows(
            n,
            width,
            fc.integer({ min: -3000, max: 3000 }).map((v) => v / 1024),
          ),
          truth: fc.oneof(
            rows(
              n,
              width,
              fc.integer({ min: -3000, max: 3000 }).map((v) => 100 + v / 1000),
            ),
            fc.constant(Array.from({ length: n }, () => new Array<number>(width).fill(0.5))),
          ),
          // scikit-learn's mean of one target that counts often may be off by a rounding, and its R² is enormous then.
          weights: weightsOf(n).filter((weights) => weights === null || weights.filter(Boolean).length > 1),
        }),
      ),
    ),
    'binary-over-time': items.chain((n) =>
      fc.integer({ min: 1, max: 6 }).chain((frames) =>
        fc.record({
          task: fc.constant('binary-over-time' as const),
          scores: rows(n, frames, scores),
          truth: rows(n, frames, bits),
          threshold: fc.constantFrom(0.25, 0.5, 2 / 4096),
          weights: weightsOf(n),
        }),
      ),
    ),
    segmentation: fc.integer({ min: 1, max: 6 }).chain((n) =>
      fc.record({
        task: fc.constant('segmentation' as const),
        predicted: list(n, rows(3, 4, fc.nat(3))),
        truth: list(n, rows(3, 4, fc.constantFrom(0, 1, 2, 3, 9))),
        ignore: fc.constant(9),
        weights: weightsOf(n),
      }),
    ),
    embedding: items.chain((n) =>
      fc.record({
        task: fc.constant('embedding' as const),
        reference: vectors(n),
        candidate: vectors(n),
        k: fc.integer({ min: 1, max: 12 }),
        weights: weightsOf(n),
      }),
    ),
    'kl-divergence': fc.integer({ min: 2, max: 40 }).chain((classes) =>
      fc.record({
        task: fc.constant('kl-divergence' as const),
        reference: list(
          classes,
          fc.integer({ min: -900, max: 900 }).map((v) => v / 64),
        ),
        candidate: list(
          classes,
          fc.integer({ min: -900, max: 900 }).map((v) => v / 64),
        ),
        logits: fc.constant(true),
      }),
    ),
  };
}

function list<T>(length: number, of: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(of, { minLength: length, maxLength: length });
}

/** As a bootstrap gives them, or none. */
function weightsOf(n: number): fc.Arbitrary<number[] | null> {
  const drawn = list(n, fc.nat(n - 1)).map((items) =>
    Array.from({ length: n }, (_, item) => items.filter((other) => other === item).length),
  );
  return fc.option(drawn, { nil: null });
}

/** Of irregular numbers, so that no two cosines are equal but for a rounding. */
function vectors(n: number): fc.Arbitrary<number[][]> {
  const irregular = fc
    .noBias(fc.integer({ min: 1, max: 2 ** 30 }))
    .map((seed) => Math.fround(Math.sin(seed) * 3));
  return list(n, list(6, irregular));
}

function askPeer(executable: string, cases: readonly MetricCase[]): Promise<readonly Figures[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(executable, [SCRIPT, '-'], { maxBuffer: 2 ** 26 }, (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout) as readonly Figures[]);
      else reject(error);
    });
    child.stdin?.end(JSON.stringify(cases));
  });
}
