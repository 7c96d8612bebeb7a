import type { Cause } from '../../quantization/explain/reasons.ts';

/** SQNR in dB; null where nothing was lost at all. */
export type Decibels = number | null;

/** What a quantized model, or one node of it, does to the outputs. */
export interface OutputCost {
  readonly sqnrDb: Decibels;
  /** Outputs hold NaN or infinity; `sqnrDb` is null then as well. */
  readonly notFinite?: true;
  /** Samples whose answer is another than the float32 model's; absent without a task. */
  readonly changedAnswers?: number;
  /** The task's first metric; absent where nothing tells it. */
  readonly figure?: number;
}

/** What leaving roundings out gains against the quantized model as it is simulated; null where nothing is lost any more. */
export interface OutputGain extends OutputCost {
  readonly gainDb: Decibels;
}

/** Values of one tensor of the float32 model, and the grid that they are rounded to. */
export interface ExplainedTensor {
  readonly tensor: string;
  /** The range of the grid; absent where it is found anew for each input. */
  readonly low?: number;
  readonly high?: number;
  /** What was seen. */
  readonly min: number;
  readonly max: number;
  /** Values beyond the range. */
  readonly clippedRatio?: number;
  /** Their share of the energy of the tensor that is cut off. */
  readonly clippedEnergyRatio?: number;
  readonly roundingSqnrDb?: Decibels;
  readonly clippingSqnrDb?: Decibels;
  readonly usedCodes?: number;
  readonly codes?: number;
  /** 99.9 % of the values lie within this share of the range. */
  readonly rangeOf999?: number;
  readonly channels?: number;
  readonly zeroChannels?: number;
  /** The largest magnitude of each channel; absent beyond a few hundred channels. */
  readonly channelAbsMax?: readonly number[];
  /** Values by where they lie: 64 bins below the range, 64 over it, 64 above it. */
  readonly histogram?: readonly number[];
}

export interface ExplainedWeights {
  readonly elements: number;
  readonly bits: number;
  readonly scales: 'tensor' | 'channel' | 'block';
  readonly sqnrDb: Decibels;
  readonly channels: number;
  readonly deadChannels: number;
  readonly usedCodes?: number;
  readonly codes: number;
  readonly cutOffRatio: number;
  /** The largest over the median of the channels' largest magnitudes, dead channels aside. */
  readonly spread: number;
  /** Largest magnitudes and scales by channel; absent beyond a few hundred channels. */
  readonly channelAbsMax?: readonly number[];
  readonly channelScales?: readonly number[];
}

export interface ExplainedNode {
  readonly node: string;
  readonly op: string;
  /** Its place among the nodes of the float32 model. */
  readonly depth: number;
  readonly output: string;
  readonly inputs: readonly string[];
  /** With this node alone quantized; absent where that was not measured. */
  readonly alone?: OutputCost;
  /** With all but this node's roundings, and what that gains; absent where that was not measured. */
  readonly without?: OutputGain;
  /** As a recipe leaves a node float32: what other quantized nodes read or give as well goes on being rounded. */
  readonly leftFloat?: OutputGain;
  /** The error of its own result, from float32 inputs. */
  readonly own: {
    readonly sqnrDb: Decibels;
    readonly weightsSqnrDb?: Decibels;
    readonly inputsSqnrDb?: Decibels;
    readonly inputClippingSqnrDb?: Decibels;
    readonly outputRoundingSqnrDb?: Decibels;
    readonly outputClippingSqnrDb?: Decibels;
  };
  /** The error of its result in the quantized model as a whole. */
  readonly accumulatedSqnrDb?: Decibels;
  readonly weights?: ExplainedWeights;
  /** Its share of all multiplications with weights. */
  readonly workRatio?: number;
  readonly cause: Cause;
  readonly reason: string;
  readonly advice: readonly string[];
}

/** A tensor in the order of the model, for how errors add up. */
export interface DepthPoint {
  readonly tensor: string;
  readonly node: string;
  readonly depth: number;
  readonly accumulatedSqnrDb: Decibels;
}

/** What is told of any two models that are held against each other. */
export interface Compared {
  readonly reference: string;
  readonly candidate: string;
  readonly split: string;
  readonly samples: number;
  readonly task: string;
  readonly metric?: { readonly name: string; readonly label: string; readonly better: 'higher' | 'lower' };
  /** The reference's own figure on the samples. */
  readonly referenceFigure?: number;
  /** The candidate as it is, against the reference. */
  readonly whole: OutputCost;
  readonly notes: readonly string[];
  readonly seconds: number;
  readonly peakRssBytes: number;
}

/** The reference is the float32 model, the candidate the quantized one. */
export interface Explanation extends Compared {
  readonly kind: 'quantized';
  /** All roundings at once in float32 arithmetic, as single nodes are measured: how far that stands for the model. */
  readonly simulated: OutputCost;
  /** Costliest first: by `alone`, and those that were not measured behind, by their own error. */
  readonly nodes: readonly ExplainedNode[];
  readonly tensors: readonly ExplainedTensor[];
  readonly depth: readonly DepthPoint[];
  readonly unpaired: readonly { readonly node: string; readonly op: string; readonly reason: string }[];
  readonly measured: { readonly alone: number; readonly of: number; readonly stopped?: 'time-limit' | 'top' };
}
