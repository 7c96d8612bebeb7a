import { intAttribute } from '../../onnx/attributes.ts';
import { type ElementTypes, inferGraphElementTypes } from '../../onnx/element-types.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import { DATA_TYPE, type GraphProto, type NodeProto } from '../../onnx/messages.ts';
import { subgraphsOf } from '../../onnx/subgraphs.ts';

/**
 * Turns each Cast or CastLike from float16 to float16 into an Identity, those in bodies too. ONNX Runtime 1.30 mistakes
 * such a Cast for one of its own and rejects the model («Type Error») when it loads it without optimizations.
 * @param outer the types of the graphs around this one
 */
export function replaceIdleCasts(graph: GraphProto, outer?: ElementTypes): void {
  const types = inferGraphElementTypes(graph, outer);
  for (const node of graph.node) {
    for (const body of subgraphsOf(node)) replaceIdleCasts(body, types);
    if (types.get(node.input[0] ?? '') !== DATA_TYPE.float16 || !castsToFloat16(node, types)) continue;
    node.opType = 'Identity';
    node.input = node.input.slice(0, 1);
    node.attribute = [];
  }
}

function castsToFloat16(node: NodeProto, types: ElementTypes): boolean {
  if (!isDefaultDomain(node.domain)) return false;
  if (node.opType === 'Cast') return intAttribute(node, 'to') === DATA_TYPE.float16;
  return node.opType === 'CastLike' && types.get(node.input[1] ?? '') === DATA_TYPE.float16;
}
