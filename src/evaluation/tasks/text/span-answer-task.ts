import type { ItemFacts } from '../../../core/item.ts';
import { problem } from '../../../core/problem.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { NamedTensors } from '../../../core/tensor.ts';
import type { Measure, MetricInfo, Task, TaskProblem } from '../../task.ts';
import { additiveMeasure } from '../additive-measure.ts';
import { readOutput } from '../read-output.ts';
import { settingProblem } from '../setting-problem.ts';
import { unsuitableTruth } from '../unsuitable-truth.ts';
import { isVector, unexpectedShape } from './predicted-ids.ts';

export interface SpanAnswerSettings {
  /** The output with the scores of the first token; `start_logits` where it is absent. */
  readonly startOutput?: string;
  /** The output with the scores of the last token; `end_logits` where it is absent. */
  readonly endOutput?: string;
  /** In tokens; 30 where it is absent. */
  readonly maxAnswerLength?: number;
}

/** Tokens from `start` to `end`, both included; -1 where a score is NaN. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

export interface SpanAnswer extends TokenSpan {
  /** The last two are known where the truth is. */
  readonly isExact?: boolean;
  readonly f1?: number;
}

const METRICS: readonly MetricInfo[] = [
  { name: 'exact_match', label: 'exact match', better: 'higher', unit: 'proportion' },
  { name: 'f1', label: 'F1', better: 'higher', unit: 'proportion' },
];

/**
 * Answers to questions that are passages of a text. Reads two outputs [1, T]: scores of each token to be the first and
 * the last of the answer; the answer is the passage of at most `maxAnswerLength` tokens with the largest sum.
 *
 * Truths are of the kind `tensor`: positions [start, end] of tokens, both included, or several such rows of which the one
 * counts that fits best. A model that may find no answer points at its first token then, so does the truth: [0, 0].
 * `f1` is the mean over the items of the harmonic mean of precision and recall of the answer's tokens, as SQuAD's, but by
 * positions instead of words. Both figures are null unless every item has a truth.
 * Source: P. Rajpurkar et al., "SQuAD", EMNLP 2016; J. Devlin et al., "BERT", NAACL 2019 for the search.
 */
export function createSpanAnswerTask(settings: SpanAnswerSettings): Task<SpanAnswer> {
  const { startOutput = 'start_logits', endOutput = 'end_logits', maxAnswerLength = 30 } = settings;
  const settingsProblem = settingProblem([
    {
      name: 'maxAnswerLength',
      value: maxAnswerLength,
      must: 'a whole number of tokens, at least 1',
      holds: Number.isInteger(maxAnswerLength) && maxAnswerLength >= 1,
    },
  ]);
  return {
    name: 'span-answer',
    metrics: METRICS,
    againstReference: false,
    answer: (outputs, item) => {
      if (settingsProblem !== undefined) return err(settingsProblem);
      const starts = positionScores(outputs, startOutput, item);
      if (!starts.ok) return starts;
      const ends = positionScores(outputs, endOutput, item);
      if (!ends.ok) return ends;
      const tokens = starts.value.length;
      if (ends.value.length !== tokens)
        return err(differentLengths(item, endOutput, tokens, ends.value.length));
      const span = bestSpan(starts.value, ends.value, maxAnswerLength);
      if (item.truth === undefined) return ok(span);
      const truths = readTruths(item, tokens);
      return truths.ok ? ok(compare(span, truths.value)) : truths;
    },
    // Two NaN outputs are two failures, not an agreement.
    same: (a, b) => a.start === b.start && a.end === b.end && a.start !== -1,
    show: ({ start, end }) => {
      if (start === -1) return 'no answer (NaN)';
      return start === end ? `token ${start}` : `tokens ${start}–${end}`;
    },
    isRight: ({ isExact }) => isExact,
    measure: measureSpans,
  };
}

/**
 * The passage with the largest sum of its two scores; of equal ones the first, then the shortest.
 * Takes time of the number of tokens times the length of the longest answer.
 */
