import type { CarriedState } from '../data/carried-state.ts';
import type { VariantEvaluation } from '../evaluation/evaluation.ts';

/** Evaluate variants of a model against FP32 on the same samples. */
export interface EvaluateTask {
  readonly kind: 'evaluate';
  /** The reference, under the name that results give it. */
  readonly reference: { readonly variant: string; readonly path: string };
  readonly candidates: readonly { readonly variant: string; readonly path: string }[];
  readonly dataPath: string;
  readonly split: string;
  /** At most so many samples; all when absent. */
  readonly samples?: number;
  readonly task: 'classification' | 'fidelity';
  /** How much worse a candidate may be. */
  readonly budget: {
    readonly metric?: 'top1' | 'agreement';
    readonly absolute?: number;
    readonly relative?: number;
  };
  readonly threads: number;
  /** Of a recurrent model. The reference and every candidate carry their own. */
  readonly states?: readonly CarriedState[];
}

/** One candidate's comparison. The reference's own figures are in `reference`. */
export interface ModelEvaluation extends VariantEvaluation {
  readonly variant: string;
  readonly model: string;
}
