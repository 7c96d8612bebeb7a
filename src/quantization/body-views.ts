import { inferGraphElementTypes } from '../onnx/element-types.ts';
import { indexGraph } from '../onnx/graph-index.ts';
import type { GraphProto, NodeProto, TensorProto } from '../onnx/messages.ts';
import { subgraphsOf } from '../onnx/subgraphs.ts';
import type { GraphView } from './graph-view.ts';

/**
 * Views of the bodies of If, Loop and Scan nodes in the graph of `view`, not of those inside these bodies. A body sees the
 * constants and the types of the graphs around it as its own, except for names that it defines itself.
 */
export function bodyViews(view: GraphView): readonly GraphView[] {
  return view.graph.node.flatMap(subgraphsOf).map((body) => {
    const index = indexGraph(body);
    const own = namesOf(body);
    const captured = [...view.index.initializers].filter(([name]) => !own.has(name));
    const initializers = new Map<string, TensorProto>([...captured, ...index.initializers]);
    return {
      ...view,
      graph: body,
      index: { ...index, initializers },
      types: inferGraphElementTypes(body, view.types),
    };
  });
}

function namesOf({ input, node: nodes }: GraphProto): ReadonlySet<string> {
  const made = nodes.flatMap(({ output }: NodeProto) => output);
  return new Set([...input.flatMap(({ name }) => name ?? []), ...made]);
}
