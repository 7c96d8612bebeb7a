import type { TaskProblem } from '../task.ts';
import { type SettingCheck, settingProblem } from './setting-problem.ts';

/** How a score becomes a yes or a no. */
export interface DecisionSettings {
  /** The least probability that counts as yes; 0.5 where it is absent. */
  readonly threshold?: number;
  /** What turns the output into probabilities; `none` where it is absent: it holds them already. */
  readonly activation?: 'none' | 'sigmoid';
}

const DEFAULT_THRESHOLD = 0.5;

/**
 * The least score that counts as yes, in float32 as scores are kept: a score of 0.7 reaches a threshold of 0.7. The
 * sigmoid is monotone, so it is the threshold that is turned back by it.
 */
export function leastPositiveScore({
  threshold = DEFAULT_THRESHOLD,
  activation = 'none',
}: DecisionSettings): number {
  return Math.fround(activation === 'none' ? threshold : Math.log(threshold / (1 - threshold)));
}

export function decisionProblem({
  threshold = DEFAULT_THRESHOLD,
  activation,
}: DecisionSettings): TaskProblem | undefined {
  const isProbability = threshold > 0 && threshold < 1;
  const check: SettingCheck = {
    name: 'threshold',
    value: threshold,
    must: activation === 'sigmoid' ? 'between 0 and 1' : 'a finite number',
    holds: activation === 'sigmoid' ? isProbability : Number.isFinite(threshold),
  };
  return settingProblem([check]);
}

/** What was decided, counted by what is true. */
interface DecisionCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
}

/** 0 where there is neither a positive nor a decision for one, as scikit-learn's `f1_score`. */
export function f1Score({ truePositives, falsePositives, falseNegatives }: DecisionCounts): number {
  return ratioOrZero(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives);
}

/** The convention of scikit-learn for precision, recall and F1: nothing out of nothing is 0. */
export function ratioOrZero(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