export function bestSpan(starts: ArrayLike<number>, ends: ArrayLike<number>, maxLength: number): TokenSpan {
  let best = Number.NEGATIVE_INFINITY;
  let span = { start: 0, end: 0 };
  for (let start = 0; start < starts.length; start += 1) {
    const startScore = starts[start] as number;
    if (Number.isNaN(startScore) || Number.isNaN(ends[start])) return { start: -1, end: -1 };
    const last = Math.min(ends.length, start + maxLength);
    for (let end = start; end < last; end += 1) {
      const score = startScore + (ends[end] as number);
      if (score > best) {
        best = score;
        span = { start, end };
      }
    }
  }
  return span;
}

/** Harmonic mean of the share of `answer` that is in `truth` and the share of `truth` that is in `answer`. */
export function overlapF1(answer: TokenSpan, truth: TokenSpan): number {
  const common = Math.min(answer.end, truth.end) - Math.max(answer.start, truth.start) + 1;
  const lengths = answer.end - answer.start + 1 + (truth.end - truth.start + 1);
  return common <= 0 ? 0 : (2 * common) / lengths;
}

function positionScores(
  outputs: NamedTensors,
  name: string,
  item: ItemFacts,
): Result<ArrayLike<number>, TaskProblem> {
  const output = readOutput(outputs, { outputs: [], output: name }, item);
  if (!output.ok) return output;
  const { dims, values } = output.value;
  if (values.length > 0 && isVector(dims)) return ok(values);
  return err(unexpectedShape(output.value, item, 'one score for each token, [1, tokens]'));
}

function differentLengths(item: ItemFacts, tensor: string, starts: number, ends: number): TaskProblem {
  return problem('output-shape-unexpected', `there are ${starts} scores of starts, but ${ends} of ends`, {
    place: { tensor, sample: item.index },
    hint: "name the two outputs of one model in 'startOutput' and 'endOutput'",
  });
}

function readTruths(item: ItemFacts, tokens: number): Result<readonly TokenSpan[], TaskProblem> {
  const { truth } = item;
  const wanted = "first and last token of the answer (the kind 'tensor')";
  if (truth?.kind !== 'tensor') return err(unsuitableTruth(item, `of the kind '${truth?.kind}'`, wanted));
  const { dims, values } = truth;
  if (dims.length === 0 || dims.length > 2 || dims.at(-1) !== 2 || values.length === 0) {
    return err(unsuitableTruth(item, `[${dims}]`, wanted));
  }
  const spans: TokenSpan[] = [];
  for (let i = 0; i < values.length; i += 2) {
    const start = values[i] as number;
    const end = values[i + 1] as number;
    const isSpan = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end;
    if (!isSpan || end >= tokens) return err(outsideOfText(item, start, end, tokens));
    spans.push({ start, end });
  }
  return ok(spans);
}

function outsideOfText(item: ItemFacts, start: number, end: number, tokens: number): TaskProblem {
  return problem(
    'label-out-of-range',
    `the truth is the tokens ${start} to ${end}, but the text has the tokens 0 to ${tokens - 1}`,
    {
      place: { sample: item.index },
      hint: 'leave out items whose answer is cut off, or feed longer texts; an answer that does not exist is [0, 0]',
    },
  );
}

function compare(span: TokenSpan, truths: readonly TokenSpan[]): SpanAnswer {
  return {
    ...span,
    isExact: truths.some(({ start, end }) => start === span.start && end === span.end),
    f1: truths.reduce((best, truth) => Math.max(best, overlapF1(span, truth)), 0),
  };
}

function measureSpans(answers: readonly SpanAnswer[]): Measure {
  const isLabelled = answers.every(({ f1 }) => f1 !== undefined);
  return additiveMeasure(
    { items: answers.length, sums: 2 },
    (item, add) => {
      const { isExact, f1 } = answers[item] as SpanAnswer;
      add(0, isExact === true ? 1 : 0);
      add(1, f1 ?? 0);
    },
    ([exact, f1], total) => {
      if (!isLabelled || total === 0) return { exact_match: null, f1: null };
      return { exact_match: (exact as number) / total, f1: (f1 as number) / total };
    },
  );
}
