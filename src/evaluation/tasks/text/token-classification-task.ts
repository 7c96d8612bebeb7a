import type { ItemFacts } from '../../../core/item.ts';
import { problem } from '../../../core/problem.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { Figures, Measure, MetricInfo, Task, TaskProblem } from '../../task.ts';
import { additiveMeasure } from '../additive-measure.ts';
import type { OutputChoice } from '../read-output.ts';
import { isClassOf, labelOutOfRange, unsuitableTruth } from '../unsuitable-truth.ts';
import { type PredictedIds, predictIds } from './predicted-ids.ts';
import { countCommonSpans, findSpans, readTags, type SpanRule, type TagTable } from './tag-spans.ts';

export interface TokenClassificationSettings extends OutputChoice {
  /** Names of the classes in the model's order, such as `O`, `B-PER`, `I-PER`. */
  readonly tags: readonly string[];
  /** How tags mark spans; `lenient` where it is absent. `none`: each token has a class of its own, as parts of speech. */
  readonly spans?: SpanRule | 'none';
  /** Tags that say "nothing is here"; `O` where it is absent. */
  readonly outside?: readonly string[];
}

export interface TaggedTokens {
  /** Class of each token that counts; -1 where a score is NaN. */
  readonly classes: Int32Array;
  /** By `COUNT`; absent without a truth. */
  readonly counts?: Int32Array;
}

/** What is counted in an item. "Marked" tokens are those that are not outside. */
const COUNT = {
  tokens: 0,
  rightTokens: 1,
  markedTruth: 2,
  markedPredicted: 3,
  markedRight: 4,
  spansTruth: 5,
  spansPredicted: 6,
  spansRight: 7,
} as const;
const COUNTS = Object.keys(COUNT).length;

/** Of a token that does not count, as in PyTorch and Hugging Face. */
const IGNORED_ID = -100;

const SPAN_METRICS: readonly MetricInfo[] = [
  { name: 'span_f1', label: 'span F1', better: 'higher', unit: 'proportion' },
  { name: 'span_precision', label: 'span precision', better: 'higher', unit: 'proportion' },
  { name: 'span_recall', label: 'span recall', better: 'higher', unit: 'proportion' },
];
const TOKEN_METRICS: readonly MetricInfo[] = [
  { name: 'token_accuracy', label: 'token accuracy', better: 'higher', unit: 'proportion' },
  { name: 'token_f1', label: 'token F1', better: 'higher', unit: 'proportion' },
];

/**
 * A tag for each token: names, places, parts of speech. Reads scores [1, T, tags] or the ids of tags [1, T].
 *
 * Truths are of the kind `tags`, or `tensor` with ids of classes, one for each token from the first; '' and -100 mark
 * tokens that do not count, such as `[CLS]` and the later parts of a word, and what follows the truth is padding. Tokens
 * that do not count are left out before spans are looked for.
 *
 * `span_*` are micro averages over all spans as seqeval computes them, `token_f1` is scikit-learn's micro average over all
 * tags but those outside. As in both, a figure that divides by zero is 0; it is null where neither truths nor answers
 * mark anything, and all are null unless every item has a truth.
 */
export function createTokenClassificationTask(settings: TokenClassificationSettings): Task<TaggedTokens> {
  const { tags, spans = 'lenient', outside = ['O'] } = settings;
  const table = spans === 'none' ? undefined : readTags(tags, outside, spans);
  const settingsProblem = checkSettings(settings, table);
  const spanTable = table === undefined || 'unknownTag' in table ? undefined : table;
  const isOutside = tags.map((tag) => outside.includes(tag));
  const ids = new Map(tags.map((tag, id) => [tag, id]));

  return {
    name: 'token-classification',
    metrics: spans === 'none' ? TOKEN_METRICS : [...SPAN_METRICS, ...TOKEN_METRICS],
    againstReference: false,
    answer: (outputs, item) => {
      if (settingsProblem !== undefined) return err(settingsProblem);
      const predicted = predictIds(outputs, settings, item, tags.length);
      if (!predicted.ok) return predicted;
      if (item.truth === undefined) return ok({ classes: predicted.value.ids });
      const truth = readTruth(item, predicted.value, ids);
      return truth.ok ? ok(compare(predicted.value.ids, truth.value, isOutside, spanTable)) : truth;
    },
    // Two NaN outputs are two failures, not an agreement.
    same: ({ classes: a }, { classes: b }) =>
      a.length === b.length && a.every((id, i) => id === b[i] && id !== -1),
    show: ({ classes }) =>
      spanTable === undefined ? showTags(classes, tags) : showSpans(classes, spanTable),
    measure: (answers) => measureTags(answers, spanTable !== undefined),
  };
}

function checkSettings(
  { tags }: TokenClassificationSettings,
  table: ReturnType<typeof readTags> | undefined,
): TaskProblem | undefined {
  const repeated = tags.find((tag, i) => tags.indexOf(tag) !== i);
  if (tags.length === 0 || repeated !== undefined) {
    const fault = repeated === undefined ? 'names no tag' : `names '${repeated}' twice`;
    return problem('task-settings-invalid', `the task's setting 'tags' ${fault}`, {
      hint: "'tags' must name each class of the model once, in the model's order",
    });
  }
  if (table === undefined || !('unknownTag' in table)) return undefined;
  return problem('task-settings-invalid', `the tag '${table.unknownTag}' marks no part of a span`, {
    hint: "correct 'tags', list the tag in 'outside', choose another rule for 'spans', or 'none' if there are no spans",
  });
}

