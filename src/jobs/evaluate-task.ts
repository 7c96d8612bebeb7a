import type { CarriedState } from '../data/carried-state.ts';
import type { VariantEvaluation } from '../evaluation/evaluation.ts';
import type { IndexList } from '../evaluation/index-list.ts';
import type { MetricInfo } from '../evaluation/task.ts';
import type { TaskSettings } from '../evaluation/tasks/create-task.ts';
import type { Verdict } from '../evaluation/verdict.ts';
import type { InputDigests } from './digest-inputs.ts';
import type { OutputsOrigin } from './outputs-file.ts';
import type { TaskData } from './task-data.ts';

/** Evaluate variants of a model against FP32 on the same samples. */
export interface EvaluateTask {
  readonly kind: 'evaluate';
  /** The reference, under the name that results give it. */
  readonly reference: { readonly variant: string; readonly path: string };
  readonly candidates: readonly EvaluatedCandidate[];
  readonly data: TaskData;
  /** At most so many samples; all when absent. */
  readonly samples?: number;
  readonly task: TaskSettings;
  readonly budget: EvaluationBudget;
  /** Threads inside an operator where samples are not shared out among threads; 0 for every core. */
  readonly threads: number;
  /** Of a recurrent model. The reference and every candidate carry their own. */
  readonly states?: readonly CarriedState[];
  /** Keeps the reference's outputs, so that another variant costs one pass. */
  readonly outputsCache?: {
    readonly folder: string;
    /** Of the reference and the data, for those who have them already. */
    readonly digests?: InputDigests;
  };
  /** Keeps every candidate's outputs, and compares with those that it gave on an earlier day. */
  readonly golden?: {
    readonly folder: string;
    /** Answers that models are held to, by variant; given also where there are none yet, so that this one's are kept for later. */
    readonly baselines?: Readonly<Record<string, KeptAnswers>>;
  };
  /** Traces the first samples of every model. */
  readonly trace?: TracedSamples;
}

/** What to trace of every model that a task runs. */
export interface TracedSamples {
  /** Where profiles and parts go; see `makeTraceSpool`. */
  readonly folder: string;
  /** Of each model, the first ones. */
  readonly samples: number;
  /** The name of the model whose variants they are. */
  readonly model: string;
}

export interface EvaluatedCandidate {
  readonly variant: string;
  readonly path: string;
  /** Where its changed items are written, one JSON object a line. */
  readonly changedItems?: string;
}

/** How much worse a candidate may be, and how surely that must be known. */
export interface EvaluationBudget {
  readonly metric?: string;
  readonly absolute?: number;
  readonly relative?: number;
  readonly atLeast?: number;
  readonly alpha?: number;
  readonly confidence?: number;
}

/** One candidate's comparison. The reference's own figures stand beside its. */
export interface ModelEvaluation extends VariantEvaluation {
  readonly variant: string;
  readonly model: string;
  /** Samples that could not be read and were left out. */
  readonly skipped: IndexList & { readonly problems: readonly string[] };
  /** What the data holds and was not used, such as files without a label; the first ones by name. */
  readonly unused: { readonly count: number; readonly names: readonly string[] };
  /** The reference's outputs come from an earlier evaluation. */
  readonly referenceReused: boolean;
  readonly drift?: GoldenDrift;
  /** Instead of a drift where there was nothing to compare with: false where outputs are too large or a sample failed. */
  readonly goldenRecorded?: boolean;
  /** Of the candidate. */
  readonly watched?: WatchedAnswers;
  /** Of the reference, which has no evaluation of its own. */
  readonly referenceWatched?: WatchedAnswers;
}

/** Outputs of a model on the samples of an evaluation, in a file of the golden folder. */
export interface KeptAnswers {
  /** The name of the file without its ending; null where outputs are too large to keep, or a sample failed. */
  readonly outputs: string | null;
  /** Names the samples. */
  readonly data: string;
}

/** What an evaluation leaves for later ones to compare with, and what it found against an earlier one. */
export interface WatchedAnswers extends KeptAnswers {
  readonly againstBaseline?: BaselineComparison;
}

/** A model against the one that it is held to, on the same samples. Null is what could not be told; see `VariantEvaluation`. */
export interface BaselineComparison {
  readonly n: number;
  readonly metric: string;
  readonly unit: MetricInfo['unit'];
  readonly value: number | null;
  readonly baseline: number | null;
  readonly loss: number | null;
  readonly lossUpperBound: number | null;
  readonly allowedDrop: number | null;
  /** Samples that got another answer. */
  readonly changed: number;
  readonly verdict: Verdict;
  readonly verdictReason: string;
}

/** A model against its own outputs of an earlier day: labels are not needed, and nothing should have changed. */
export interface GoldenDrift {
  readonly recorded: OutputsOrigin;
  readonly n: number;
  /** `numeric`: outputs differ, but no answer does. */
  readonly drift: 'none' | 'numeric' | 'answers';
  /** Items with another answer, or with one on only one of the two days. */
  readonly changed: IndexList;
  /** Of the items that have outputs on both days. */
  readonly maxAbsError: number;
}
