import type { OnnxModel } from '../../onnx/model-file.ts';
import type { ValueRange } from '../affine.ts';
import type { GraphView } from '../graph-view.ts';
import type { LeftFloat } from '../placement.ts';
import type { StaticRecipe } from '../recipe.ts';
import type { MatrixProduct } from '../reconstruction/matrix-product.ts';
import type { Draft } from './draft.ts';
import type { DraftStatistics } from './draft-statistics.ts';
import type { Learn } from './learning-run.ts';

/** One technique that makes a quantized model more accurate. */
export interface TuningPass {
  /** As reports name it, in kebab case. */
  readonly name: string;
  readonly run: (draft: Draft, tools: TuningTools) => Promise<TuningStep>;
}

/** What a pass has made. */
export interface TuningStep {
  /** Absent where nothing was to be done. */
  readonly draft?: Draft;
  /** How many things it changed: layers, pairs of layers or ranges, as `reason` says. */
  readonly changed: number;
  /** What was changed or why nothing was, in words. */
  readonly reason: string;
}

/** Of a rewritten model: what it was made from, and what the channels of a tensor are multiplied with. */
export interface ScaledChannels {
  readonly from: GraphView;
  /** One a channel; undefined for a tensor that is what it was. */
  readonly scalesOf: (tensor: string) => Float64Array | undefined;
}

/**
 * What passes may use. Samples to learn from are those that ranges are found on; those by which a pass is judged are kept
 * apart from them.
 */
export interface TuningTools {
  readonly recipe: StaticRecipe;
  /**
   * Places a float model that was rewritten, and finds its ranges. Nothing is tuned in the draft that it gives.
   * @param known ranges of tensors that are what they were
   */
  readonly settle: (
    view: GraphView,
    known: ReadonlyMap<string, ValueRange>,
    scaled: ScaledChannels,
  ) => Promise<Draft>;
  /** What the channels of the float model of a draft hold, on a part of the samples to learn from. */
  readonly statistics: (draft: Draft) => Promise<DraftStatistics>;
  /** The draft with more nodes left float32, each with the reason; what is known of the others stays. */
  readonly leave: (draft: Draft, more: LeftFloat) => Draft;
  /** The model that a draft makes: a copy, with Q/DQ in it. Edges keep their names; see `insertQdq`. */
  readonly quantize: (draft: Draft) => OnnxModel;
  readonly learn: Learn;
  /** For what a pass computes of matrices. */
  readonly multiply: MatrixProduct;
  /** Output SQNR in dB of what a draft makes, on the samples to judge by. */
  readonly judge: (draft: Draft) => Promise<number>;
  /** What each of those samples adds to the noise over signal that `judge` tells of. A draft that was judged is not run again. */
  readonly noiseShares: (draft: Draft) => Promise<readonly number[]>;
}
