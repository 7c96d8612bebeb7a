import { intAttribute } from '../../onnx/attributes.ts';
import type { GraphIndex } from '../../onnx/graph-index.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto } from '../../onnx/messages.ts';

type Refusal = (node: NodeProto, index: GraphIndex) => string | undefined;

const noKernel: Refusal = () => 'the CPU provider has no dynamic int8 kernel for it';

/**
 * The operators that carry weights, each with what keeps one of its nodes in float.
 *
 * Convolutions always stay float: ONNX Runtime's ConvInteger is portable code. SqueezeNet 1.1 takes 31 ms with it,
 * 4.9 ms in float32 and 2.5 ms in static int8 (1.30, one thread, AVX512-VNNI).
 */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  MatMul: productRefusal,
  Gemm: productRefusal,
  LSTM: lstmRefusal,
  GRU: noKernel,
  RNN: noKernel,
  Conv: () => 'dynamic int8 convolution is slower than float on the CPU provider',
  ConvTranspose: noKernel,
};

/** Whether the node could be expected to run in int8, so that a report has to say so when it does not. */
export function carriesWeights({ opType, domain }: NodeProto): boolean {
  return isDefaultDomain(domain) && Object.hasOwn(REFUSALS, opType ?? '');
}

/** Why a node that carries weights stays float, in words for the report; `undefined` when it can run in int8. */
export function refusal(node: NodeProto, index: GraphIndex): string | undefined {
  return REFUSALS[node.opType ?? '']?.(node, index);
}

function productRefusal(node: NodeProto, index: GraphIndex): string | undefined {
  const [input = '', weightName = ''] = node.input;
  if (index.initializers.has(input)) return 'its first input is constant';
  const weights = index.initializers.get(weightName);
  if (weights === undefined) return 'its second input is no constant';
  if (weights.dataType !== DATA_TYPE.float) return 'its weights are not float32';
  if (weights.dims.length < 2) return 'its weights have fewer than two dimensions';
  if (weights.dims.length > 2) return 'its weights are a batch of matrices';
  return weights.dims.includes(0) ? 'its weights are empty' : undefined;
}

function lstmRefusal(node: NodeProto, index: GraphIndex): string | undefined {
  if ((intAttribute(node, 'layout') ?? 0) !== 0) return 'its batch axis comes first (layout 1)';
  for (const input of [1, 2]) {
    const weights = index.initializers.get(node.input[input] ?? '');
    if (weights === undefined) return 'its weights are not constant';
    if (weights.dataType !== DATA_TYPE.float) return 'its weights are not float32';
    if (weights.dims.length !== 3) return 'its weights do not have three dimensions';
    if (weights.dims.includes(0)) return 'its weights are empty';
  }
  return undefined;
}
