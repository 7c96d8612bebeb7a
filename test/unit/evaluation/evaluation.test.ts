import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/core/problem.ts';
import type { Result } from '../../../src/core/result.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import {
  createEvaluator,
  type EvaluatorOptions,
  finishTogether,
} from '../../../src/evaluation/evaluation.ts';
import { MAX_LISTED_INDICES } from '../../../src/evaluation/index-list.ts';
import type { Task } from '../../../src/evaluation/task.ts';
import { createClassificationTask } from '../../../src/evaluation/tasks/classification-task.ts';

const CLASSIFICATION: EvaluatorOptions = {
  task: createClassificationTask({ outputs: ['scores'] }) as unknown as Task<unknown>,
  outputs: ['scores'],
};

/** Facts of an item whose class is known. */
function labelled(index: number, label: number) {
  return { index, truth: { kind: 'class', index: label } } as const;
}

function vector(values: readonly number[], dims: readonly number[] = [1, values.length]): Tensor {
  return { type: 'float32', dims, data: new Float32Array(values) };
}

function scores(reference: readonly number[], candidate: readonly number[]) {
  return { reference: { scores: vector(reference) }, candidate: { scores: vector(candidate) } };
}

function problemOf(result: Result<unknown, Problem>): Problem | undefined {
  return result.ok ? undefined : result.error;
}

