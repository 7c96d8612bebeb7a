import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../../src/core/item.ts';
import type { NamedTensors, Tensor } from '../../../../../src/core/tensor.ts';
import {
  bestSpan,
  createSpanAnswerTask,
  overlapF1,
  type SpanAnswer,
} from '../../../../../src/evaluation/tasks/text/span-answer-task.ts';
import { repeatByWeight } from '../../../../../src/evaluation/tasks/weighted-repeat.ts';
import { answersTo } from './text-metrics-vectors.ts';

const task = createSpanAnswerTask({});

function scores(values: readonly number[], dims: readonly number[] = [1, values.length]): Tensor {
  return { type: 'float32', dims, data: Float32Array.from(values) };
}

/** Outputs of a model that is sure of one passage of six tokens. */
function said(start: number, end: number): NamedTensors {
  const at = (position: number): Tensor => scores([0, 1, 2, 3, 4, 5].map((i) => (i === position ? 9 : 0)));
  return { start_logits: at(start), end_logits: at(end) };
}

function passage(...ends: readonly number[]): Truth {
  return ends.length === 2
    ? { kind: 'tensor', dims: [2], values: ends }
    : { kind: 'tensor', dims: [ends.length / 2, 2], values: ends };
}

function onlyAnswer(outputs: NamedTensors, truth?: Truth): SpanAnswer {
  const [answer] = answersTo(task, [{ outputs, truth }]);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

describe('bestSpan', () => {
  it('never ends before it starts, even where the largest scores do', () => {
    expect(bestSpan([0, 0, 9], [9, 0, 1], 30)).toEqual({ start: 2, end: 2 });
  });

  it('is no longer than asked for', () => {
    const starts = [9, 0, 0, 0];
    const ends = [0, 0, 1, 5];
    expect(bestSpan(starts, ends, 4)).toEqual({ start: 0, end: 3 });
    expect(bestSpan(starts, ends, 3)).toEqual({ start: 0, end: 2 });
    expect(bestSpan(starts, ends, 1)).toEqual({ start: 0, end: 0 });
  });

  it('is the first of equal ones, then the shortest', () => {
    expect(bestSpan([1, 1, 1], [1, 1, 1], 30)).toEqual({ start: 0, end: 0 });
  });

  it('is a passage even where all scores are masked', () => {
    const masked = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    expect(bestSpan(masked, masked, 30)).toEqual({ start: 0, end: 0 });
  });

  it('is none where any score is NaN', () => {
    expect(bestSpan([5, 0, Number.NaN], [5, 0, 0], 1)).toEqual({ start: -1, end: -1 });
    expect(bestSpan([5, 0, 0], [5, 0, Number.NaN], 1)).toEqual({ start: -1, end: -1 });
  });

  it('has the largest sum of all that are allowed', () => {
    const score = fc.integer({ min: -5, max: 5 });
    const pair = fc.array(fc.tuple(score, score), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(pair, fc.integer({ min: 1, max: 12 }), (pairs, maxLength) => {
        const starts = pairs.map(([start]) => start);
        const ends = pairs.map(([, end]) => end);
        const { start, end } = bestSpan(starts, ends, maxLength);
        const all = starts.flatMap((s, i) => ends.slice(i, i + maxLength).map((e) => s + e));
        expect(end).toBeGreaterThanOrEqual(start);
        expect(end - start).toBeLessThan(maxLength);
        expect((starts[start] as number) + (ends[end] as number)).toBe(Math.max(...all));
      }),
    );
  });
});

describe('overlapF1', () => {
  it('is the harmonic mean of precision and recall of the tokens', () => {
    const position = fc.integer({ min: 0, max: 9 });
    const span = fc
      .tuple(position, position)
      .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
    const tokensOf = ({ start, end }: { start: number; end: number }) =>
      Array.from({ length: end - start + 1 }, (_, i) => start + i);
    fc.assert(
      fc.property(span, span, (answer, truth) => {
        const common = tokensOf(answer).filter((token) => tokensOf(truth).includes(token)).length;
        const precision = common / tokensOf(answer).length;
        const recall = common / tokensOf(truth).length;
        const expected = common === 0 ? 0 : (2 * precision * recall) / (precision + recall);
        expect(overlapF1(answer, truth)).toBeCloseTo(expected, 12);
      }),
    );
  });
});

describe('a span answer task', () => {
  it('measures exact answers and the overlap of the others', () => {
    const answers = answersTo(task, [
      { outputs: said(1, 2), truth: passage(1, 2) },
      { outputs: said(1, 2), truth: passage(2, 3) },
      { outputs: said(0, 0), truth: passage(4, 5) },
    ]);
    expect(answers.map((answer) => task.isRight?.(answer))).toEqual([true, false, false]);
    expect(task.measure(answers, answers)()).toEqual({ exact_match: 1 / 3, f1: 1.5 / 3 });
  });

  it('takes the best of several true answers', () => {
    expect(onlyAnswer(said(1, 2), passage(4, 5, 1, 3, 1, 2))).toMatchObject({ isExact: true, f1: 1 });
    expect(onlyAnswer(said(1, 2), passage(4, 5, 1, 3))).toMatchObject({ isExact: false, f1: 0.8 });
    expect(onlyAnswer(said(1, 2), passage(1, 3, 4, 5))).toMatchObject({ isExact: false, f1: 0.8 });
  });

  it('reads the outputs that are named', () => {
    const named = createSpanAnswerTask({ startOutput: 'a', endOutput: 'b', maxAnswerLength: 2 });
    const outputs = { a: scores([9, 0, 0]), b: scores([0, 1, 5], [3]) };
    expect(answersTo(named, [{ outputs }])).toEqual([{ start: 0, end: 1 }]);
  });

  it('looks for answers of at most 30 tokens by default', () => {
    const at = (position: number): Tensor =>
      scores(Array.from({ length: 40 }, (_, i) => (i === position ? 9 : 0)));
    const answer = (end: number) => onlyAnswer({ start_logits: at(0), end_logits: at(end) });
    expect(answer(29)).toEqual({ start: 0, end: 29 });
    expect(answer(30)).toEqual({ start: 0, end: 0 });
  });

  it('counts NaN as wrong, and two of them as no agreement', () => {
    const broken = onlyAnswer(
      { start_logits: scores([Number.NaN, 0]), end_logits: scores([1, 0]) },
      passage(0, 0),
    );
    expect(broken).toEqual({ start: -1, end: -1, isExact: false, f1: 0 });
    expect(task.same(broken, broken)).toBe(false);
    expect(task.show(broken)).toBe('no answer (NaN)');
  });

  it('agrees where both ends do, and shows them', () => {
    const [a, b, c] = [onlyAnswer(said(1, 2)), onlyAnswer(said(1, 3)), onlyAnswer(said(2, 2))];
    expect(task.same(a, onlyAnswer(said(1, 2)))).toBe(true);
    expect(task.same(a, b)).toBe(false);
    expect(task.same(a, c)).toBe(false);
    expect(task.show(a)).toBe('tokens 1–2');
    expect(task.show(c)).toBe('token 2');
  });

  it('has no figures without items, and unless every item has a truth', () => {
    const answers = [onlyAnswer(said(1, 2), passage(1, 2)), onlyAnswer(said(1, 2))];
    expect(task.isRight?.(answers[1] as SpanAnswer)).toBeUndefined();
    expect(task.measure(answers, answers)()).toEqual({ exact_match: null, f1: null });
    expect(task.measure([], [])()).toEqual({ exact_match: null, f1: null });
  });

  it('weighs answers as if they were repeated', () => {
    const end = fc.integer({ min: 3, max: 5 });
    const items = fc.array(fc.record({ end, truth: end, weight: fc.integer({ min: 0, max: 3 }) }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(items, (drawn) => {
        const answers = drawn.map((item) => onlyAnswer(said(2, item.end), passage(2, item.truth)));
        const weights = drawn.map(({ weight }) => weight);
        const repeated = repeatByWeight(answers, weights);
        const weighted = task.measure(answers, answers)(weights);
        const expected = task.measure(repeated, repeated)();
        expect(weighted['exact_match']).toBe(expected['exact_match']);
        if (expected['f1'] == null) expect(weighted['f1']).toBeNull();
        else expect(weighted['f1']).toBeCloseTo(expected['f1'], 12);
      }),
    );
  });

  describe('has a problem with', () => {
    const problemOf = (outputs: NamedTensors, truth?: Truth, settings = {}) => {
      const answer = createSpanAnswerTask(settings).answer(
        outputs,
        truth ? { index: 3, truth } : { index: 3 },
      );
      return answer.ok ? undefined : answer.error;
    };

    it.each([
      ['a missing output', { start_logits: scores([1]) }, 'output-missing'],
      [
        'scores of two classes',
        { start_logits: scores([1, 2, 3, 4], [1, 2, 2]), end_logits: scores([1, 2, 3, 4], [1, 2, 2]) },
        'output-shape-unexpected',
      ],
      ['no tokens', { start_logits: scores([]), end_logits: scores([]) }, 'output-shape-unexpected'],
      ['fewer ends than starts', { ...said(1, 2), end_logits: scores([1]) }, 'output-shape-unexpected'],
    ] as const)('%s', (_what, outputs, kind) => {
      expect(problemOf(outputs)).toMatchObject({ kind, place: { sample: 3 } });
    });

    it.each([
      ['a truth that is a text', { kind: 'text', text: 'Paris' }, 'truth-unsuitable'],
      ['one position', { kind: 'tensor', dims: [1], values: [1] }, 'truth-unsuitable'],
      ['no passage', { kind: 'tensor', dims: [0, 2], values: [] }, 'truth-unsuitable'],
      ['positions and more', { kind: 'tensor', dims: [1, 1, 2], values: [1, 2] }, 'truth-unsuitable'],
      ['an end before the start', passage(2, 1), 'label-out-of-range'],
      ['an end behind the text', passage(2, 6), 'label-out-of-range'],
      ['positions below 0', passage(-1, -1), 'label-out-of-range'],
      ['half a position', passage(1, 1.5), 'label-out-of-range'],
    ] as const)('%s', (_what, truth, kind) => {
      expect(problemOf(said(1, 2), truth)).toMatchObject({ kind, place: { sample: 3 } });
    });

    it('answers of no length', () => {
      for (const maxAnswerLength of [0, 1.5]) {
        expect(problemOf(said(1, 2), undefined, { maxAnswerLength })?.kind).toBe('task-settings-invalid');
      }
    });
  });
});
