import { isDefaultDomain } from '../../onnx/make-node.ts';
import type { GraphProto, NodeProto } from '../../onnx/messages.ts';
import type { KernelTime } from './kernel-times.ts';

/** What the kernels of an optimized graph take, told by the nodes of the graph before optimization. */
export interface AttributedTimes {
  /** A node that is absent has become part of another one, or of nothing. */
  readonly nodes: ReadonlyMap<
    NodeProto,
    { readonly ns: number; readonly op: string; readonly outputBytes: number }
  >;
  /** Kernels that only change the type or the memory layout of a tensor: they stand for no node. */
  readonly conversions: readonly KernelTime[];
}

const TYPE_CONVERSIONS: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear']);
const LAYOUT_CHANGES: ReadonlySet<string> = new Set(['Transpose', 'ReorderInput', 'ReorderOutput']);

/**
 * Finds the node for each kernel by name, because that is all that a profile tells. ONNX Runtime names what it makes of a
 * node after it (`conv_token_7`, `matmul/MatMulAddFusion`) or after its result (`relu_out_nchwc`).
 * @param graph the graph whose nodes and tensors have the names; its nodes have names of their own
 */
export function attributeKernels(kernels: readonly KernelTime[], graph: GraphProto): AttributedTimes {
  const byName = new Map<string, NodeProto>();
  for (const node of graph.node) for (const name of node.output) if (name !== '') byName.set(name, node);
  for (const node of graph.node) if (node.name) byName.set(node.name, node);
  const nodes = new Map<NodeProto, { ns: number; op: string; outputBytes: number }>();
  const conversions: KernelTime[] = [];
  for (const kernel of kernels) {
    const node = nodeOf(kernel.node, byName);
    if (isConversion(kernel.op, node)) {
      conversions.push(kernel);
    } else if (node !== undefined) {
      const { op, ns, outputBytes } = kernel;
      nodes.set(node, { op, outputBytes, ns: ns + (nodes.get(node)?.ns ?? 0) });
    }
  }
  return { nodes, conversions };
}

/** What ONNX Runtime adds to a name. Sources: layout_transformation, nchwc_transformer.cc, matmul_add_fusion.cc and others. */
const ADDITIONS = [/_token_\d+$/, /_nchwc$/, /\/[A-Za-z]*Fusion\/?$/] as const;

function nodeOf(name: string, byName: ReadonlyMap<string, NodeProto>): NodeProto | undefined {
  const exact = byName.get(name);
  if (exact !== undefined) return exact;
  const addition = ADDITIONS.find((pattern) => pattern.test(name));
  return addition && nodeOf(name.replace(addition, ''), byName);
}

/** A Transpose is one of the model if a Transpose of the model has its name. */
function isConversion(op: string, node: NodeProto | undefined): boolean {
  if (TYPE_CONVERSIONS.has(op)) return true;
  return LAYOUT_CHANGES.has(op) && !(node?.opType === op && isDefaultDomain(node.domain));
}
