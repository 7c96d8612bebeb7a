import { floatAttribute, intAttribute } from '../onnx/attributes.ts';
import { type GraphIndex, hasOneReader } from '../onnx/graph-index.ts';
import { isDefaultDomain } from '../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../onnx/messages.ts';

/** The constants of an anchor and how they split into channels. */
export interface AnchorWeights {
  readonly tensor: TensorProto;
  /** Which input of the node it is. */
  readonly inputIndex: number;
  /** Channel axis: 0 for Conv, the output axis for Gemm and MatMul. */
  readonly axis: number;
  readonly bias: AnchorBias | undefined;
}

/** One value a channel that is added to the product. */
export interface AnchorBias {
  readonly tensor: TensorProto;
  /** The node that adds it: the anchor itself, or the Add behind a MatMul. */
  readonly reader: NodeProto;
  readonly inputIndex: number;
  /** Multiplies the bias first (Gemm's beta); 1 elsewhere. */
  readonly factor: number;
}

/** Why an anchor operator cannot run in int8, in words for the report; `undefined` when it can. */
export function anchorRefusal(node: NodeProto, index: GraphIndex): string | undefined {
  const weights = index.initializers.get(node.input[1] ?? '');
  const activation = node.input[0] ?? '';
  if (!index.producerOf.has(activation) && !index.inputs.has(activation))
    return 'its first input is constant';
  if (weights === undefined) {
    return node.opType === 'MatMul' || node.opType === 'Gemm'
      ? 'both inputs vary at run time'
      : 'its weights are not constant';
  }
  if (weights.dataType !== DATA_TYPE.float) return 'its weights are not float32';
  if (weights.dims.length < 2) return 'its weights have fewer than two dimensions';
  if (node.opType === 'MatMul' && weights.dims.length > 2) return 'its weights are a batch of matrices';
  if (weights.dims.includes(0)) return 'its weights are empty';
  return biasRefusal(node, index, weights);
}

function biasRefusal(node: NodeProto, index: GraphIndex, weights: TensorProto): string | undefined {
  const name = node.input[2] ?? '';
  if (name === '') return undefined;
  const bias = index.initializers.get(name);
  if (bias === undefined) return 'its bias is not constant';
  if (bias.dataType !== DATA_TYPE.float) return 'its bias is not float32';
  const channels = weights.dims[channelAxis(node)] ?? 0;
  return isOneValuePerChannel(bias, channels) ? undefined : 'its bias is not one value a channel';
}

/** Gemm also takes a scalar, a column [M, 1] and a matrix [M, N], which vary along other axes than the channels. */
function isOneValuePerChannel(bias: TensorProto, channels: number): boolean {
  return (bias.dims.at(-1) ?? 1) === channels && bias.dims.slice(0, -1).every((dim) => dim === 1);
}

/** The weights of a node that `anchorRefusal` lets pass. */
export function anchorWeights(node: NodeProto, index: GraphIndex): AnchorWeights {
  const tensor = index.initializers.get(node.input[1] ?? '') as TensorProto;
  return {
    tensor,
    inputIndex: 1,
    axis: channelAxis(node),
    bias: node.opType === 'MatMul' ? addedBias(node, tensor, index) : ownBias(node, index),
  };
}

function ownBias(node: NodeProto, index: GraphIndex): AnchorBias | undefined {
  const tensor = index.initializers.get(node.input[2] ?? '');
  const factor = node.opType === 'Gemm' ? (floatAttribute(node, 'beta') ?? 1) : 1;
  return tensor && { tensor, reader: node, inputIndex: 2, factor };
}

/**
 * The constant vector that an Add alone adds to a MatMul. ONNX Runtime turns such a pair into a Gemm before it looks for
 * int8 patterns, and a Gemm that gives float32 only runs in int8 if its bias is int32.
 */
function addedBias(matMul: NodeProto, weights: TensorProto, index: GraphIndex): AnchorBias | undefined {
  const product = matMul.output[0] ?? '';
  const only = hasOneReader(product, index) ? index.consumersOf.get(product)?.[0] : undefined;
  if (only?.node.opType !== 'Add' || !isDefaultDomain(only.node.domain)) return undefined;
  const inputIndex = 1 - only.inputIndex;
  const tensor = index.initializers.get(only.node.input[inputIndex] ?? '');
  if (tensor?.dataType !== DATA_TYPE.float || tensor.dims.length === 0 || tensor.dims.length > 2)
    return undefined;
  if (!isOneValuePerChannel(tensor, weights.dims[1] as number)) return undefined;
  return { tensor, reader: only.node, inputIndex, factor: 1 };
}

function channelAxis(node: NodeProto): number {
  if (node.opType === 'Conv') return 0;
  return node.opType === 'Gemm' && intAttribute(node, 'transB') === 1 ? 0 : 1;
}
