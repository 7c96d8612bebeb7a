import { encodeFloat16 } from '../../core/float16.ts';
import { floatAttribute } from '../../onnx/attributes.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import type { GraphView } from '../graph-view.ts';

/** What a Gemm adds to its product. */
export interface GemmBias {
  readonly name: string;
  /** Multiplies it first; always 1 for a `row`. */
  readonly factor: number;
  /** Whether it is a constant of shape [N], the only kind that MatMulNBits and ONNX Runtime's fusion to it take. */
  readonly isRow: boolean;
}

/**
 * The bias of a Gemm; undefined for a node without one. A constant of one value a column is brought to the shape [N]
 * with beta multiplied in, as a new initializer where that changes it. All else stays as it is: a scalar, a column or
 * matrix, and what is computed at run time.
 * @param n columns of the product
 */
export function gemmBias(
  node: NodeProto,
  n: number,
  view: GraphView,
  names: NameScope,
  initializers: TensorProto[],
): GemmBias | undefined {
  const name = node.input[2] ?? '';
  const beta = floatAttribute(node, 'beta') ?? 1;
  if (node.opType !== 'Gemm' || name === '' || beta === 0) return undefined;
  const tensor = view.index.inputs.has(name) ? undefined : view.index.initializers.get(name);
  if (tensor === undefined || tensor.dims.at(-1) !== n || tensor.dims.slice(0, -1).some((dim) => dim !== 1))
    return { name, factor: beta, isRow: false };
  if (beta === 1 && tensor.dims.length === 1) return { name, factor: 1, isRow: true };
  const row = names.fresh(`${name}_row`);
  const values = view.readFloats(tensor).map((value) => value * beta);
  initializers.push(floatTensor(row, [n], values, tensor.dataType));
  return { name: row, factor: 1, isRow: true };
}

/** A tensor of float32, or of float16 where `elementType` says so. */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: Float32Array,
  elementType: number | undefined,
): TensorProto {
  if (elementType !== DATA_TYPE.float16) return tensorFrom(name, dims, values);
  return tensorFrom(name, dims, Uint16Array.from(values, encodeFloat16), DATA_TYPE.float16);
}
