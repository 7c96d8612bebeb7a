import { floatAttribute, intAttribute } from '../../onnx/attributes.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';

/**
 * A Conv, Gemm or MatMul with constant weights as what it is: in each group a product of weights [rows, columns] with
 * columns of input values, one at every position where the layer computes. `columns` is the length of such a column:
 * input channels times kernel elements for a convolution.
 */
export interface ProductLayer {
  readonly node: NodeProto;
  readonly weights: TensorProto;
  readonly groups: number;
  /** Output channels of a group. */
  readonly rows: number;
  readonly columns: number;
  /** Where the weight of (output channel over all groups, column) lies in the tensor. */
  readonly rowStride: number;
  readonly columnStride: number;
  /** Multiplies the weights (Gemm's alpha); 1 elsewhere. */
  readonly factor: number;
}

/** The layer that a node is, or `undefined` for one of another operator, of weights that vary, or of a transposed input. */
export function productLayer(node: NodeProto, { index }: GraphView): ProductLayer | undefined {
  const weights = index.initializers.get(node.input[1] ?? '');
  if (weights === undefined || index.inputs.has(weights.name ?? '')) return undefined;
  if (weights.dataType !== DATA_TYPE.float && weights.dataType !== DATA_TYPE.float16) return undefined;
  if (weights.dims.includes(0)) return undefined;
  switch (node.opType) {
    case 'Conv':
      return convolution(node, weights);
    case 'Gemm':
      return intAttribute(node, 'transA') === 1 || weights.dims.length !== 2
        ? undefined
        : matrix(node, weights, intAttribute(node, 'transB') === 1, floatAttribute(node, 'alpha') ?? 1);
    case 'MatMul':
      return weights.dims.length === 2 ? matrix(node, weights, false, 1) : undefined;
    default:
      return undefined;
  }
}

function convolution(node: NodeProto, weights: TensorProto): ProductLayer | undefined {
  if (weights.dims.length < 3) return undefined;
  const [channels = 1, ...kernel] = weights.dims;
  const groups = intAttribute(node, 'group') ?? 1;
  const columns = kernel.reduce((a, b) => a * b, 1);
  return {
    node,
    weights,
    groups,
    rows: channels / groups,
    columns,
    rowStride: columns,
    columnStride: 1,
    factor: 1,
  };
}

function matrix(node: NodeProto, weights: TensorProto, transposed: boolean, factor: number): ProductLayer {
  const [first = 1, second = 1] = weights.dims;
  const [rows, columns] = transposed ? [first, second] : [second, first];
  return {
    node,
    weights,
    groups: 1,
    rows,
    columns,
    rowStride: transposed ? columns : 1,
    columnStride: transposed ? 1 : rows,
    factor,
  };
}
