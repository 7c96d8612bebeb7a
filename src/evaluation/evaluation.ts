import type { ItemFacts } from '../core/item.ts';
import { type Problem, ProblemError } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type AnswerComparison, compareAnswers, type TalliedItem } from './compare-answers.ts';
import { accumulateFidelity, type OutputFidelity } from './fidelity.ts';
import { collectIndices, type IndexList } from './index-list.ts';
import {
  type EvaluationItem,
  type EvaluationProblem,
  type OutputPair,
  readOutputPair,
  sizesDiffer,
} from './output-pairs.ts';
import { holmAdjusted } from './statistics/holm.ts';
import type { Task } from './task.ts';
import {
  type AdjustedPValue,
  DEFAULT_VERDICT_SETTINGS,
  judgeByFidelity,
  judgeValidity,
  type Verdict,
  type VerdictSettings,
} from './verdict.ts';

export interface EvaluatorOptions {
  /** What the outputs mean. Without a task they are compared as numbers, and nothing else. */
  readonly task?: Task<unknown> | undefined;
  /** Numeric outputs to compare, by name; the first is the primary one. At least one. */
  readonly outputs: readonly string[];
  readonly settings?: VerdictSettings;
}

export interface EvaluatedItem extends EvaluationItem {
  /** What the task reads in the reference's outputs, where that is known already. */
  readonly referenceAnswer?: unknown;
}

export interface Evaluator {
  /** Adds one item. A problem means that the models, the task or labels do not belong together; the item is not counted then. */
  add(item: EvaluatedItem): Result<undefined, EvaluationProblem>;
  /** Records an item on which a model failed to run; the verdict becomes `invalid`. */
  fail(index: number, cause: Problem): void;
  /** The items so far, and how close their outputs are. */
  tally(): Pick<VariantEvaluation, 'n' | 'outputs'>;
  /** Compares the answers of both models. Throws a `ProblemError` where a user's own metric fails. */
  conclude(): Conclusion;
  /** What is to be said where nothing else is compared. */
  finish(): VariantEvaluation;
  /** The items whose answer changed, all of them, in the order in which they came. */
  changed(): Iterable<ChangedItem>;
}

/** A candidate that was compared, and whose verdict may still depend on how many others are. */
export interface Conclusion {
  /** Of the test that there is a loss; null where nothing was tested. */
  readonly pValue: number | null;
  evaluation(adjusted?: AdjustedPValue): VariantEvaluation;
}

/** An item to which the candidate gives another answer than the reference. */
export interface ChangedItem {
  readonly index: number;
  readonly id?: string;
  /** As the task shows answers, in a few words. */
  readonly reference: string;
  readonly candidate: string;
  /** Whether they were right; absent where nobody knows. */
  readonly referenceRight?: boolean;
  readonly candidateRight?: boolean;
}

/** A candidate against its reference on one data set. Proportions are 0 to 1; absent is what could not be measured. */
export interface VariantEvaluation extends Partial<AnswerComparison> {
  readonly task: string;
  /** Items compared, without those that failed. */
  readonly n: number;
  /** Of the first output, as are `cosine`, `maxAbsError` and `identical`; see `OutputFidelity`. */
  readonly sqnrDb: number | null;
  readonly cosine: number | null;
  readonly maxAbsError: number;
  readonly identical: boolean;
  readonly outputs: readonly OutputFidelity[];
  /** Items with a NaN, or an infinity that only one model has, in any output. */
  readonly nonFinite: IndexList;
  /** Those of them on which it is the reference that gives NaN or infinity. */
  readonly nonFiniteReference: IndexList;
  /** Items on which a model failed to run. */
  readonly failed: IndexList;
  /** Items whose answer differs from the reference's. */
  readonly flipped?: IndexList;
  /** The first few of them, with both answers. */
  readonly changes?: readonly ChangedItem[];
  /** Of the test, Holm-adjusted, where several candidates were compared at once. */
  readonly adjustedPValue?: number;
  readonly verdict: Verdict;
  readonly verdictReason: string;
}

const LISTED_CHANGES = 20;

/**
 * Compares a candidate with its reference item by item. One answer is kept for each item and model, as the figures of
 * resampled items need them; outputs are not kept.
 */
