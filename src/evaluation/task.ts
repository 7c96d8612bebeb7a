import type { ItemFacts } from '../core/item.ts';
import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { NamedTensors } from '../core/tensor.ts';

/** A figure that a task measures. */
export interface MetricInfo {
  /** Stable, as in results, budgets and metrics: `top1`, `mae`, `map`. */
  readonly name: string;
  /** As people read it: `top-1`. */
  readonly label: string;
  readonly better: 'higher' | 'lower';
  /** `proportion`: 0 to 1, shown in percent. */
  readonly unit: 'proportion' | 'number';
  /** Whether the reference is perfect by it, as it measures how much of what the reference says is kept. */
  readonly againstReference?: true;
}

/** By the name of the metric; null where it cannot be told, as without labels. */
export type Figures = Readonly<Record<string, number | null>>;

/** How often each answer counts, by its position; every one once where there are none. */
export type Weights = ArrayLike<number> | undefined;

/** Figures of any multiset of the answers that were measured. */
export type Measure = (weights?: Weights) => Figures;

export type TaskProblem = Problem<
  | 'output-missing'
  | 'output-unsupported'
  | 'output-shape-unexpected'
  | 'not-class-scores'
  | 'label-out-of-range'
  | 'truth-unsuitable'
  | 'task-settings-invalid'
>;

/**
 * What a model is for, and how well it does it. A task sees outputs and truths, never a model or a file. One answer is
 * kept for each item and model, so it holds what the figures need and no more.
 */
export interface Task<Answer> {
  readonly name: string;
  /** The first is the one that is judged by where nothing else is asked for. */
  readonly metrics: readonly MetricInfo[];
  /** Whether the figures come from the reference's answers and not from labels, as for embeddings. */
  readonly againstReference: boolean;
  /**
   * Reads what a model says about one item, with whether it is right where the truth is known. An output that holds NaN
   * is an answer that is wrong, not a problem; problems are for what makes the comparison senseless.
   */
  answer(outputs: NamedTensors, item: ItemFacts): Result<Answer, TaskProblem>;
  /** Whether a user would notice no difference between the two. */
  same(reference: Answer, candidate: Answer): boolean;
  /** An answer in a few words, for the list of the items that changed. */
  show(answer: Answer): string;
  /** For metrics that are a share of right answers: whether this one is; undefined without a truth. */
  isRight?(answer: Answer): boolean | undefined;
  /**
   * Prepares the figures of any multiset of the answers. What can be computed once is computed here, as a bootstrap asks
   * thousands of times.
   * @param reference the reference's answers to the same items, in the same order
   */
  measure(answers: readonly Answer[], reference: readonly Answer[]): Measure;
}
