import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictedClass } from '../../../../../src/evaluation/classification.ts';
import { predictIds } from '../../../../../src/evaluation/tasks/text/predicted-ids.ts';
import { unwrap } from '../../../../support/unwrap.ts';
import { idsTensor, scoresFor } from './text-metrics-vectors.ts';

const ITEM = { index: 0 };

describe('predictIds', () => {
  it('takes the class of each position as the classification does, NaN and equal scores among them', () => {
    const score = fc.constantFrom(0, 1, 2, -1, Number.NaN, Number.NEGATIVE_INFINITY);
    const rows = fc.array(fc.array(score, { minLength: 3, maxLength: 3 }), { maxLength: 5 });
    fc.assert(
      fc.property(rows, (scores) => {
        const tensor = {
          type: 'float32',
          dims: [1, scores.length, 3],
          data: Float32Array.from(scores.flat()),
        } as const;
        const { ids, from } = unwrap(predictIds({ x: tensor }, { outputs: ['x'] }, ITEM, 3));
        expect([...ids]).toEqual(scores.map(predictedClass));
        expect(from).toBe('scores');
      }),
    );
  });

  it('takes integers for ids, and for scores where they have an axis of classes', () => {
    const ids = unwrap(predictIds({ x: idsTensor([2, 0]) }, { outputs: ['x'] }, ITEM, 3));
    expect(ids).toEqual({ output: 'x', ids: Int32Array.of(2, 0), from: 'ids' });
    const bytes = { type: 'uint8', dims: [1, 2, 3], data: Uint8Array.of(0, 1, 9, 9, 1, 0) } as const;
    const scores = unwrap(predictIds({ x: bytes }, { outputs: ['x'] }, ITEM, 3));
    expect(scores).toEqual({ output: 'x', ids: Int32Array.of(2, 0), from: 'scores' });
  });

  it('reads outputs without positions', () => {
    for (const x of [idsTensor([]), scoresFor([], 3)]) {
      expect(unwrap(predictIds({ x }, { outputs: ['x'] }, ITEM, 3)).ids).toHaveLength(0);
    }
  });

  it('reads the output that is named', () => {
    const tensors = { x: idsTensor([0]), y: idsTensor([1]) };
    const choice = { outputs: ['x', 'y'], output: 'y' };
    expect(unwrap(predictIds(tensors, choice, ITEM, 3))).toMatchObject({
      output: 'y',
      ids: Int32Array.of(1),
    });
  });

  it('has a problem with an output of too many axes, or of other classes', () => {
    for (const dims of [[1, 1, 2, 3], [2, 3, 3], [3], [1, 3, 2]]) {
      const size = dims.reduce((a, b) => a * b);
      const x = { type: 'float32', dims, data: new Float32Array(size) } as const;
      const result = predictIds({ x }, { outputs: ['x'] }, ITEM, 3);
      expect(result).toMatchObject({ ok: false, error: { kind: 'output-shape-unexpected' } });
    }
  });
});
