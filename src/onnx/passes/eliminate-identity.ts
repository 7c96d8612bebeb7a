import { indexGraph } from '../graph-index.ts';
import { isDefaultDomain } from '../make-node.ts';
import type { GraphProto, NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { subgraphsOf } from '../subgraphs.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Removes nodes that give out what they take in: Identity, and Dropout outside training. Their readers, those in bodies
 * included, read the original; before a graph output it is the producer that takes over the output's name. An
 * Identity from a graph input, initializer or other output to a graph output stays, as both names are wanted.
 * Counts nodes, those in bodies too. Changes the model in place.
 */
export function eliminateIdentity({ proto }: OnnxModel): PassResult {
  return passResult(proto.graph === undefined ? 0 : eliminateIn(proto.graph));
}

function eliminateIn(graph: GraphProto): number {
  let count = 0;
  for (const node of graph.node) for (const body of subgraphsOf(node)) count += eliminateIn(body);
  return count + bypassInner(graph) + bypassBeforeOutputs(graph);
}

/** y = Identity(x) where y is not a graph output: every reader of y reads x. */
function bypassInner(graph: GraphProto): number {
  const isBypass = bypassTest(graph);
  const outputs = new Set(graph.output.map((value) => value.name));
  const originalOf = new Map<string, string>();
  const before = graph.node.length;
  graph.node = graph.node.filter((node) => {
    const [input = ''] = node.input;
    const [output = ''] = node.output;
    if (!isBypass(node) || outputs.has(output)) return true;
    originalOf.set(output, originalOf.get(input) ?? input);
    return false;
  });
  renameReads(graph, originalOf);
  return before - graph.node.length;
}

/** y = Identity(x) where y is a graph output and x is an inner tensor: the producer of x gives out y instead. */
function bypassBeforeOutputs(graph: GraphProto): number {
  const isBypass = bypassTest(graph);
  const outputs = new Set(graph.output.map((value) => value.name));
  const produced = new Set(graph.node.flatMap((node) => node.output));
  const outputOf = new Map<string, string>();
  const before = graph.node.length;
  graph.node = graph.node.filter((node) => {
    const [input = ''] = node.input;
    const [output = ''] = node.output;
    // Once x has become one output it has that name, and a second Identity of it has to stay.
    if (!isBypass(node) || !produced.has(input) || outputs.has(input) || outputOf.has(input)) return true;
    outputOf.set(input, output);
    return false;
  });
  for (const node of graph.node) node.output = node.output.map((name) => outputOf.get(name) ?? name);
  renameReads(graph, outputOf);
  return before - graph.node.length;
}

/** Whether a node of `graph`, as it is now, gives out its first input and nothing else. */
function bypassTest(graph: GraphProto): (node: NodeProto) => boolean {
  const { consumersOf, outputs, capturedBySubgraphs } = indexGraph(graph);
  const isRead = (name: string | undefined) =>
    name !== undefined && (consumersOf.has(name) || outputs.has(name) || capturedBySubgraphs.has(name));
  const inBodies = new Set<string>();
  for (const node of graph.node) for (const body of subgraphsOf(node)) collectDefinitions(body, inBodies);
  return (node) => {
    if (!isDefaultDomain(node.domain) || !node.input[0] || !node.output[0]) return false;
    // A body that has a name of its own for another tensor would be read wrongly after renaming.
    if (inBodies.has(node.input[0]) || inBodies.has(node.output[0])) return false;
    if (node.opType === 'Identity') return true;
    // The third input switches training on; its default, and all there was before opset 12, is inference.
    return node.opType === 'Dropout' && !node.input[2] && !isRead(node.output[1] || undefined);
  };
}

function collectDefinitions(graph: GraphProto, into: Set<string>): void {
  for (const value of graph.input) into.add(value.name ?? '');
  for (const tensor of graph.initializer) into.add(tensor.name ?? '');
  for (const node of graph.node) {
    for (const name of node.output) into.add(name);
    for (const body of subgraphsOf(node)) collectDefinitions(body, into);
  }
}

function renameReads(graph: GraphProto, names: ReadonlyMap<string, string>): void {
  if (names.size === 0) return;
  for (const node of graph.node) {
    node.input = node.input.map((name) => names.get(name) ?? name);
    for (const body of subgraphsOf(node)) renameReads(body, names);
  }
}