describe('createEvaluator', () => {
  it('judges by kept answers, labels or not, where the metric is agreement', () => {
    const settings = {
      alpha: 0.01,
      confidence: 0.95,
      budget: { absolute: 0.6 },
      metric: 'agreement',
    } as const;
    const evaluator = createEvaluator({ ...CLASSIFICATION, settings });
    // Right to wrong once; top-1 alone would bound the loss, agreement counts the flip whatever it was.
    for (let index = 0; index < 5; index++)
      evaluator.add({ ...labelled(index, 0), ...scores([2, 1], [2, 1]) });
    evaluator.add({ ...labelled(5, 0), ...scores([2, 1], [1, 2]) });
    const evaluation = evaluator.finish();
    expect(evaluation).toMatchObject({ top1: 5 / 6, allowedDrop: 0.6, verdict: 'non_inferior' });
    expect(evaluation.verdictReason).toContain('the answer changed on 1 of 6 items');
  });

  it('reports accuracy, agreement, fidelity and a verdict of a classifier with labels', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    evaluator.add({ ...labelled(0, 0), ...scores([2, 1], [2, 1]) });
    evaluator.add({ ...labelled(1, 1), id: 'b.jpg', ...scores([1, 2], [2, 1]) });
    evaluator.add({ ...labelled(2, 0), ...scores([2, 1], [2, 1]) });
    evaluator.add({ ...labelled(3, 0), ...scores([1, 2], [1, 2]) });
    const evaluation = evaluator.finish();
    expect(evaluation).toMatchObject({
      task: 'classification',
      n: 4,
      top1: 0.5,
      reference: { top1: 0.75 },
      agreement: 0.75,
      paired: { n: 4, b: 1, c: 0, drop: 0.25, pValue: expect.closeTo(0.5, 12) },
      allowedDrop: 0.0075,
      flipped: { count: 1, indices: [1] },
      changes: [
        {
          index: 1,
          id: 'b.jpg',
          reference: 'class 1',
          candidate: 'class 0',
          referenceRight: true,
          candidateRight: false,
        },
      ],
      metric: 'top1',
      maxAbsError: 1,
      identical: false,
      nonFinite: { count: 0, indices: [] },
      failed: { count: 0, indices: [] },
      verdict: 'inconclusive',
    });
    expect(evaluation.sqnrDb).toBeCloseTo(10 * Math.log10(20 / 2), 12);
    expect(evaluation.top1Interval?.lower).toBeCloseTo(0.06758599, 7);
    expect(evaluation.agreementInterval?.upper).toBeCloseTo(0.99369054, 7);
    expect(evaluation.top5).toBeUndefined();
    expect(evaluation.reference).not.toHaveProperty('top5');
  });

  it('reports the top five of six classes and more', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    evaluator.add({ ...labelled(0, 0), ...scores([6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6]) });
    expect(evaluator.finish()).toMatchObject({ top5: 0, reference: { top5: 1 } });
  });

  it('judges by agreement where there are no labels', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    for (let index = 0; index < 300; index += 1) evaluator.add({ index, ...scores([2, 1], [3, 1]) });
    const evaluation = evaluator.finish();
    expect(evaluation).toMatchObject({ agreement: 1, allowedDrop: 0.01, verdict: 'non_inferior' });
    expect(evaluation).not.toHaveProperty('top1');
    expect(evaluation).not.toHaveProperty('paired');
  });

  it('counts changed answers against a candidate where there are no labels', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    for (let index = 0; index < 300; index += 1)
      evaluator.add({ index, ...scores([2, 1], index < 9 ? [1, 2] : [2, 1]) });
    expect(evaluator.finish()).toMatchObject({
      agreement: 0.97,
      verdict: 'inconclusive',
      verdictReason: expect.stringContaining('the answer changed on 9 of 300 items'),
    });
  });

  it('compares every output and puts the first one in front', () => {
    const evaluator = createEvaluator({ outputs: ['b', 'a'] });
    const reference = { a: vector([1, 1]), b: vector([3, 4]) };
    evaluator.add({ index: 0, reference, candidate: { a: vector([1, 1]), b: vector([3, 4.5]) } });
    const evaluation = evaluator.finish();
    expect(evaluation.sqnrDb).toBeCloseTo(20, 12);
    expect(evaluation.outputs).toMatchObject([
      { name: 'b', identical: false },
      { name: 'a', identical: true, sqnrDb: null },
    ]);
    expect(evaluation).not.toHaveProperty('agreement');
    expect(evaluation).not.toHaveProperty('flipped');
  });

  it('reads float16, int64 and bool outputs as numbers', () => {
    const evaluator = createEvaluator({ outputs: ['half', 'long', 'flag'] });
    const reference = {
      half: { type: 'float16', dims: [2], data: new Uint16Array([0x3c00, 0xc000]) },
      long: { type: 'int64', dims: [1], data: new BigInt64Array([7n]) },
      flag: { type: 'bool', dims: [1], data: new Uint8Array([1]) },
    } as const;
    const candidate = { half: vector([1, -2]), long: vector([5]), flag: vector([1]) };
    expect(evaluator.add({ index: 0, reference, candidate })).toEqual({ ok: true, value: undefined });
    expect(evaluator.finish().outputs.map(({ maxAbsError }) => maxAbsError)).toEqual([0, 2, 0]);
  });

  it('is invalid, and lists the items, where the candidate gave NaN', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    evaluator.add({ ...labelled(0, 0), ...scores([2, 1], [2, 1]) });
    evaluator.add({ ...labelled(1, 0), ...scores([2, 1], [Number.NaN, 1]) });
    evaluator.add({ ...labelled(2, 0), ...scores([2, 1], [2, Number.POSITIVE_INFINITY]) });
    expect(evaluator.finish()).toMatchObject({
      n: 3,
      top1: 1 / 3,
      nonFinite: { count: 2, indices: [1, 2] },
      verdict: 'invalid',
      verdictReason: 'the candidate gave NaN or infinity on 2 of 3 items, the first is item 1',
    });
  });

  it('is invalid where an item failed, and still reports the others', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    evaluator.add({ ...labelled(0, 0), ...scores([2, 1], [2, 1]) });
    evaluator.fail(1, { kind: 'inference-failed', message: 'out of memory' });
    expect(evaluator.finish()).toMatchObject({
      n: 1,
      top1: 1,
      failed: { count: 1, indices: [1] },
      verdict: 'invalid',
      verdictReason: '1 of 2 items failed, the first is item 1: out of memory',
    });
  });

  it('is invalid without items, and says null rather than a number', () => {
    const evaluation = createEvaluator(CLASSIFICATION).finish();
    expect(evaluation).toMatchObject({ n: 0, sqnrDb: null, cosine: null, verdict: 'invalid' });
    expect(evaluation).not.toHaveProperty('agreement');
    expect(JSON.stringify(evaluation)).not.toContain('NaN');
  });

  it('counts all flips and lists the first thousand', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    for (let index = 0; index < 1500; index += 1) evaluator.add({ index, ...scores([2, 1], [1, 2]) });
    const { flipped } = evaluator.finish();
    expect(flipped?.count).toBe(1500);
    expect(flipped?.indices).toHaveLength(MAX_LISTED_INDICES);
    expect(flipped?.indices.at(-1)).toBe(MAX_LISTED_INDICES - 1);
  });

  it('needs an output', () => {
    expect(() => createEvaluator({ outputs: [] })).toThrow(RangeError);
  });

  it('tells the changed items, all of them', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    for (let index = 0; index < 50; index += 1)
      evaluator.add({ ...labelled(index, 0), ...scores([2, 1], index % 2 === 0 ? [1, 2] : [2, 1]) });
    const changed = [...evaluator.changed()];
    expect(changed.map(({ index }) => index)).toEqual(Array.from({ length: 25 }, (_, i) => 2 * i));
    expect(evaluator.finish().changes).toEqual(changed.slice(0, 20));
  });

  it('compares answers whose outputs have different sizes, and says that the numbers could not be compared', () => {
    const evaluator = createEvaluator({ ...CLASSIFICATION, outputs: ['scores', 'boxes'] });
    const reference = { scores: vector([2, 1]), boxes: vector([1, 2, 3, 4]) };
    const candidate = { scores: vector([2, 1]), boxes: vector([1, 2]) };
    expect(evaluator.add({ index: 0, reference, candidate }).ok).toBe(true);
    expect(evaluator.finish()).toMatchObject({
      agreement: 1,
      outputs: [{ incomparable: 0 }, { name: 'boxes', incomparable: 1, identical: false }],
    });
  });

  it('takes items of one group for one where it bounds how many answers change', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    for (let index = 0; index < 400; index += 1)
      evaluator.add({ index, group: String(index % 4), ...scores([2, 1], [2, 1]) });
    const evaluation = evaluator.finish();
    expect(evaluation).toMatchObject({ n: 400, groups: 4, agreement: 1, verdict: 'inconclusive' });
    expect(evaluation.verdictReason).toContain('4 groups');
  });

  it('judges other metrics, and items in groups, by resampling', () => {
    const settings = { alpha: 0.01, confidence: 0.95, budget: { absolute: 0.05 }, metric: 'top1' };
    const evaluator = createEvaluator({ ...CLASSIFICATION, settings });
    for (let index = 0; index < 300; index += 1) {
      const isLost = index % 5 === 0;
      evaluator.add({
        ...labelled(index, 0),
        group: `speaker ${index % 60}`,
        ...scores([2, 1], isLost ? [1, 2] : [2, 1]),
      });
    }
    const evaluation = evaluator.finish();
    expect(evaluation).toMatchObject({
      top1: 0.8,
      groups: 60,
      resampled: { metric: 'top1', loss: expect.closeTo(0.2, 12) },
      verdict: 'regressed',
    });
    expect(evaluation).not.toHaveProperty('paired');
    expect(evaluation.resampled?.test?.pValue).toBeLessThan(0.01);
  });

  it('asks more of a loss where several candidates are compared at once', () => {
    // Seven losses without a gain are shown alone: p = 1/128. Of two such candidates neither is, at twice that.
    const candidate = () => {
      const evaluator = createEvaluator(CLASSIFICATION);
      for (let index = 0; index < 100; index += 1)
        evaluator.add({ ...labelled(index, 0), ...scores([2, 1], index < 7 ? [1, 2] : [2, 1]) });
      return evaluator;
    };
    expect(finishTogether([candidate()])).toMatchObject([{ verdict: 'regressed' }]);
    const two = finishTogether([candidate(), candidate()]);
    expect(two).toMatchObject([
      { verdict: 'inconclusive', adjustedPValue: expect.closeTo(2 / 128, 12) },
      { verdict: 'inconclusive', adjustedPValue: expect.closeTo(2 / 128, 12) },
    ]);
    expect(two[0]?.verdictReason).toContain('p = 0.016, adjusted for 2 comparisons');
  });

  it('does not count candidates that nothing was tested of', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    for (let index = 0; index < 100; index += 1)
      evaluator.add({ ...labelled(index, 0), ...scores([2, 1], index < 7 ? [1, 2] : [2, 1]) });
    const numbers = createEvaluator({ outputs: ['scores'] });
    numbers.add({ index: 0, ...scores([2, 1], [2, 1]) });
    expect(finishTogether([evaluator, numbers])).toMatchObject([
      { verdict: 'regressed' },
      { verdict: 'non_inferior' },
    ]);
  });

  it('gives the same verdict and figures for the same answers in every run', () => {
    const run = () => {
      const evaluator = createEvaluator({
        ...CLASSIFICATION,
        settings: { alpha: 0.01, confidence: 0.95, budget: { absolute: 0.05 }, metric: 'balanced_accuracy' },
      });
      for (let index = 0; index < 60; index += 1)
        evaluator.add({
          ...labelled(index, index % 2),
          ...scores([2, 1], index % 7 === 0 ? [1, 2] : [2, 1]),
        });
      return evaluator.finish();
    };
    expect(run()).toEqual(run());
  });
});

