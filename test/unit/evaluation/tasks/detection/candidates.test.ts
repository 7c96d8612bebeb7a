import { describe, expect, it } from 'vitest';
import {
  addBox,
  addCandidate,
  addCentredBox,
  addLogits,
  addScores,
  type Candidates,
  clearCandidates,
  createCandidates,
} from '../../../../../src/evaluation/tasks/detection/candidates.ts';

function labelsOf(found: Candidates): number[] {
  return [...found.labels.subarray(0, found.count)];
}

function row(values: readonly number[]) {
  return { values, start: 0, step: 1, count: values.length };
}

describe('addScores', () => {
  it('adds every class that reaches the threshold', () => {
    const found = createCandidates(0.25, true);
    expect(addScores(found, row([0.25, 0.1, 0.9]), 1)).toBe(true);
    expect(labelsOf(found)).toEqual([0, 2]);
    expect([...found.scores.subarray(0, 2)]).toEqual([0.25, Math.fround(0.9)]);
    expect(addScores(found, row([0.2, 0.1]), 1)).toBe(false);
    expect(found.count).toBe(2);
  });

  it('adds the best class alone, the first of equals, where a box has one class', () => {
    const found = createCandidates(0.25, false);
    addScores(found, row([0.3, 0.9, 0.9]), 1);
    expect(labelsOf(found)).toEqual([1]);
  });

  it('multiplies by the factor before it compares', () => {
    const found = createCandidates(0.25, true);
    addScores(found, row([0.5, 0.4]), 0.5);
    expect(labelsOf(found)).toEqual([0]);
    expect(found.scores[0]).toBe(0.25);
  });

  it('follows the step from one class to the next', () => {
    const found = createCandidates(0.25, true);
    addScores(found, { values: [0.9, 0, 0.9, 0.9, 0, 0.9], start: 1, step: 2, count: 2 }, 1);
    expect(labelsOf(found)).toEqual([1]);
  });

  it.each([true, false])('notes a score that is not a number and goes on (multiLabel %s)', (multiLabel) => {
    const found = createCandidates(0.25, multiLabel);
    addScores(found, row([Number.NaN, 0.5]), 1);
    expect(found.hasNaN).toBe(true);
    expect(labelsOf(found)).toEqual([1]);
  });
});

describe('addLogits', () => {
  it.each([true, false])('is addScores of their sigmoid (multiLabel %s)', (multiLabel) => {
    const logits = Array.from({ length: 41 }, (_, i) => (i - 20) / 4);
    const [direct, viaScores] = [createCandidates(0.2, multiLabel), createCandidates(0.2, multiLabel)];
    addLogits(direct, row(logits), 0.7);
    addScores(viaScores, row(logits.map((value) => 1 / (1 + Math.exp(-value)))), 0.7);
    expect(labelsOf(direct)).toEqual(labelsOf(viaScores));
    expect(direct.count).toBeGreaterThan(0);
    expect([...direct.scores.subarray(0, direct.count)]).toEqual([
      ...viaScores.scores.subarray(0, direct.count),
    ]);
  });

  it.each([true, false])(
    'drops what only the factor brings below the threshold (multiLabel %s)',
    (multiLabel) => {
      const found = createCandidates(0.5, multiLabel);
      expect(addLogits(found, row([0.1]), 0.5)).toBe(false);
      expect(found.count).toBe(0);
    },
  );

  it('takes the first of equal logits where a box has one class', () => {
    const found = createCandidates(0.2, false);
    addLogits(found, row([0, 1, 1]), 1);
    expect(labelsOf(found)).toEqual([1]);
  });

  it('notes a logit that is not a number', () => {
    const found = createCandidates(0, true);
    expect(addLogits(found, row([Number.NaN]), 1)).toBe(false);
    expect(found.hasNaN).toBe(true);
  });
});

describe('addBox', () => {
  it('gives the candidates before it their box', () => {
    const found = createCandidates(0, true);
    addCandidate(found, 0.5, 0);
    addCandidate(found, 0.5, 1);
    addBox(found, 1, 2, 3, 4);
    addCandidate(found, 0.5, 2);
    addCentredBox(found, 10, 20, 4, 6);
    expect([...found.boxOf.subarray(0, 3)]).toEqual([0, 0, 1]);
    expect([...found.boxes.subarray(0, 8)]).toEqual([1, 2, 3, 4, 8, 17, 12, 23]);
  });

  it('takes the candidates of a box that is not a number away, and no others', () => {
    const found = createCandidates(0, true);
    addCandidate(found, 0.5, 0);
    addBox(found, 1, 2, 3, 4);
    addCandidate(found, 0.9, 1);
    addCandidate(found, 0.9, 2);
    addBox(found, 1, Number.NaN, 3, 4);
    expect(labelsOf(found)).toEqual([0]);
    expect(found).toMatchObject({ boxCount: 1, hasNaN: true });
  });

  it('grows as far as it has to', () => {
    const found = createCandidates(0, true);
    for (let i = 0; i < 5000; i += 1) {
      addCandidate(found, i / 8192, i);
      addBox(found, i, i, i + 1, i + 1);
    }
    expect(found.labels[4999]).toBe(4999);
    expect(found.scores[4999]).toBe(Math.fround(4999 / 8192));
    expect(found.boxes[4 * 4999 + 3]).toBe(5000);
    clearCandidates(found);
    expect(found).toMatchObject({ count: 0, boxCount: 0, hasNaN: false });
  });
});
