import { floatAttribute, intAttribute } from '../onnx/attributes.ts';
import type { GraphIndex } from '../onnx/graph-index.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../onnx/messages.ts';

/** The constants of an anchor and how they split into channels. */
export interface AnchorWeights {
  readonly tensor: TensorProto;
  /** Which input of the node it is. */
  readonly inputIndex: number;
  /** Channel axis: 0 for Conv, the output axis for Gemm and MatMul. */
  readonly axis: number;
  readonly bias: TensorProto | undefined;
  /** Gemm multiplies its bias by this; 1 elsewhere. */
  readonly biasFactor: number;
}

/** Why an anchor operator cannot run in int8, in words for the report; `undefined` when it can. */
export function anchorRefusal(node: NodeProto, index: GraphIndex): string | undefined {
  const weights = index.initializers.get(node.input[1] ?? '');
  if (index.initializers.has(node.input[0] ?? '')) return 'its first input is constant';
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
  const length = bias.dims.reduce((a, b) => a * b, 1);
  return length === channels ? undefined : 'its bias is not one value a channel';
}

/** The weights of a node that `anchorRefusal` lets pass. */
export function anchorWeights(node: NodeProto, index: GraphIndex): AnchorWeights {
  const tensor = index.initializers.get(node.input[1] ?? '') as TensorProto;
  return {
    tensor,
    inputIndex: 1,
    axis: channelAxis(node),
    bias: index.initializers.get(node.input[2] ?? ''),
    biasFactor: node.opType === 'Gemm' ? (floatAttribute(node, 'beta') ?? 1) : 1,
  };
}

function channelAxis(node: NodeProto): number {
  if (node.opType === 'Conv') return 0;
  return node.opType === 'Gemm' && intAttribute(node, 'transB') === 1 ? 0 : 1;
}
