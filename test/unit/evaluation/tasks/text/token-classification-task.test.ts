import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../../src/core/item.ts';
import type { Tensor } from '../../../../../src/core/tensor.ts';
import {
  createTokenClassificationTask,
  type TokenClassificationSettings,
} from '../../../../../src/evaluation/tasks/text/token-classification-task.ts';
import { repeatByWeight } from '../../../../../src/evaluation/tasks/weighted-repeat.ts';
import { answersTo, idsTensor, scoresFor, tagFigures, vectors } from './text-metrics-vectors.ts';

const TAGS = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];
const SETTINGS: TokenClassificationSettings = { outputs: ['logits'], tags: TAGS };

const idsOf = (sentence: string): number[] => sentence.split(' ').map((tag) => TAGS.indexOf(tag));
const said = (sentence: string) => ({ logits: scoresFor(idsOf(sentence), TAGS.length) });
const tags = (sentence: string): Truth => ({
  kind: 'tags',
  tags: sentence.split(' ').map((tag) => tag.replace('_', '')),
});

function figuresOf(pairs: readonly (readonly [string, string])[], settings = SETTINGS) {
  const task = createTokenClassificationTask(settings);
  const answers = answersTo(
    task,
    pairs.map(([truth, predicted]) => ({ outputs: said(predicted), truth: tags(truth) })),
  );
  return task.measure(answers, answers)();
}

function problemOf(outputs: Readonly<Record<string, Tensor>>, truth?: Truth, settings = SETTINGS) {
  const answer = createTokenClassificationTask(settings).answer(
    outputs,
    truth === undefined ? { index: 7 } : { index: 7, truth },
  );
  return answer.ok ? undefined : answer.error;
}

