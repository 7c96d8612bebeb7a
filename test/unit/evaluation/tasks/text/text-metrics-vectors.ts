import { readFileSync } from 'node:fs';
import type { ItemFacts } from '../../../../../src/core/item.ts';
import type { NamedTensors, Tensor } from '../../../../../src/core/tensor.ts';
import type { Figures, Task } from '../../../../../src/evaluation/task.ts';
import { countEdits, type EditCounts } from '../../../../../src/evaluation/tasks/text/edit-distance.ts';
import {
  charactersOf,
  normalizeText,
  numberWords,
  type TextNormalization,
  wordsOf,
} from '../../../../../src/evaluation/tasks/text/normalize-text.ts';
import type { SpanRule } from '../../../../../src/evaluation/tasks/text/tag-spans.ts';
import { createTokenClassificationTask } from '../../../../../src/evaluation/tasks/text/token-classification-task.ts';
import { createTranscriptionTask } from '../../../../../src/evaluation/tasks/text/transcription-task.ts';
import { unwrap } from '../../../../support/unwrap.ts';

export interface TagsCase {
  readonly spans: SpanRule;
  readonly truth: readonly (readonly string[])[];
  readonly predicted: readonly (readonly string[])[];
}

export interface TextsCase {
  readonly normalize: TextNormalization;
  readonly references: readonly string[];
  readonly hypotheses: readonly string[];
}

export interface TextFigures {
  readonly wer: number;
  readonly cer: number;
  readonly words: EditCounts;
  readonly characters: EditCounts;
}

/** Figures of seqeval, scikit-learn and jiwer; `test/fixtures/text-metrics/make.py` writes them. */
export const vectors = JSON.parse(
  readFileSync(new URL('../../../../fixtures/text-metrics/text-metrics.json', import.meta.url), 'utf8'),
) as {
  readonly tags: readonly (TagsCase & { readonly figures: Readonly<Record<string, number>> })[];
  readonly texts: readonly (TextsCase & { readonly figures: TextFigures })[];
};

/** The answers to all items, of outputs and truths by position. */
export function answersTo<Answer>(
  task: Task<Answer>,
  items: readonly { readonly outputs: NamedTensors; readonly truth?: ItemFacts['truth'] }[],
): readonly Answer[] {
  return items.map(({ outputs, truth }, index) =>
    unwrap(task.answer(outputs, truth === undefined ? { index } : { index, truth })),
  );
}

/** Scores [1, positions, classes] of which the largest is that of the given class. */
export function scoresFor(ids: readonly number[], classes: number): Tensor {
  const data = new Float32Array(ids.length * classes);
  for (const [position, id] of ids.entries()) data[position * classes + id] = 1;
  return { type: 'float32', dims: [1, ids.length, classes], data };
}

export function idsTensor(ids: readonly number[]): Tensor {
  return { type: 'int64', dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) };
}

export function tagFigures({ spans, truth, predicted }: TagsCase): Figures {
  const tags = [...new Set(['O', ...truth.flat(), ...predicted.flat()])];
  const task = createTokenClassificationTask({ outputs: ['logits'], tags, spans });
  const items = truth.map((sentence, i) => {
    const ids = (predicted[i] as readonly string[]).map((tag) => tags.indexOf(tag));
    return {
      outputs: { logits: scoresFor(ids, tags.length) },
      truth: { kind: 'tags', tags: sentence } as const,
    };
  });
  const answers = answersTo(task, items);
  return task.measure(answers, answers)();
}

export function textFigures({ normalize, references, hypotheses }: TextsCase): Figures {
  const vocabulary = [...new Set([...'_', ...hypotheses.join('')])];
  const task = createTranscriptionTask({ outputs: ['ids'], vocabulary, wordDelimiter: '', normalize });
  const items = references.map((text, i) => {
    const ids = [...(hypotheses[i] as string)].map((character) => vocabulary.indexOf(character));
    return { outputs: { ids: idsTensor(ids) }, truth: { kind: 'text', text } as const };
  });
  const answers = answersTo(task, items);
  return task.measure(answers, answers)();
}

/** Edits of all texts together. */
export function editCounts({ normalize, references, hypotheses }: TextsCase): {
  readonly words: EditCounts;
  readonly characters: EditCounts;
} {
  const pairs = references.map((reference, i) => [
    normalizeText(reference, normalize),
    normalizeText(hypotheses[i] as string, normalize),
  ]) as readonly (readonly [string, string])[];
  return {
    words: total(pairs.map(([a, b]) => countEdits(...numberWords(wordsOf(a), wordsOf(b))))),
    characters: total(pairs.map(([a, b]) => countEdits(charactersOf(a), charactersOf(b)))),
  };
}

function total(counts: readonly EditCounts[]): EditCounts {
  const sum = (name: keyof EditCounts): number => counts.reduce((all, count) => all + count[name], 0);
  return {
    hits: sum('hits'),
    substitutions: sum('substitutions'),
    insertions: sum('insertions'),
    deletions: sum('deletions'),
  };
}