/** The class of each token; `IGNORED_ID` where it does not count. */
function readTruth(
  item: ItemFacts,
  { output, ids: predicted }: PredictedIds,
  ids: ReadonlyMap<string, number>,
): Result<ArrayLike<number>, TaskProblem> {
  const { truth } = item;
  if (truth?.kind !== 'tags' && truth?.kind !== 'tensor') {
    return err(unsuitableTruth(item, `of the kind '${truth?.kind}'`, "one tag a token (the kind 'tags')"));
  }
  const count = truth.kind === 'tags' ? truth.tags.length : truth.values.length;
  if (count > predicted.length) {
    return err(unsuitableTruth(item, `${count} tags`, `at most one for each of ${predicted.length} tokens`));
  }
  if (truth.kind === 'tags') {
    const unknown = truth.tags.find((tag) => tag !== '' && !ids.has(tag));
    if (unknown !== undefined) return err(unknownTag(item, unknown));
    return ok(truth.tags.map((tag) => ids.get(tag) ?? IGNORED_ID));
  }
  for (let i = 0; i < count; i += 1) {
    const id = truth.values[i] as number;
    if (id !== IGNORED_ID && !isClassOf(ids.size, id))
      return err(labelOutOfRange(item, id, output, ids.size));
  }
  return ok(truth.values);
}

function unknownTag(item: ItemFacts, tag: string): TaskProblem {
  return problem('label-out-of-range', `the truth holds the tag '${tag}', which is no class of the model`, {
    place: { sample: item.index },
    hint: "the tags of the data set and those of the task's setting 'tags' must be spelled alike",
  });
}

function compare(
  predicted: Int32Array,
  truth: ArrayLike<number>,
  isOutside: readonly boolean[],
  table: TagTable | undefined,
): TaggedTokens {
  const counted: number[] = [];
  for (let i = 0; i < truth.length; i += 1) if (truth[i] !== IGNORED_ID) counted.push(i);
  const classes = Int32Array.from(counted, (i) => predicted[i] as number);
  const expected = Int32Array.from(counted, (i) => truth[i] as number);
  const counts = new Int32Array(COUNTS);
  countTokens(classes, expected, isOutside, counts);
  if (table !== undefined) {
    const expectedSpans = findSpans(expected, table);
    const predictedSpans = findSpans(classes, table);
    counts[COUNT.spansTruth] = expectedSpans.length / 3;
    counts[COUNT.spansPredicted] = predictedSpans.length / 3;
    counts[COUNT.spansRight] = countCommonSpans(expectedSpans, predictedSpans);
  }
  return { classes, counts };
}

function countTokens(
  classes: Int32Array,
  expected: Int32Array,
  isOutside: readonly boolean[],
  counts: Int32Array,
): void {
  let right = 0;
  let markedTruth = 0;
  let markedPredicted = 0;
  let markedRight = 0;
  for (let i = 0; i < classes.length; i += 1) {
    const isMarked = isOutside[expected[i] as number] === false;
    if (isMarked) markedTruth += 1;
    if (isOutside[classes[i] as number] === false) markedPredicted += 1;
    if (classes[i] !== expected[i]) continue;
    right += 1;
    if (isMarked) markedRight += 1;
  }
  counts[COUNT.tokens] = classes.length;
  counts[COUNT.rightTokens] = right;
  counts[COUNT.markedTruth] = markedTruth;
  counts[COUNT.markedPredicted] = markedPredicted;
  counts[COUNT.markedRight] = markedRight;
}

function measureTags(answers: readonly TaggedTokens[], withSpans: boolean): Measure {
  const isLabelled = answers.every(({ counts }) => counts !== undefined);
  return additiveMeasure(
    { items: answers.length, sums: COUNTS },
    (item, add) => {
      for (const [count, value] of answers[item]?.counts?.entries() ?? []) add(count, value);
    },
    (sums) => {
      const sum = (count: keyof typeof COUNT): number => sums[COUNT[count]] as number;
      const marked = f1(sum('markedRight'), sum('markedPredicted'), sum('markedTruth'));
      const spans = f1(sum('spansRight'), sum('spansPredicted'), sum('spansTruth'));
      const figures: Figures = {
        ...(withSpans
          ? { span_f1: spans.f1, span_precision: spans.precision, span_recall: spans.recall }
          : {}),
        token_accuracy: sum('tokens') === 0 ? null : sum('rightTokens') / sum('tokens'),
        token_f1: marked.f1,
      };
      return isLabelled ? figures : Object.fromEntries(Object.keys(figures).map((name) => [name, null]));
    },
  );
}

interface F1 {
  readonly f1: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
}

/** From how many are right, predicted and true. */
function f1(right: number, predicted: number, truth: number): F1 {
  if (predicted + truth === 0) return { f1: null, precision: null, recall: null };
  return {
    f1: (2 * right) / (predicted + truth),
    precision: predicted === 0 ? 0 : right / predicted,
    recall: truth === 0 ? 0 : right / truth,
  };
}

const SHOWN = 8;

function showSpans(classes: Int32Array, table: TagTable): string {
  if (classes.includes(-1)) return 'no tags (NaN)';
  const spans = findSpans(classes, table);
  const shown: string[] = [];
  for (let i = 0; i < spans.length && shown.length < SHOWN; i += 3) {
    const [start, end, type] = spans.slice(i, i + 3) as [number, number, number];
    shown.push(`${table.typeNames[type] || 'span'} ${start === end ? start : `${start}–${end}`}`);
  }
  const more = spans.length / 3 - shown.length;
  return shown.length === 0 ? 'no span' : `${shown.join(', ')}${more > 0 ? `, ${more} more` : ''}`;
}

function showTags(classes: Int32Array, tags: readonly string[]): string {
  const shown = Array.from(classes.subarray(0, SHOWN), (id) => tags[id] ?? 'NaN');
  const more = classes.length - shown.length;
  return `${shown.join(' ')}${more > 0 ? ` and ${more} more` : ''}`;
}
