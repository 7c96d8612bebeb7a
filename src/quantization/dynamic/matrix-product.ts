import { floatAttribute, intAttribute, intAttributeProto } from '../../onnx/attributes.ts';
import { makeNode, nodeLabel } from '../../onnx/make-node.ts';
import { type AttributeProto, DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import type { DynamicWriter } from './dynamic-writer.ts';
import type { MatrixStack } from './weight-matrices.ts';

/** What stands in the place of a float node. */
export interface Replacement {
  readonly nodes: readonly NodeProto[];
  /** The initializer that holds the codes of the weights. */
  readonly weights: string;
}

/** How the weights of a MatMul or Gemm that is not refused lie. */
export function productStack(node: NodeProto, weights: TensorProto): MatrixStack {
  const [rows = 0, columns = 0] = weights.dims;
  const transposed = node.opType === 'Gemm' && intAttribute(node, 'transB') === 1;
  return { count: 1, rows, columns, outputs: transposed ? 'rows' : 'columns' };
}

/**
 * Writes a MatMul or Gemm as DynamicQuantizeLinear → MatMulInteger → Cast → Mul [→ Add], the form that the runtime
 * fuses into one kernel. The weights get no zero point: it is 0 anyway, and the fused kernel is no faster with one.
 */
export function writeProduct(node: NodeProto, writer: DynamicWriter): Replacement {
  const { names, view } = writer;
  const isGemm = node.opType === 'Gemm';
  const tensor = view.index.initializers.get(node.input[1] ?? '') as TensorProto;
  const stack = productStack(node, tensor);
  const [inputs, outputs] =
    stack.outputs === 'rows' ? [stack.columns, stack.rows] : [stack.rows, stack.columns];
  const label = nodeLabel(node);
  const output = node.output[0] as string;
  const step = (
    opType: string,
    input: readonly string[],
    result?: string,
    attribute: readonly AttributeProto[] = [],
  ) => {
    const made = makeNode(opType, {
      name: names.fresh(`${label}_${opType}`),
      input,
      output: [result ?? names.fresh(`${output}_${opType}`)],
      attribute,
    });
    return { made, result: made.output[0] as string };
  };

  const weights = writer.quantizeWeights(
    node,
    tensor,
    stack,
    { codes: [inputs, outputs], scale: [outputs] },
    isGemm ? (floatAttribute(node, 'alpha') ?? 1) : 1,
  );
  const bias = isGemm ? gemmBias(node, outputs, writer) : undefined;
  const before: NodeProto[] = [...(bias?.before ?? [])];
  let input = node.input[0] as string;
  if (isGemm && intAttribute(node, 'transA') === 1) {
    const transpose = step('Transpose', [input]);
    before.push(transpose.made);
    input = transpose.result;
  }
  const activation = writer.quantizeActivation(input);
  const scale = step('Mul', [activation.scale, weights.scale]);
  const product = step('MatMulInteger', [activation.codes, weights.codes, activation.zeroPoint]);
  const sum = step('Cast', [product.result], undefined, [intAttributeProto('to', DATA_TYPE.float)]);
  const scaled = step('Mul', [sum.result, scale.result], bias === undefined ? output : undefined);
  const nodes = [...before, ...activation.before, scale.made, product.made, sum.made, scaled.made];
  if (bias !== undefined) nodes.push(step('Add', [scaled.result, bias.name], output).made);
  return { nodes, weights: weights.codes };
}

/** What a Gemm adds to its product: beta · C, as the tensor that an Add takes, and the nodes that make it. */
function gemmBias(
  node: NodeProto,
  columns: number,
  { names, view, addInitializer }: DynamicWriter,
): { readonly name: string; readonly before: readonly NodeProto[] } | undefined {
  const beta = floatAttribute(node, 'beta') ?? 1;
  const given = node.input[2] ?? '';
  if (given === '' || beta === 0) return undefined;
  const constant = (hint: string, dims: readonly number[], data: Float32Array) => {
    const name = names.fresh(hint);
    addInitializer(tensorFrom(name, dims, data));
    return name;
  };

  const tensor = view.index.initializers.get(given);
  if (tensor?.dataType === DATA_TYPE.float) {
    const size = tensor.dims.reduce((count, dim) => count * dim, 1);
    const isRow = size === 1 || (size === columns && tensor.dims.at(-1) === columns);
    // The runtime takes into its kernel only a bias of one dimension and one value a column.
    const dims = isRow ? [columns] : tensor.dims;
    if (beta === 1 && dims.join() === tensor.dims.join()) return { name: given, before: [] };
    const values = view.readFloats(tensor).map((value) => value * beta);
    const data = isRow && size === 1 ? new Float32Array(columns).fill(values[0] as number) : values;
    return { name: constant(`${given}_bias`, dims, data), before: [] };
  }
  if (beta === 1) return { name: given, before: [] };
  const name = names.fresh(`${given}_scaled`);
  const scale = makeNode('Mul', {
    name: names.fresh(`${nodeLabel(node)}_beta`),
    input: [given, constant(`${nodeLabel(node)}_beta_value`, [], Float32Array.of(beta))],
    output: [name],
  });
  return { name, before: [scale] };
}
