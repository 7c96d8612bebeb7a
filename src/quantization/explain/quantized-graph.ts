import { isDefaultDomain, nodeLabel } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';
import { createCodeReader } from './code-reader.ts';
import { formOnCodes } from './forms-on-codes.ts';
import type { QuantizedGraph, QuantizedInput, QuantizedNode } from './quantized-node.ts';

const CONVERSIONS: ReadonlySet<string> = new Set([
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
]);

/**
 * Finds what is quantized in a model of any tool: QDQ, operators on codes (QOperator), dynamic quantization and blocks of weights.
 * Bodies of If, Loop and Scan are not looked into. Throws `ProblemError` when constants cannot be read.
 */
export function readQuantizedGraph(view: GraphView): QuantizedGraph {
  const reader = createCodeReader(view);
  const nodes: QuantizedNode[] = [];
  const unread: { node: string; op: string }[] = [];
  for (const node of view.graph.node) {
    const op = node.opType ?? '';
    if (isConversion(node)) {
      reader.convert(node);
      continue;
    }
    const form = formOnCodes(node, view, reader);
    if (form === 'unknown') {
      unread.push({ node: nodeLabel(node), op });
      continue;
    }
    const found = form ?? betweenConversions(node, view, reader);
    if (found !== undefined) nodes.push(found);
  }
  return { nodes, unread };
}

function isConversion({ opType = '', domain }: NodeProto): boolean {
  return CONVERSIONS.has(opType) && (isDefaultDomain(domain) || domain === 'com.microsoft');
}

/** A float operator between DequantizeLinear and QuantizeLinear. */
function betweenConversions(
  node: NodeProto,
  { index }: GraphView,
  reader: ReturnType<typeof createCodeReader>,
): QuantizedNode | undefined {
  const inputs = node.input.map((name): QuantizedInput => {
    const coded = reader.constantOf(name);
    if (coded !== undefined) return { kind: 'coded', constant: coded };
    const tensor = reader.roundedOf(name);
    return tensor === undefined ? { kind: 'float', name } : { kind: 'rounded', tensor };
  });
  const output = node.output[0] ?? '';
  const quantize = (index.consumersOf.get(output) ?? []).find(
    ({ node: consumer, inputIndex }) => inputIndex === 0 && consumer.opType === 'QuantizeLinear',
  );
  const rounded = quantize === undefined ? undefined : reader.quantized(quantize.node);
  if (rounded === undefined && inputs.every(({ kind }) => kind === 'float')) return undefined;
  return { name: nodeLabel(node), op: node.opType ?? '', node, inputs, output, rounded };
}