describe('a token classification task', () => {
  it('measures spans and tokens', () => {
    // One span of two is found, another is found that is none; five of seven tokens are right.
    expect(
      figuresOf([
        ['B-PER I-PER O B-LOC', 'B-PER I-PER O B-PER'],
        ['O O O', 'O O B-LOC'],
      ]),
    ).toEqual({
      span_f1: 0.4,
      span_precision: 1 / 3,
      span_recall: 1 / 2,
      token_accuracy: 5 / 7,
      token_f1: 4 / 7,
    });
  });

  it('agrees with seqeval and scikit-learn', () => {
    for (const { figures, ...tagsCase } of vectors.tags) {
      const marks = [...tagsCase.truth, ...tagsCase.predicted].flat().filter((tag) => tag !== 'O').length;
      for (const [name, figure] of Object.entries(tagFigures(tagsCase))) {
        // They say 0 where there is nothing to find and nothing was found; strict rules may find no span in marks.
        if (figure === null) expect([name, figures[name]]).toEqual([name, 0]);
        else expect(figure).toBeCloseTo(figures[name] as number, 9);
        if (figure === null && name === 'token_f1') expect(marks).toBe(0);
      }
    }
  });

  it('cannot tell F1 where nothing is to be found and nothing was', () => {
    expect(figuresOf([['O O', 'O O']])).toEqual({
      span_f1: null,
      span_precision: null,
      span_recall: null,
      token_accuracy: 1,
      token_f1: null,
    });
  });

  it('is 0 where nothing is right', () => {
    expect(figuresOf([['O O', 'B-PER O']])).toMatchObject({
      span_f1: 0,
      span_precision: 0,
      span_recall: 0,
      token_f1: 0,
    });
    expect(figuresOf([['B-PER O', 'O O']])).toMatchObject({
      span_f1: 0,
      span_precision: 0,
      span_recall: 0,
      token_f1: 0,
    });
  });

  it('leaves tokens without a tag out, also from within a span', () => {
    expect(figuresOf([['_ B-PER _ I-PER O', 'B-LOC B-PER O I-PER O']])).toEqual({
      span_f1: 1,
      span_precision: 1,
      span_recall: 1,
      token_accuracy: 1,
      token_f1: 1,
    });
  });

  it('takes what follows the truth for padding', () => {
    expect(figuresOf([['O B-PER', 'O B-PER I-PER B-LOC']])).toMatchObject({ span_f1: 1, token_accuracy: 1 });
  });

  it('reads truths that are ids, with -100 for tokens that do not count', () => {
    const task = createTokenClassificationTask(SETTINGS);
    const truth: Truth = { kind: 'tensor', dims: [4], values: Float64Array.of(-100, 1, 2, -100) };
    const answers = answersTo(task, [{ outputs: said('O B-PER I-PER I-PER'), truth }]);
    expect(task.measure(answers, answers)()).toMatchObject({ span_f1: 1, token_accuracy: 1 });
    expect([...(answers[0]?.classes ?? [])]).toEqual([1, 2]);
  });

  it('reads scores [T, tags], [T, 1, tags] and in half precision, and ids that the model chose', () => {
    const task = createTokenClassificationTask(SETTINGS);
    const scores = scoresFor([3, 4, 0], TAGS.length);
    const one = 0x3c00;
    const half: Tensor = {
      ...scores,
      type: 'float16',
      data: Uint16Array.from(scores.data as Float32Array, (v) => v * one),
    };
    for (const logits of [
      scores,
      half,
      { ...scores, dims: [3, 5] },
      { ...scores, dims: [3, 1, 5] },
      idsTensor([3, 4, 0]),
      { ...idsTensor([3, 4, 0]), dims: [3] },
    ]) {
      expect(answersTo(task, [{ outputs: { logits } }])).toEqual([{ classes: Int32Array.of(3, 4, 0) }]);
    }
  });

  it('counts a token with NaN as wrong, also where nothing is to be found', () => {
    const task = createTokenClassificationTask(SETTINGS);
    const logits = scoresFor([0, 0, 0], TAGS.length);
    (logits.data as Float32Array)[7] = Number.NaN;
    const [answer] = answersTo(task, [{ outputs: { logits }, truth: tags('O O O') }]);
    expect([...(answer?.classes ?? [])]).toEqual([0, -1, 0]);
    if (answer === undefined) throw new Error('no answer');
    expect(task.measure([answer], [answer])()).toMatchObject({ token_accuracy: 2 / 3, span_f1: null });
    expect(task.same(answer, answer)).toBe(false);
    expect(task.show(answer)).toBe('no tags (NaN)');
  });

  it('has no figures unless every item has a truth', () => {
    const task = createTokenClassificationTask(SETTINGS);
    const answers = answersTo(task, [{ outputs: said('O'), truth: tags('O') }, { outputs: said('O') }]);
    expect(Object.values(task.measure(answers, answers)())).toEqual([null, null, null, null, null]);
  });

  it('has no figures for no items', () => {
    const task = createTokenClassificationTask(SETTINGS);
    expect(Object.values(task.measure([], [])())).toEqual([null, null, null, null, null]);
  });

  it('compares every tag that counts', () => {
    const task = createTokenClassificationTask(SETTINGS);
    const [a, b, c, d] = answersTo(task, [
      { outputs: said('O B-PER B-PER'), truth: tags('O O _') },
      { outputs: said('O B-PER O'), truth: tags('O O _') },
      { outputs: said('O B-LOC O'), truth: tags('O O _') },
      { outputs: said('O'), truth: tags('O') },
    ]);
    if (!a || !b || !c || !d) throw new Error('no answer');
    expect(task.same(a, b)).toBe(true);
    expect(task.same(a, c)).toBe(false);
    expect(task.same(a, d)).toBe(false);
    expect(task.same(d, a)).toBe(false);
  });

  it('shows spans, or tags where there are none', () => {
    const show = (sentence: string, settings = SETTINGS) => {
      const task = createTokenClassificationTask(settings);
      return answersTo(task, [{ outputs: said(sentence) }]).map(task.show)[0];
    };
    expect(show('O B-PER I-PER O B-LOC')).toBe('PER 1–2, LOC 4');
    expect(show('O O')).toBe('no span');
    expect(show(Array(10).fill('B-PER').join(' '))).toMatch(/PER 7, 2 more$/);
    expect(show(Array(10).fill('O').join(' '), { ...SETTINGS, spans: 'none' })).toBe(
      'O O O O O O O O and 2 more',
    );
  });

  it('without spans measures tokens only, whatever the tags are', () => {
    const task = createTokenClassificationTask({
      outputs: ['logits'],
      tags: ['NOUN', 'VERB'],
      spans: 'none',
      outside: [],
    });
    const [answer] = answersTo(task, [
      {
        outputs: { logits: scoresFor([0, 1, 1], 2) },
        truth: { kind: 'tags', tags: ['NOUN', 'VERB', 'NOUN'] },
      },
    ]);
    if (answer === undefined) throw new Error('no answer');
    expect(task.metrics.map(({ name }) => name)).toEqual(['token_accuracy', 'token_f1']);
    expect(task.measure([answer], [])()).toEqual({ token_accuracy: 2 / 3, token_f1: 2 / 3 });
  });

  it('weighs answers as if they were repeated', () => {
    const sentence = fc.array(fc.constantFrom(...TAGS), { minLength: 1, maxLength: 6 });
    const item = sentence.chain((truth) =>
      fc.record({
        truth: fc.constant(truth.join(' ')),
        predicted: fc.array(fc.constantFrom(...TAGS), { minLength: truth.length, maxLength: truth.length }),
        weight: fc.integer({ min: 0, max: 3 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), (items) => {
        const task = createTokenClassificationTask(SETTINGS);
        const answers = answersTo(
          task,
          items.map(({ truth, predicted }) => ({ outputs: said(predicted.join(' ')), truth: tags(truth) })),
        );
        const weights = items.map(({ weight }) => weight);
        const repeated = repeatByWeight(answers, weights);
        expect(task.measure(answers, answers)(weights)).toEqual(task.measure(repeated, repeated)());
      }),
    );
  });

  describe('has a problem with', () => {
    it.each([
      ['an output of another name', { scores: scoresFor([0], 5) }, 'output-missing'],
      ['an output of text', { logits: { type: 'string', dims: [1], data: ['O'] } }, 'output-unsupported'],
      ['another number of classes', { logits: scoresFor([0], 4) }, 'output-shape-unexpected'],
      [
        'several items',
        { logits: { ...scoresFor([0, 0, 0, 0], 5), dims: [2, 2, 5] } },
        'output-shape-unexpected',
      ],
      ['an id of no class', { logits: idsTensor([0, 5]) }, 'output-unsupported'],
      [
        'ids of several items',
        { logits: { ...idsTensor([0, 1, 2, 3]), dims: [2, 2] } },
        'output-shape-unexpected',
      ],
    ] as const)('%s', (_what, outputs, kind) => {
      const found = problemOf(outputs);
      expect(found).toMatchObject({ kind, place: { sample: 7 } });
      expect(found?.hint).toBeDefined();
    });

    it.each([
      ['a truth of another kind', { kind: 'class', index: 1 }, 'truth-unsuitable'],
      ['more tags than tokens', tags('O O O'), 'truth-unsuitable'],
      ['a tag that the model does not know', tags('O B-ORG'), 'label-out-of-range'],
      ['an id that is no class', { kind: 'tensor', dims: [1], values: [5] }, 'label-out-of-range'],
      ['an id that is no whole number', { kind: 'tensor', dims: [1], values: [0.5] }, 'label-out-of-range'],
      ['an id below 0 that is not -100', { kind: 'tensor', dims: [1], values: [-1] }, 'label-out-of-range'],
    ] as const)('%s', (_what, truth, kind) => {
      expect(problemOf(said('O O'), truth)).toMatchObject({ kind, place: { sample: 7 } });
    });

    it.each([
      ['tags that mark no spans', { tags: ['NOUN', 'VERB'] }, 'NOUN'],
      ['a tag that is named twice', { tags: ['O', 'B', 'B'] }, "'B' twice"],
      ['no tags', { tags: [] }, 'no tag'],
      ['marks of another rule', { tags: ['O', 'B-X', 'E-X'], spans: 'IOB2' as const }, 'E-X'],
    ])('%s', (_what, settings, named) => {
      const found = problemOf(said('O O'), undefined, { ...SETTINGS, ...settings });
      expect(found?.kind).toBe('task-settings-invalid');
      expect(found?.message).toContain(named);
    });
  });
});
