import { floatAttribute, intAttribute } from '../../onnx/attributes.ts';
import { isDefaultDomain, nodeLabel } from '../../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import { dataTypeName } from '../../onnx/tensor-layout.ts';
import type { GraphView } from '../graph-view.ts';
import { scopeRefusal } from '../node-selection.ts';
import type { FloatNode } from '../placement.ts';
import { type CodeGrid, codeGrid } from './code-grid.ts';
import { type BlockedShape, scaleSizeBytes, storedSizeBytes } from './code-layout.ts';
import type { WeightOnlyRecipe } from './recipe.ts';

/** A MatMul or Gemm whose weights will be quantized. */
export interface Candidate {
  readonly node: NodeProto;
  readonly tensor: TensorProto;
  /** Whether the tensor holds the weights as N×K. */
  readonly transposed: boolean;
  /** Multiplies the weights (Gemm's alpha); 1 elsewhere. */
  readonly factor: number;
  readonly shape: BlockedShape;
  readonly grid: CodeGrid;
}

/** Sorts the MatMul and Gemm nodes of the graph into those that can be quantized and those that stay float, and why. */
export function findCandidates(
  view: GraphView,
  recipe: WeightOnlyRecipe,
): { readonly candidates: ReadonlyMap<NodeProto, Candidate>; readonly float: FloatNode[] } {
  const candidates = new Map<NodeProto, Candidate>();
  const float: FloatNode[] = [];
  for (const node of view.graph.node) {
    if (!isDefaultDomain(node.domain) || (node.opType !== 'MatMul' && node.opType !== 'Gemm')) continue;
    const found = scopeRefusal(node, recipe) ?? candidateOf(node, view, recipe);
    if (typeof found === 'string') float.push({ node: nodeLabel(node), op: node.opType, reason: found });
    else candidates.set(node, found);
  }
  return { candidates, float };
}

/** The candidate, or in words for the report why the node is none. */
function candidateOf(node: NodeProto, view: GraphView, recipe: WeightOnlyRecipe): Candidate | string {
  const refusal = weightsRefusal(node, view);
  if (refusal !== undefined) return refusal;
  const isGemm = node.opType === 'Gemm';
  if (isGemm && intAttribute(node, 'transA') === 1) return 'it transposes its first input';

  const tensor = view.index.initializers.get(node.input[1] as string) as TensorProto;
  const transposed = isGemm && intAttribute(node, 'transB') === 1;
  const [rows, columns] = tensor.dims as [number, number];
  const shape = {
    k: transposed ? columns : rows,
    n: transposed ? rows : columns,
    blockSize: recipe.blockSize,
  };
  const scaleType = tensor.dataType === DATA_TYPE.float ? 'float32' : 'float16';
  const grid = codeGrid(recipe.format === 'weight-int4' ? 4 : 8, { symmetric: recipe.symmetric, scaleType });
  const floatSizeBytes = rows * columns * scaleSizeBytes(grid);
  if (storedSizeBytes(shape, grid, recipe.form) >= floatSizeBytes)
    return `its columns of ${shape.k} weights are too short to gain from blocks of ${recipe.blockSize}`;
  const factor = isGemm ? (floatAttribute(node, 'alpha') ?? 1) : 1;
  return { node, tensor, transposed, factor, shape, grid };
}

/** Why the second input of a node does not hold weights to quantize; undefined where it does. */
function weightsRefusal(node: NodeProto, { index }: GraphView): string | undefined {
  const name = node.input[1] ?? '';
  const tensor = index.initializers.get(name);
  if (tensor === undefined) {
    return index.initializers.has(node.input[0] ?? '')
      ? 'its constant is the first input, and only the second can be quantized'
      : 'its weights are not constant';
  }
  if (index.inputs.has(name)) return 'its weights are an input of the model';
  const { dataType, dims } = tensor;
  if (dataType !== DATA_TYPE.float && dataType !== DATA_TYPE.float16)
    return `its weights are ${dataTypeName(dataType)}, not float32 or float16`;
  if (dims.length < 2) return 'its weights have fewer than two dimensions';
  if (dims.length > 2) return 'its weights are a batch of matrices';
  return dims.includes(0) ? 'its weights are empty' : undefined;
}
