import { isDefaultDomain, nodeLabel } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';
import { type CodedName, createCodeReader } from './code-reader.ts';
import type { CodedConstant, CodeRange } from './coded-constant.ts';
import { formOnCodes } from './forms-on-codes.ts';

/** The grid that the values of a tensor are rounded to. */
export interface ActivationGrid {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly codes: CodeRange;
  readonly dataType: number;
}

/** A tensor that a quantized model keeps, or computes with, as codes. */
export interface RoundedTensor {
  /** What it is known by here: the tensor before it is rounded, or its codes where it never is a float. */
  readonly id: string;
  /** Names of the model by which a float32 model may know it. */
  readonly aliases: readonly string[];
  /** Undefined where the grid is found anew for each input of the model (DynamicQuantizeLinear). */
  readonly grid: ActivationGrid | undefined;
  /** How a run of the quantized model tells its values. */
  readonly seen: { readonly float: string } | { readonly codes: CodedName };
}

export type QuantizedInput =
  | { readonly kind: 'rounded'; readonly tensor: RoundedTensor }
  | { readonly kind: 'coded'; readonly constant: CodedConstant }
  | { readonly kind: 'float'; readonly name: string };

/** A node that computes with codes, or between conversions, in the terms of the float operator that it stands for. */
export interface QuantizedNode {
  readonly name: string;
  /** Of the float operator: `Conv` for a QLinearConv. */
  readonly op: string;
  readonly node: NodeProto;
  /** In the order of the float operator. */
  readonly inputs: readonly QuantizedInput[];
  /** Its first output, as the quantized model names it. */
  readonly output: string;
  /** Of its first output; undefined where that stays float. */
  readonly rounded: RoundedTensor | undefined;
}

export interface QuantizedGraph {
  readonly nodes: readonly QuantizedNode[];
  /** Nodes that compute with codes in a way that is not known here. */
  readonly unread: readonly { readonly node: string; readonly op: string }[];
}

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
