import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../../src/core/item.ts';
import type { Tensor } from '../../../../../src/core/tensor.ts';
import {
  collapseCtc,
  createTranscriptionTask,
  type TranscriptionSettings,
} from '../../../../../src/evaluation/tasks/text/transcription-task.ts';
import { repeatByWeight } from '../../../../../src/evaluation/tasks/weighted-repeat.ts';
import { answersTo, idsTensor, scoresFor, textFigures, vectors } from './text-metrics-vectors.ts';

const VOCABULARY = ['<pad>', '|', 'a', 'b', 'c', '</s>', '😀'];
const SETTINGS: TranscriptionSettings = { outputs: ['logits'], vocabulary: VOCABULARY };

const text = (value: string): Truth => ({ kind: 'text', text: value });
/** Frames as one character each: `_` is the blank. */
const framesOf = (frames: string): number[] =>
  Array.from(frames, (frame) => (frame === '_' ? 0 : VOCABULARY.indexOf(frame)));
const heard = (frames: string) => ({ logits: scoresFor(framesOf(frames), VOCABULARY.length) });

function textOf(logits: Tensor, settings = SETTINGS): string | undefined {
  return answersTo(createTranscriptionTask(settings), [{ outputs: { logits } }])[0]?.text;
}

function figuresOf(pairs: readonly (readonly [string, string])[], settings = SETTINGS) {
  const task = createTranscriptionTask(settings);
  const answers = answersTo(
    task,
    pairs.map(([truth, frames]) => ({ outputs: heard(frames), truth: text(truth) })),
  );
  return task.measure(answers, answers)();
}

describe('collapseCtc', () => {
  it('merges repetitions, drops the blank, and keeps equal tokens with a blank between them', () => {
    expect(collapseCtc([0, 3, 3, 0, 3, 4, 4, 0, 0], 0)).toEqual([3, 3, 4]);
    expect(collapseCtc([0, 0], 0)).toEqual([]);
    expect(collapseCtc([], 0)).toEqual([]);
    expect(collapseCtc([5, 5, 2, 5], 2)).toEqual([5, 5]);
  });
});

