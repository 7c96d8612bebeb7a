import type { GraphProto, NodeProto } from './messages.ts';
import { subgraphsOf } from './subgraphs.ts';

/** New names of tensors by their old ones; a tensor that is absent keeps its name. */
export type NewNames = ReadonlyMap<string, string>;

/**
 * Renames the tensors that `nodes` read and give out, and what bodies inside them read from around themselves. A name
 * that a body defines itself is another tensor and stays.
 */
export function renameTensors(nodes: readonly NodeProto[], names: NewNames): void {
  const renamed = (name: string) => names.get(name) ?? name;
  for (const node of nodes) {
    node.input = node.input.map(renamed);
    node.output = node.output.map(renamed);
    for (const body of subgraphsOf(node)) renameCaptured(body, names);
  }
}

function renameCaptured(body: GraphProto, names: NewNames): void {
  const own = definedIn(body);
  const captured = new Map([...names].filter(([name]) => !own.has(name)));
  if (captured.size === 0) return;
  renameTensors(body.node, captured);
  for (const value of body.output) value.name = captured.get(value.name ?? '') ?? value.name;
}

/** Names that a body gives to tensors of its own: inputs, initializers and what its nodes compute. */
export function definedIn(body: GraphProto): ReadonlySet<string> {
  return new Set([
    ...body.input.map(({ name }) => name ?? ''),
    ...body.initializer.map(({ name }) => name ?? ''),
    ...body.sparseInitializer.map(({ values }) => values?.name ?? ''),
    ...body.node.flatMap(({ output }) => output.filter((name) => name !== '')),
  ]);
}
