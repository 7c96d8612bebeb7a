import type { GraphProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { capturedNames, subgraphsOf } from '../subgraphs.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Removes what no graph output depends on: nodes, initializers, and what is said about tensors that are gone
 * (value_info, quantization annotations), in the top-level graph and in bodies. Graph inputs stay, as they are
 * the model's interface. Counts nodes and initializers. Changes the model in place.
 */
export function eliminateDead({ proto }: OnnxModel): PassResult {
  return passResult(proto.graph === undefined ? 0 : eliminateDeadIn(proto.graph));
}

function eliminateDeadIn(graph: GraphProto): number {
  const live = new Set(graph.output.flatMap((value) => value.name ?? []));
  let removed = 0;
  // Nodes are in topological order, so that every reader of a tensor is seen before the node that makes it.
  const kept = graph.node.toReversed().filter((node) => {
    if (!node.output.some((name) => name !== '' && live.has(name))) {
      removed += 1;
      return false;
    }
    for (const name of node.input) live.add(name);
    for (const subgraph of subgraphsOf(node)) {
      removed += eliminateDeadIn(subgraph);
      for (const name of capturedNames(subgraph)) live.add(name);
    }
    return true;
  });
  graph.node = kept.reverse();

  const constants = graph.initializer.length + graph.sparseInitializer.length;
  const isLive = (name: string | undefined) => name !== undefined && live.has(name);
  graph.initializer = graph.initializer.filter((tensor) => isLive(tensor.name));
  graph.sparseInitializer = graph.sparseInitializer.filter((sparse) => isLive(sparse.values?.name));
  removed += constants - graph.initializer.length - graph.sparseInitializer.length;

  const present = new Set<string | undefined>(graph.node.flatMap((node) => node.output));
  for (const value of graph.input) present.add(value.name);
  for (const tensor of graph.initializer) present.add(tensor.name);
  graph.valueInfo = graph.valueInfo.filter((value) => present.has(value.name));
  graph.quantizationAnnotation = graph.quantizationAnnotation.filter(({ tensorName }) =>
    present.has(tensorName),
  );
  return removed;
}