describe('a transcription task', () => {
  it('decodes scores as CTC does', () => {
    expect(textOf(heard('__aa_ab||c__').logits)).toBe('aab c');
  });

  it('reads scores [T, 1, tokens] and [T, tokens]', () => {
    const { logits } = heard('a_b');
    expect(textOf({ ...logits, dims: [3, 1, 7] })).toBe('ab');
    expect(textOf({ ...logits, dims: [3, 7] })).toBe('ab');
  });

  it('takes ids for tokens of the text, unless it is told that they are frames', () => {
    const ids = idsTensor(framesOf('aab'));
    expect(textOf(ids)).toBe('aab');
    expect(textOf(ids, { ...SETTINGS, decoding: 'ctc' })).toBe('ab');
    expect(textOf(heard('aab').logits, { ...SETTINGS, decoding: 'tokens' })).toBe('aab');
  });

  it('leaves out special tokens and writes spaces for the delimiter, also within tokens', () => {
    const pieces = { ...SETTINGS, vocabulary: ['<s>', '▁the', '▁c', 'at', '</s>'], wordDelimiter: '▁' };
    expect(textOf(idsTensor([0, 1, 2, 3, 4]), { ...pieces, special: ['<s>', '</s>'] })).toBe('the cat');
    expect(textOf(idsTensor([1, 2]), { ...pieces, wordDelimiter: '' })).toBe('▁the▁c');
  });

  it('takes another blank', () => {
    expect(textOf(heard('a|a').logits, { ...SETTINGS, blank: 1 })).toBe('aa');
  });

  it('divides the edits of all items by the words and characters of all truths', () => {
    // One of three words is wrong; one of five characters is, the space among them.
    expect(
      figuresOf([
        ['a b', 'a|c'],
        ['c', 'c'],
      ]),
    ).toEqual({ wer: 1 / 3, cer: 1 / 4 });
    expect(figuresOf([['a', 'a|b|c']])).toEqual({ wer: 2, cer: 4 });
  });

  it('agrees with jiwer', () => {
    for (const { figures, ...texts } of vectors.texts) {
      const { wer, cer } = textFigures(texts);
      // For true texts that are all empty jiwer gives the number of insertions.
      const isEmpty = texts.references.every((reference) => reference === '');
      if (isEmpty) expect([wer, cer]).toEqual([null, null]);
      else {
        expect(wer).toBeCloseTo(figures.wer, 9);
        expect(cer).toBeCloseTo(figures.cer, 9);
      }
    }
  });

  it('counts what is heard in silence', () => {
    expect(
      figuresOf([
        ['', 'a|b'],
        ['a b', 'a|b'],
      ]),
    ).toEqual({ wer: 1, cer: 1 });
    expect(figuresOf([['', 'a']])).toEqual({ wer: null, cer: null });
  });

  it('counts code points as characters', () => {
    expect(figuresOf([['a😀', 'a']])).toEqual({ wer: 1, cer: 1 / 2 });
  });

  it('compares texts as they are, in small letters, or without punctuation', () => {
    const truth = 'A, b.';
    expect(figuresOf([[truth, 'a|b']])).toMatchObject({ wer: 1 });
    expect(figuresOf([[truth, 'a|b']], { ...SETTINGS, normalize: 'lowercase' })).toMatchObject({ wer: 1 });
    expect(figuresOf([[truth, 'a|b']], { ...SETTINGS, normalize: 'plain' })).toEqual({ wer: 0, cer: 0 });
    expect(figuresOf([['a  b', 'a|b']])).toEqual({ wer: 0, cer: 0 });
    expect(figuresOf([['a  b', 'a|b']], { ...SETTINGS, normalize: 'none' })).toEqual({ wer: 0, cer: 1 / 4 });
  });

  it('counts a transcript with NaN as nothing heard, and as wrong where nothing is said', () => {
    const task = createTranscriptionTask(SETTINGS);
    const { logits } = heard('a');
    (logits.data as Float32Array)[4] = Number.NaN;
    const [spoken, silent] = answersTo(task, [
      { outputs: { logits }, truth: text('a b') },
      { outputs: { logits }, truth: text('') },
    ]);
    expect(spoken).toEqual({
      text: undefined,
      errors: { wordEdits: 2, words: 2, characterEdits: 3, characters: 3 },
    });
    expect(silent).toEqual({
      text: undefined,
      errors: { wordEdits: 1, words: 0, characterEdits: 1, characters: 0 },
    });
    if (spoken === undefined) throw new Error('no answer');
    expect(task.same(spoken, spoken)).toBe(false);
    expect(task.show(spoken)).toBe('no text (NaN)');
  });

  it('agrees where the texts do', () => {
    const task = createTranscriptionTask({
      ...SETTINGS,
      vocabulary: ['_', 'A', 'a', '|'],
      normalize: 'lowercase',
    });
    const answer = (ids: readonly number[]) => {
      const [only] = answersTo(task, [{ outputs: { logits: idsTensor(ids) } }]);
      if (only === undefined) throw new Error('no answer');
      return only;
    };
    expect(task.same(answer([1, 3, 2]), answer([3, 2, 3, 3, 1]))).toBe(true);
    expect(task.same(answer([1]), answer([1, 2]))).toBe(false);
  });

  it('shows the first 80 characters', () => {
    const task = createTranscriptionTask(SETTINGS);
    expect(task.show({ text: 'a b' })).toBe('"a b"');
    expect(task.show({ text: '😀'.repeat(81) })).toBe(`"${'😀'.repeat(79)}…"`);
  });

  it('has no figures without items, and unless every item has a truth', () => {
    const task = createTranscriptionTask(SETTINGS);
    const answers = answersTo(task, [{ outputs: heard('a'), truth: text('a') }, { outputs: heard('a') }]);
    expect(task.measure(answers, answers)()).toEqual({ wer: null, cer: null });
    expect(task.measure([], [])()).toEqual({ wer: null, cer: null });
  });

  it('weighs answers as if they were repeated', () => {
    const said = fc.string({ unit: fc.constantFrom('a', 'b', '|'), maxLength: 6 });
    const item = fc.record({ truth: said, heard: said, weight: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), (items) => {
        const task = createTranscriptionTask(SETTINGS);
        const answers = answersTo(
          task,
          items.map(({ truth, heard: frames }) => ({
            outputs: heard(frames),
            truth: text(truth.replaceAll('|', ' ')),
          })),
        );
        const weights = items.map(({ weight }) => weight);
        const repeated = repeatByWeight(answers, weights);
        expect(task.measure(answers, answers)(weights)).toEqual(task.measure(repeated, repeated)());
      }),
    );
  });

  describe('has a problem with', () => {
    const problemOf = (logits: Tensor, truth?: Truth, settings = SETTINGS) => {
      const answer = createTranscriptionTask(settings).answer(
        { logits },
        truth ? { index: 3, truth } : { index: 3 },
      );
      return answer.ok ? undefined : answer.error;
    };

    it('another number of tokens', () => {
      expect(problemOf(scoresFor([0], 8))).toMatchObject({
        kind: 'output-shape-unexpected',
        place: { sample: 3 },
      });
    });

    it('a truth that is no text', () => {
      const found = problemOf(heard('a').logits, { kind: 'class', index: 0 });
      expect(found).toMatchObject({ kind: 'truth-unsuitable', place: { sample: 3 } });
    });

    it.each([
      ['a blank outside of the vocabulary', { blank: 7 }],
      ['a blank below 0', { blank: -1 }],
      ['half a blank', { blank: 0.5 }],
      ['no vocabulary', { vocabulary: [] }],
      ['a special token that is not in the vocabulary', { special: ['<unk>'] }],
    ])('%s', (_what, settings) => {
      expect(problemOf(heard('a').logits, undefined, { ...SETTINGS, ...settings })?.kind).toBe(
        'task-settings-invalid',
      );
    });
  });
});