describe('models that cannot be compared', () => {
  const two = { scores: vector([2, 1]) };
  const place = { tensor: 'scores', sample: 5 };

  it.each([
    ['an output that is missing', { reference: two, candidate: { other: vector([2, 1]) } }, 'output-missing'],
    [
      'text',
      { reference: { scores: { type: 'string', dims: [1], data: ['cat'] } as const }, candidate: two },
      'output-unsupported',
    ],
    [
      'a single score',
      { reference: { scores: vector([1]) }, candidate: { scores: vector([1]) } },
      'not-class-scores',
    ],
    [
      'a map of scores',
      {
        reference: { scores: vector([1, 2, 3, 4], [1, 2, 2, 1]) },
        candidate: { scores: vector([1, 2, 3, 4], [1, 2, 2, 1]) },
      },
      'not-class-scores',
    ],
  ])('because of %s are a named problem, and nothing is counted', (_case, tensors, kind) => {
    const evaluator = createEvaluator(CLASSIFICATION);
    expect(problemOf(evaluator.add({ index: 5, ...tensors }))).toMatchObject({
      kind,
      place,
      hint: expect.any(String),
    });
    expect(evaluator.finish().n).toBe(0);
  });

  it('because outputs have different sizes and no task says what they are, are a named problem', () => {
    const evaluator = createEvaluator({ outputs: ['scores'] });
    const item = { index: 5, reference: two, candidate: { scores: vector([2, 1, 0]) } };
    expect(problemOf(evaluator.add(item))).toMatchObject({ kind: 'output-mismatch', place });
    expect(evaluator.finish().n).toBe(0);
  });

  it('because of a label that the model has no class for are a named problem', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    expect(problemOf(evaluator.add({ ...labelled(5, 2), reference: two, candidate: two }))).toMatchObject({
      kind: 'label-out-of-range',
      message: "the label is 2, but output 'scores' has the classes 0 to 1",
      place,
    });
  });

  it('do not include scores with axes of length one around them', () => {
    const evaluator = createEvaluator(CLASSIFICATION);
    const tensors = { scores: vector([1, 2, 3], [1, 3, 1, 1]) };
    expect(evaluator.add({ index: 0, reference: tensors, candidate: tensors }).ok).toBe(true);
  });
});