export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const { task, outputs, settings = DEFAULT_VERDICT_SETTINGS } = options;
  if (outputs.length === 0) throw new RangeError('an evaluation needs at least one output');
  const fidelity = outputs.map(accumulateFidelity);
  const items: TalliedItem[] = [];
  const nonFinite = { reference: collectIndices(), candidate: collectIndices(), either: collectIndices() };
  const failed = collectIndices();
  let firstFailure: Problem | undefined;
  let n = 0;

  const readPairs = (
    item: EvaluationItem,
  ): Result<readonly (OutputPair | undefined)[], EvaluationProblem> => {
    const pairs: (OutputPair | undefined)[] = [];
    for (const name of outputs) {
      const pair = readOutputPair(item, name);
      if (!pair.ok) return pair;
      // What a task reads may well have another size each time, such as the boxes that are left of many.
      if (pair.value === undefined && task === undefined) return err(sizesDiffer(item, name));
      pairs.push(pair.value);
    }
    return ok(pairs);
  };

  const recordFidelity = (index: number, pairs: readonly (OutputPair | undefined)[]): void => {
    const sides = new Set<'reference' | 'candidate'>();
    for (const [position, pair] of pairs.entries()) {
      const side =
        pair === undefined
          ? fidelity[position]?.addIncomparable()
          : fidelity[position]?.add(pair.reference, pair.candidate);
      if (side !== undefined) sides.add(side);
    }
    if (sides.size > 0) nonFinite.either.add(index);
    for (const side of sides) nonFinite[side].add(index);
  };

  const answerBoth = (item: EvaluatedItem): Result<TalliedItem | undefined, EvaluationProblem> => {
    if (task === undefined) return ok(undefined);
    const reference =
      item.referenceAnswer === undefined ? task.answer(item.reference, item) : ok(item.referenceAnswer);
    if (!reference.ok) return reference;
    const candidate = task.answer(item.candidate, item);
    if (!candidate.ok) return candidate;
    return ok({ ...factsOf(item), reference: reference.value, candidate: candidate.value });
  };

  const add = (item: EvaluatedItem): Result<undefined, EvaluationProblem> => {
    const pairs = readPairs(item);
    if (!pairs.ok) return pairs;
    const tallied = answerBoth(item);
    if (!tallied.ok) return tallied;
    recordFidelity(item.index, pairs.value);
    n += 1;
    if (tallied.value !== undefined) items.push(tallied.value);
    return ok(undefined);
  };

  const changedItems = (): readonly TalliedItem[] =>
    task === undefined ? [] : items.filter(({ reference, candidate }) => !task.same(reference, candidate));

  const describeChange = ({ index, id, reference, candidate }: TalliedItem): ChangedItem => {
    const shown = task as Task<unknown>;
    const [referenceRight, candidateRight] = [shown.isRight?.(reference), shown.isRight?.(candidate)];
    return {
      index,
      ...(id === undefined ? {} : { id }),
      reference: shown.show(reference),
      candidate: shown.show(candidate),
      ...(referenceRight === undefined ? {} : { referenceRight }),
      ...(candidateRight === undefined ? {} : { candidateRight }),
    };
  };

  const conclude = (): Conclusion => {
    const fidelities = fidelity.map((accumulator) => accumulator.result());
    const primary = fidelities[0] as OutputFidelity;
    const changed = changedItems();
    const compared =
      task === undefined || items.length === 0 ? undefined : compareAnswers(task, items, changed, settings);
    const isByFidelity = compared === undefined || settings.metric === 'sqnr_db';
    const judge = (adjusted?: AdjustedPValue) =>
      judgeValidity({
        n,
        failed: failed.list(),
        firstFailure,
        nonFiniteReference: nonFinite.reference.list(),
        nonFiniteCandidate: nonFinite.candidate.list(),
      }) ?? (isByFidelity ? judgeByFidelity(primary, settings) : compared.judge(adjusted));
    const evaluation = (adjusted?: AdjustedPValue): VariantEvaluation => {
      const { verdict, reason } = judge(adjusted);
      return {
        task: task?.name ?? 'fidelity',
        n,
        ...compared?.comparison,
        ...(settings.metric === 'sqnr_db' ? { metric: 'sqnr_db' } : {}),
        sqnrDb: primary.sqnrDb,
        cosine: primary.cosine,
        maxAbsError: primary.maxAbsError,
        identical: primary.identical,
        outputs: fidelities,
        nonFinite: nonFinite.either.list(),
        nonFiniteReference: nonFinite.reference.list(),
        failed: failed.list(),
        ...(compared === undefined
          ? {}
          : {
              flipped: listIndices(changed),
              changes: changed.slice(0, LISTED_CHANGES).map(describeChange),
            }),
        ...(adjusted === undefined ? {} : { adjustedPValue: adjusted.pValue }),
        verdict,
        verdictReason: reason,
      };
    };
    return { pValue: isByFidelity ? null : compared.pValue, evaluation };
  };

  return {
    add,
    fail: (index, cause) => {
      failed.add(index);
      firstFailure ??= cause;
    },
    tally: () => ({ n, outputs: fidelity.map((accumulator) => accumulator.result()) }),
    conclude,
    finish: () => conclude().evaluation(),
    changed: () => changedItems().map(describeChange),
  };
}

/**
 * What is to be said of candidates that are compared with one reference at once: their p-values are adjusted by Holm's
 * method, as of many candidates one looks bad by chance. Throws a `ProblemError` where a user's own metric fails.
 */
export function finishTogether(evaluators: readonly Evaluator[]): readonly VariantEvaluation[] {
  const conclusions = evaluators.map((evaluator) => evaluator.conclude());
  const tested = conclusions.filter(({ pValue }) => pValue !== null);
  if (tested.length < 2) return conclusions.map(({ evaluation }) => evaluation());
  const adjusted = holmAdjusted(tested.map(({ pValue }) => pValue as number));
  return conclusions.map((conclusion) => {
    const pValue = adjusted[tested.indexOf(conclusion)];
    return conclusion.evaluation(pValue === undefined ? undefined : { pValue, comparisons: tested.length });
  });
}

/** Reads an item's answer once for all candidates that are compared with it. Throws `ProblemError`. */
export function answerOf(
  task: Task<unknown> | undefined,
  outputs: EvaluationItem['reference'],
  item: ItemFacts,
): unknown {
  const answer = task?.answer(outputs, item);
  if (answer === undefined) return undefined;
  if (!answer.ok) throw new ProblemError(answer.error);
  return answer.value;
}

function factsOf({ index, id, group }: ItemFacts): Pick<ItemFacts, 'index' | 'id' | 'group'> {
  return { index, ...(id === undefined ? {} : { id }), ...(group === undefined ? {} : { group }) };
}

function listIndices(items: readonly TalliedItem[]): IndexList {
  const list = collectIndices();
  for (const { index } of items) list.add(index);
  return list.list();
}
