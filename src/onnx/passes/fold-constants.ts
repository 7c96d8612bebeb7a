import { isDefaultDomain } from '../make-node.ts';
import type { GraphProto, NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import type { OpenModel } from '../open-model.ts';
import { subgraphsOf } from '../subgraphs.ts';
import { expectedSizeBytes } from '../tensor-layout.ts';
import { type ComputedNode, computeNodes } from './compute-nodes.ts';
import { type ConstantPool, createConstantPool } from './constant-pool.ts';
import { foldKnownShapes } from './fold-known-shapes.ts';
import { type PassResult, passResult } from './pass-result.ts';

/** Constants that one session computes together; larger groups would only take more memory. */
const GROUP_BYTES = 128 * 2 ** 20;

/**
 * Replaces nodes of the top-level graph that always compute the same by initializers: nodes whose inputs are all
 * initializers, and Shape and Size nodes of tensors whose shape follows from the inputs of the model. The runtime
 * computes the values with its own kernels, so that they do not change by a bit.
 *
 * Nodes stay when they are random, have bodies, quantize or dequantize, give out strings or graph outputs, are of another
 * domain, when the runtime refuses them, and when their result is larger than what they read and 1 MiB, so that a file
 * does not grow. All results together are at most 512 MiB. Counts nodes. Changes the model in place.
 */
export async function foldConstants(model: OnnxModel, open: OpenModel): Promise<PassResult> {
  const { graph } = model.proto;
  if (graph === undefined) return passResult(0);
  const pool = createConstantPool(model, graph);
  const before = graph.node.length;
  // A node that could not be folded once is not tried again.
  const kept = new Set<NodeProto>();
  let count: number;
  do {
    count = graph.node.length;
    await foldKnownShapes(model, graph, pool, open);
    await foldComputable(model, graph, { pool, open, kept });
  } while (graph.node.length < count);
  return passResult(before - graph.node.length);
}

interface Folding {
  readonly pool: ConstantPool;
  readonly open: OpenModel;
  readonly kept: Set<NodeProto>;
}

/** Folds in waves, each of which makes the inputs of the next one constant. */
async function foldComputable(model: OnnxModel, graph: GraphProto, folding: Folding): Promise<void> {
  const { pool, open, kept } = folding;
  for (;;) {
    const wave = graph.node.filter((node) => !kept.has(node) && canFold(node, pool));
    if (wave.length === 0) return;
    const folded = new Set<NodeProto>();
    for (const group of groupsOf(wave, pool)) {
      const computed = await computeNodes(model, group, pool, open);
      for (const entry of computed) if (storeResults(entry, pool)) folded.add(entry.node);
    }
    for (const node of wave) if (!folded.has(node)) kept.add(node);
    graph.node = graph.node.filter((node) => !folded.has(node));
  }
}

function storeResults({ results }: ComputedNode, pool: ConstantPool): boolean {
  const sizeBytes = results.reduce((sum, tensor) => sum + (expectedSizeBytes(tensor) ?? 0), 0);
  if (sizeBytes > pool.leftBytes) return false;
  for (const tensor of results) pool.add(tensor);
  return true;
}

const NEVER_FOLDED: ReadonlySet<string> = new Set([
  ...['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli'],
  // It draws random numbers when it trains, and is removed elsewhere when it does not.
  'Dropout',
  // What is quantized already has to stay so: folding would make float weights of it again.
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'],
  // Constants that are no initializers by now are strings or sparse.
  'Constant',
]);

const NO_TENSORS = /^(Sequence|Optional|SplitToSequence|ConcatFromSequence)/;

function canFold(node: NodeProto, pool: ConstantPool): boolean {
  const opType = node.opType ?? '';
  return (
    isDefaultDomain(node.domain) &&
    !NEVER_FOLDED.has(opType) &&
    !NO_TENSORS.test(opType) &&
    subgraphsOf(node).length === 0 &&
    node.input.some((name) => name !== '') &&
    node.input.every((name) => name === '' || pool.has(name)) &&
    node.output.some((name) => name !== '') &&
    !node.output.some((name) => pool.isGraphOutput(name))
  );
}

function groupsOf(nodes: readonly NodeProto[], pool: ConstantPool): readonly NodeProto[][] {
  const groups: NodeProto[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const node of nodes) {
    const more = pool.inputBytes(node);
    if (sizeBytes + more > GROUP_BYTES) {
      groups.push([]);
      sizeBytes = 0;
    }
    groups.at(-1)?.push(node);
    sizeBytes += more;
  }
  return groups;
}
