import type { NodeProto } from '../../onnx/messages.ts';
import type { CodedConstant, CodeRange } from './coded-constant.ts';

/** Codes, with the names of the tensors that say what they mean. */
export interface CodedName {
  readonly codes: string;
  readonly scale: string;
  readonly zeroPoint: string;
}

/** The grid that the values of a tensor are rounded to. */
export interface ActivationGrid {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly codes: CodeRange;
  readonly dataType: number;
}

/** A tensor that a quantized model keeps, or computes with, as codes. */
export interface RoundedTensor {
  /** What it is known by here: the tensor before it is rounded, or its codes where it never is a float. */
  readonly id: string;
  /** Names of the model by which a float32 model may know it. */
  readonly aliases: readonly string[];
  /** Undefined where the grid is found anew for each input of the model (DynamicQuantizeLinear). */
  readonly grid: ActivationGrid | undefined;
  /** How a run of the quantized model tells its values. */
  readonly seen: { readonly float: string } | { readonly codes: CodedName };
}

export type QuantizedInput =
  | { readonly kind: 'rounded'; readonly tensor: RoundedTensor }
  | { readonly kind: 'coded'; readonly constant: CodedConstant }
  | { readonly kind: 'float'; readonly name: string };

/** A node that computes with codes, or between conversions, in the terms of the float operator that it stands for. */
export interface QuantizedNode {
  readonly name: string;
  /** Of the float operator: `Conv` for a QLinearConv. */
  readonly op: string;
  readonly node: NodeProto;
  /** In the order of the float operator. */
  readonly inputs: readonly QuantizedInput[];
  /** Its first output, as the quantized model names it. */
  readonly output: string;
  /** Of its first output; undefined where that stays float. */
  readonly rounded: RoundedTensor | undefined;
}

export interface QuantizedGraph {
  readonly nodes: readonly QuantizedNode[];
  /** Nodes that compute with codes in a way that is not known here. */
  readonly unread: readonly { readonly node: string; readonly op: string }[];
}
