import { type GraphIndex, hasOneReader } from '../onnx/graph-index.ts';
import { isDefaultDomain, nodeLabel } from '../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto } from '../onnx/messages.ts';
import { anchorRefusal, anchorWeights } from './anchors.ts';
import type { GraphView } from './graph-view.ts';
import { scopeRefusal } from './node-selection.ts';
import { operatorRule } from './operators.ts';
import type { FloatNode, Placement, PlannedNode } from './placement.ts';
import type { StaticRecipe } from './recipe.ts';

/**
 * Chooses what TensorRT is to run in int8: the inputs of Conv, Gemm and MatMul with constant weights are rounded, their
 * outputs are not, because TensorRT moves Q/DQ through pooling, activations and data movers by itself and would run an
 * operator with Q/DQ on its output alone at the wrong precision. Of an Add that ends a residual block, the operand that
 * does not come straight from an anchor is rounded, so that anchor, Add and Relu become one int8 kernel.
 * Source: NVIDIA TensorRT Developer Guide, «Q/DQ Layer-Placement Recommendations».
 * @param view a prepared model: constants are initializers, BatchNorm is folded, nodes are in topological order
 */
export function placeForTensorrt(view: GraphView, recipe: StaticRecipe): Placement {
  const nodes: PlannedNode[] = [];
  const float: FloatNode[] = [];
  const anchors = new Set<NodeProto>();
  for (const node of view.graph.node) {
    const isAnchor = operatorRule(node.opType ?? '')?.role === 'anchor';
    if (!isDefaultDomain(node.domain) || (!isAnchor && node.opType !== 'Add')) continue;
    const refusal = scopeRefusal(node, recipe) ?? (isAnchor ? anchorRefusal(node, view.index) : undefined);
    if (refusal !== undefined) {
      float.push({ node: nodeLabel(node), op: node.opType ?? '', reason: refusal });
      continue;
    }
    if (isAnchor) anchors.add(node);
    const activation = isAnchor ? node.input[0] : shortcutOf(node, anchors, view);
    if (activation !== undefined) nodes.push(planOf(node, activation, isAnchor, view.index));
  }
  const edges = new Map(nodes.flatMap(({ activations }) => activations.map((edge) => [edge, edge])));
  return { nodes, edges, producedInInt8: new Set(), float };
}

function planOf(node: NodeProto, activation: string, isAnchor: boolean, index: GraphIndex): PlannedNode {
  return {
    node,
    activations: [activation],
    constants: [],
    weights: isAnchor ? anchorWeights(node, index) : undefined,
    outputEdges: [],
    absorbed: undefined,
  };
}

/** The operand of an Add that skips the anchor whose result the other operand is. */
function shortcutOf(add: NodeProto, anchors: ReadonlySet<NodeProto>, view: GraphView): string | undefined {
  const { index, types } = view;
  const [a = '', b = ''] = add.input;
  const fromAnchor = (name: string) => {
    const producer = index.producerOf.get(name);
    return producer !== undefined && anchors.has(producer) && hasOneReader(name, index);
  };
  const shortcut = fromAnchor(b) ? a : fromAnchor(a) ? b : undefined;
  return shortcut !== undefined && isActivation(shortcut, index) && types.get(shortcut) === DATA_TYPE.float
    ? shortcut
    : undefined;
}

function isActivation(name: string, { producerOf, inputs }: GraphIndex): boolean {
  return producerOf.has(name) || inputs.has(name);
}
