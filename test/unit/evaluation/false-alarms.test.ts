import { describe, expect, it } from 'vitest';
import { comparePaired } from '../../../src/evaluation/paired.ts';
import { DEFAULT_VERDICT_SETTINGS, judgeByLabels, type Verdict } from '../../../src/evaluation/verdict.ts';

/** Mulberry32: the same numbers in [0, 1) for the same seed on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Verdicts of many comparisons on `n` items, of which a share `losses` and a share `gains` flips by chance. */
function simulate(
  comparisons: number,
  n: number,
  losses: number,
  gains: number,
): Readonly<Record<Verdict, number>> {
  const random = randomNumbers(20_260_801);
  const verdicts = { non_inferior: 0, degraded_within_budget: 0, regressed: 0, inconclusive: 0, invalid: 0 };
  for (let comparison = 0; comparison < comparisons; comparison += 1) {
    let b = 0;
    let c = 0;
    for (let item = 0; item < n; item += 1) {
      const draw = random();
      if (draw < losses) b += 1;
      else if (draw < losses + gains) c += 1;
    }
    const bothRight = Math.round(0.76 * n) - b;
    const paired = comparePaired({
      bothRight,
      referenceOnly: b,
      candidateOnly: c,
      bothWrong: n - bothRight - b - c,
    });
    verdicts[judgeByLabels(paired, 0.76, DEFAULT_VERDICT_SETTINGS).verdict] += 1;
  }
  return verdicts;
}

describe('a model compared with itself', () => {
  it('never regresses in 1000 comparisons whose runs differ on one item in a thousand', () => {
    const verdicts = simulate(1000, 1000, 0.0005, 0.0005);
    expect(verdicts.regressed).toBe(0);
    expect(verdicts.non_inferior).toBeGreaterThan(990);
  });
});

describe('a candidate that is equally good but answers differently', () => {
  it('regresses in fewer than alpha of the comparisons', () => {
    const comparisons = 2000;
    for (const n of [70, 200, 1000]) {
      const { regressed } = simulate(comparisons, n, 0.03, 0.03);
      expect(regressed / comparisons).toBeLessThan(DEFAULT_VERDICT_SETTINGS.alpha);
    }
  });
});

describe('a candidate that is five points worse', () => {
  it('is found on a thousand items', () => {
    expect(simulate(500, 1000, 0.06, 0.01).regressed).toBe(500);
  });

  it('is hardly ever called non-inferior, however few items there are', () => {
    for (const n of [30, 70, 200]) expect(simulate(500, n, 0.06, 0.01).non_inferior).toBeLessThan(10);
  });
});
