import type { GraphProto, NodeProto } from './messages.ts';

/** The bodies that a node carries in its attributes: branches of If, bodies of Loop, Scan and SequenceMap. */
export function subgraphsOf(node: NodeProto): readonly GraphProto[] {
  const found: GraphProto[] = [];
  for (const attribute of node.attribute) {
    if (attribute.g !== undefined) found.push(attribute.g);
    found.push(...attribute.graphs);
  }
  return found;
}

/** Names that `graph`, a body, or the bodies inside it read from the graphs around it. */
export function capturedNames(graph: GraphProto): ReadonlySet<string> {
  const defined = new Set<string>();
  for (const value of graph.input) if (value.name !== undefined) defined.add(value.name);
  for (const tensor of graph.initializer) if (tensor.name !== undefined) defined.add(tensor.name);
  for (const tensor of graph.sparseInitializer) if (tensor.values?.name) defined.add(tensor.values.name);
  for (const node of graph.node) for (const name of node.output) defined.add(name);

  const captured = new Set<string>();
  const read = (name: string | undefined) => {
    if (name !== undefined && name !== '' && !defined.has(name)) captured.add(name);
  };
  for (const node of graph.node) {
    node.input.forEach(read);
    for (const subgraph of subgraphsOf(node)) capturedNames(subgraph).forEach(read);
  }
  for (const value of graph.output) read(value.name);
  return captured;
}
