import type { ElementTypes } from '../../onnx/element-types.ts';
import { DATA_TYPE, type NodeProto } from '../../onnx/messages.ts';
import type { FloatTensor, Origin } from './float-tensor.ts';
import { isIntegerArithmetic } from './operators.ts';

/**
 * What a node's float outputs are made from, as far as it matters for their digits.
 * @param floatInputs the float32 tensors among the node's inputs
 */
export function originOf(node: NodeProto, floatInputs: readonly FloatTensor[], types: ElementTypes): Origin {
  if (node.opType === 'Cast' && floatInputs.length === 0) {
    return WIDE_INTEGERS.has(types.get(node.input[0] ?? '')) ? 'integers' : 'data';
  }
  const origins = new Set(floatInputs.map(({ origin }) => origin));
  if (origins.has('data')) return 'data';
  // A Range of constants is a run of positions, too.
  if (node.opType === 'Range') return 'integers';
  if (origins.size === 0 || !(node.opType === 'Cast' || isIntegerArithmetic(node))) {
    return node.opType === 'Constant' || node.opType === 'ConstantOfShape' ? 'constant' : 'data';
  }
  if (!origins.has('integers')) return 'constant';
  return node.opType === 'MatMul' && floatInputs.some(contractsWeights) ? 'data' : 'integers';
}

/** Integers of these types may be larger than the 2048 to which float16 counts exactly. */
const WIDE_INTEGERS: ReadonlySet<number | undefined> = new Set([
  DATA_TYPE.int16,
  DATA_TYPE.uint16,
  DATA_TYPE.int32,
  DATA_TYPE.uint32,
  DATA_TYPE.int64,
  DATA_TYPE.uint64,
]);

/** Whether a factor of a MatMul is a weight matrix: a product over one element is an outer product, as of positions. */
function contractsWeights({ constant }: FloatTensor): boolean {
  return constant !== undefined && constant.dims.length >= 2 && !constant.dims.slice(-2).includes(1);
}
