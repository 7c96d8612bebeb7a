import { type GraphIndex, hasOneReader, indexGraph } from '../../onnx/graph-index.ts';
import type { AttributeProto, NodeProto, TensorProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope, type NameScope } from '../../onnx/name-scope.ts';
import type { GraphView } from '../graph-view.ts';

/** What a float node becomes. Its name and its attributes stay. */
export interface Conversion {
  readonly opType: string;
  /** Whether the operator is one of ONNX Runtime's own, in the domain `com.microsoft`. */
  readonly isContributed: boolean;
  readonly input: readonly string[];
  readonly output: readonly string[];
  /** Nodes whose work the new operator does too. */
  readonly replaced: readonly NodeProto[];
  /** Attributes that the float node does not have. */
  readonly attribute?: readonly AttributeProto[];
  /** Constants that the new operator reads and the graph does not have yet. */
  readonly initializers?: readonly TensorProto[];
  /** Which input its weights have become. */
  readonly weightsInput?: number;
}

/** The Q/DQ graph before anything in it is converted. */
export interface ConversionContext {
  readonly model: OnnxModel;
  readonly index: GraphIndex;
  readonly names: NameScope;
  /** The version of the default domain. */
  readonly opset: number;
}

export const WIDE_CODES = 'operators on codes take 8 bits, and its codes have more';
export const NO_CODES = 'an input of it is not made of codes';

export function createConversionContext({ model, graph }: GraphView): ConversionContext {
  return {
    model,
    index: indexGraph(graph),
    names: createNameScope(graph),
    opset:
      model.proto.opsetImport.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version ?? 1,
  };
}

/** Why a result has no codes: who reads it. */
export function notRounded(tensor: string, { index }: ConversionContext): string {
  const reader = hasOneReader(tensor, index) ? index.consumersOf.get(tensor)?.[0] : undefined;
  return reader === undefined
    ? 'its result is read in float32'
    : `its result goes through ${reader.node.opType} before it is rounded, which changes codes`;
}
