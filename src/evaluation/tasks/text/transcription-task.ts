import type { ItemFacts } from '../../../core/item.ts';
import { problem } from '../../../core/problem.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { Measure, MetricInfo, Task, TaskProblem } from '../../task.ts';
import { additiveMeasure } from '../additive-measure.ts';
import type { OutputChoice } from '../read-output.ts';
import { unsuitableTruth } from '../unsuitable-truth.ts';
import { editDistance } from './edit-distance.ts';
import {
  charactersOf,
  normalizeText,
  numberWords,
  type TextNormalization,
  wordsOf,
} from './normalize-text.ts';
import { type PredictedIds, predictIds } from './predicted-ids.ts';

export interface TranscriptionSettings extends OutputChoice {
  /** The text of each token in the model's order; the blank has a place in it. */
  readonly vocabulary: readonly string[];
  /** How tokens become a text: `ctc` merges repetitions and drops the blank. Where it is absent: `ctc` for scores, `tokens` for ids. */
  readonly decoding?: 'ctc' | 'tokens';
  /** Position of CTC's blank in the vocabulary; 0 where it is absent. */
  readonly blank?: number;
  /** Tokens of the vocabulary that are no text, such as `</s>`; none where it is absent. */
  readonly special?: readonly string[];
  /** What stands for a space in the texts of tokens; `|` where it is absent, '' if nothing does. */
  readonly wordDelimiter?: string;
  /** What of the texts is not compared; `whitespace` where it is absent. */
  readonly normalize?: TextNormalization;
}

export interface Transcript {
  /** Normalized; undefined where a score is NaN. */
  readonly text: string | undefined;
  /** Absent without a truth. */
  readonly errors?: TranscriptErrors;
}

/** Edits from the true text to the transcript, and the length of the true text. */
export interface TranscriptErrors {
  readonly wordEdits: number;
  readonly words: number;
  readonly characterEdits: number;
  readonly characters: number;
}

const METRICS: readonly MetricInfo[] = [
  { name: 'wer', label: 'word error rate', better: 'lower', unit: 'proportion' },
  { name: 'cer', label: 'character error rate', better: 'lower', unit: 'proportion' },
];

/**
 * Speech or writing to text. Reads scores [1, T, tokens] or [T, 1, tokens], decoded greedily, or ids of tokens [1, T].
 * Truths are of the kind `text`.
 *
 * `wer` and `cer` are the edits of all items divided by the words and characters (code points) of all true texts, as
 * jiwer computes them; they exceed 1 where much is added. Words that are found in silence count as edits; where all true
 * texts are empty, or one is missing, the figures are null. A transcript with NaN counts as if nothing had been found,
 * and as one edit where that would be right.
 * Source: A. Graves et al., "Connectionist Temporal Classification", ICML 2006, for greedy ("best path") decoding.
 */
export function createTranscriptionTask(settings: TranscriptionSettings): Task<Transcript> {
  const { vocabulary, normalize = 'whitespace' } = settings;
  const settingsProblem = checkSettings(settings);
  const decode = createDecoder(settings);
  return {
    name: 'transcription',
    metrics: METRICS,
    againstReference: false,
    answer: (outputs, item) => {
      if (settingsProblem !== undefined) return err(settingsProblem);
      const predicted = predictIds(outputs, settings, item, vocabulary.length);
      if (!predicted.ok) return predicted;
      const decoded = decode(predicted.value);
      const text = decoded === undefined ? undefined : normalizeText(decoded, normalize);
      if (item.truth === undefined) return ok({ text });
      const truth = readTruth(item);
      return truth.ok
        ? ok({ text, errors: countErrors(normalizeText(truth.value, normalize), text) })
        : truth;
    },
    // Two NaN outputs are two failures, not an agreement.
    same: (reference, candidate) => reference.text === candidate.text && candidate.text !== undefined,
    show: ({ text }) => (text === undefined ? 'no text (NaN)' : shorten(text)),
    measure: measureTranscripts,
  };
}

/** Merges repetitions of an id and drops the blank; a blank between two equal ids keeps both. */
export function collapseCtc(ids: ArrayLike<number>, blank: number): readonly number[] {
  const kept: number[] = [];
  for (let i = 0; i < ids.length; i += 1) {
    const id = ids[i] as number;
    if (id !== blank && (i === 0 || id !== ids[i - 1])) kept.push(id);
  }
  return kept;
}

/** Errors of a transcript of `truth`, both normalized. */
function countErrors(truth: string, text: string | undefined): TranscriptErrors {
  const [words, foundWords] = numberWords(wordsOf(truth), wordsOf(text ?? ''));
  const characters = charactersOf(truth);
  const fewest = text === undefined ? 1 : 0;
  return {
    wordEdits: Math.max(fewest, editDistance(words, foundWords)),
    words: words.length,
    characterEdits: Math.max(fewest, editDistance(characters, charactersOf(text ?? ''))),
    characters: characters.length,
  };
}

function checkSettings({
  vocabulary,
  blank = 0,
  special = [],
}: TranscriptionSettings): TaskProblem | undefined {
  if (!Number.isInteger(blank) || blank < 0 || blank >= vocabulary.length) {
    return problem(
      'task-settings-invalid',
      `the blank is ${blank}, but 'vocabulary' has ${vocabulary.length} tokens`,
      {
        hint: "'blank' must be the position of the blank in 'vocabulary', from 0",
      },
    );
  }
  const unknown = special.find((token) => !vocabulary.includes(token));
  if (unknown === undefined) return undefined;
  return problem('task-settings-invalid', `the special token '${unknown}' is not in 'vocabulary'`, {
    hint: "'special' must list tokens as 'vocabulary' spells them",
  });
}

function createDecoder(settings: TranscriptionSettings): (predicted: PredictedIds) => string | undefined {
  const { vocabulary, decoding, blank = 0, special = [], wordDelimiter = '|' } = settings;
  const texts = vocabulary.map((token) => {
    if (special.includes(token)) return '';
    return wordDelimiter === '' ? token : token.replaceAll(wordDelimiter, ' ');
  });
  return ({ ids, from }) => {
    if (ids.includes(-1)) return undefined;
    const isCtc = (decoding ?? (from === 'scores' ? 'ctc' : 'tokens')) === 'ctc';
    return Array.from(isCtc ? collapseCtc(ids, blank) : ids, (id) => texts[id]).join('');
  };
}

function readTruth(item: ItemFacts): Result<string, TaskProblem> {
  const { truth } = item;
  if (truth?.kind === 'text') return ok(truth.text);
  return err(unsuitableTruth(item, `of the kind '${truth?.kind}'`, "what is said (the kind 'text')"));
}

function measureTranscripts(answers: readonly Transcript[]): Measure {
  const isLabelled = answers.every(({ errors }) => errors !== undefined);
  return additiveMeasure(
    { items: answers.length, sums: 4 },
    (item, add) => {
      const errors = answers[item]?.errors;
      if (errors === undefined) return;
      add(0, errors.wordEdits);
      add(1, errors.words);
      add(2, errors.characterEdits);
      add(3, errors.characters);
    },
    (sums) => ({
      wer: isLabelled ? rate(sums[0] as number, sums[1] as number) : null,
      cer: isLabelled ? rate(sums[2] as number, sums[3] as number) : null,
    }),
  );
}

function rate(edits: number, length: number): number | null {
  return length === 0 ? null : edits / length;
}

const SHOWN_CHARACTERS = 80;

function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= SHOWN_CHARACTERS
    ? `"${text}"`
    : `"${characters.slice(0, SHOWN_CHARACTERS - 1).join('')}…"`;
}
