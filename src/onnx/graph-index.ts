import type { GraphProto, NodeProto, TensorProto } from './messages.ts';
import { capturedNames, subgraphsOf } from './subgraphs.ts';

/** One place where a node reads a tensor. */
interface Consumer {
  readonly node: NodeProto;
  readonly inputIndex: number;
}

/** Who makes and who reads each tensor of one graph, as it was when the index was made. */
export interface GraphIndex {
  readonly producerOf: ReadonlyMap<string, NodeProto>;
  /** Readers in this graph only; a tensor that nobody reads is absent. See `capturedBySubgraphs` for bodies. */
  readonly consumersOf: ReadonlyMap<string, readonly Consumer[]>;
  readonly initializers: ReadonlyMap<string, TensorProto>;
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
  /** Names that the bodies of If, Loop and Scan nodes read from outside themselves. */
  readonly capturedBySubgraphs: ReadonlySet<string>;
}

/** Indexes `graph` in one walk. Changing the graph does not change the index. */
export function indexGraph(graph: GraphProto): GraphIndex {
  const producerOf = new Map<string, NodeProto>();
  const consumersOf = new Map<string, Consumer[]>();
  const capturedBySubgraphs = new Set<string>();
  for (const node of graph.node) {
    for (const name of node.output) if (name !== '') producerOf.set(name, node);
    node.input.forEach((name, inputIndex) => {
      if (name === '') return;
      const consumers = consumersOf.get(name);
      if (consumers === undefined) consumersOf.set(name, [{ node, inputIndex }]);
      else consumers.push({ node, inputIndex });
    });
    for (const subgraph of subgraphsOf(node)) {
      for (const name of capturedNames(subgraph)) capturedBySubgraphs.add(name);
    }
  }
  const initializers = new Map<string, TensorProto>();
  for (const tensor of graph.initializer)
    if (tensor.name !== undefined) initializers.set(tensor.name, tensor);
  return {
    producerOf,
    consumersOf,
    initializers,
    inputs: new Set(graph.input.flatMap((value) => value.name ?? [])),
    outputs: new Set(graph.output.flatMap((value) => value.name ?? [])),
    capturedBySubgraphs,
  };
}

/** Whether exactly one place reads the tensor, and nothing outside this graph does. */
export function hasOneReader(name: string, index: GraphIndex): boolean {
  return (
    index.consumersOf.get(name)?.length === 1 &&
    !index.outputs.has(name) &&
    !index.capturedBySubgraphs.has(name)
  );
}
