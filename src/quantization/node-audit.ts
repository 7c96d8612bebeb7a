import { type GraphIndex, indexGraph } from '../onnx/graph-index.ts';
import { nodeLabel } from '../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto } from '../onnx/messages.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import { readRawBytes } from '../onnx/tensor-data.ts';
import { dataTypeName } from '../onnx/tensor-layout.ts';
import { isInt8Operator } from './audit.ts';
import { operatorRule } from './operators.ts';

/** How one node of an optimized graph runs. */
export interface NodeAudit {
  readonly node: string;
  readonly op: string;
  /**
   * `int8`: arithmetic on codes. `codes`: moves codes without arithmetic. `conversion`: between floats and codes.
   * `other`: on floats, sizes or anything else.
   */
  readonly runs: 'int8' | 'codes' | 'conversion' | 'other';
  /** Why a node with Q/DQ beside it runs in float nonetheless; absent where it was never meant to be quantized. */
  readonly reason?: string;
}

/**
 * Tells for every node of a graph that ONNX Runtime's CPU provider wrote after its fusions how it runs, and, for those
 * that Q/DQ surrounds in vain, why, by the rules that the provider fuses by. It needs no plan, so the model may come from any tool.
 * Source: ONNX Runtime, qdq_transformer/selectors_actions/qdq_selectors.cc, and experiments with version 1.30.
 */
export function auditNodes(optimized: OnnxModel): readonly NodeAudit[] {
  const graph = optimized.proto.graph;
  if (graph === undefined) return [];
  const index = indexGraph(graph);
  const codes = new Set<string>();
  return graph.node.map((node) => {
    const audited = { node: nodeLabel(node), op: node.opType ?? '', runs: howItRuns(node, codes, index) };
    if (givesCodes(node, audited.runs)) for (const name of node.output) codes.add(name);
    const reason = audited.runs === 'other' ? reasonForFloat(node, index, optimized) : undefined;
    return reason === undefined ? audited : { ...audited, reason };
  });
}

const CONVERSIONS: ReadonlySet<string> = new Set([
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
]);

function howItRuns(node: NodeProto, codes: ReadonlySet<string>, index: GraphIndex): NodeAudit['runs'] {
  if (isInt8Operator(node.opType)) return 'int8';
  if (CONVERSIONS.has(node.opType ?? '')) return 'conversion';
  const first = node.input[0] ?? '';
  const type = index.initializers.get(first)?.dataType;
  return codes.has(first) || type === DATA_TYPE.uint8 || type === DATA_TYPE.int8 ? 'codes' : 'other';
}

function givesCodes({ opType = '', input }: NodeProto, runs: NodeAudit['runs']): boolean {
  if (runs === 'codes') return true;
  if (opType === 'QuantizeLinear' || opType === 'DynamicQuantizeLinear') return true;
  // A QGemm without the scale of an output gives floats.
  return opType.startsWith('QLinear') || (opType === 'QGemm' && (input[7] ?? '') !== '');
}

/** The operator that a fused one of the runtime's own came from: FusedConv is a Conv with its activation. */
function baseOperator({ opType = '' }: NodeProto): string {
  return opType.replace(/^Fused/, '');
}

function reasonForFloat(node: NodeProto, index: GraphIndex, model: OnnxModel): string | undefined {
  const dequantized = node.input.filter((name) => index.producerOf.get(name)?.opType === 'DequantizeLinear');
  const quantizers = node.output.flatMap((name) => quantizersOf(name, index));
  if (dequantized.length === 0 && quantizers.length === 0) return undefined;
  const op = baseOperator(node);
  const rule = operatorRule(op) ?? (op === 'Softmax' ? { role: 'elementwise' as const } : undefined);
  if (rule === undefined) return `the CPU provider has no int8 kernel for ${op}`;
  return (
    wideCodes(dequantized, index) ??
    unlikeTypes(node, quantizers, index) ??
    floatInput(node, op, dequantized) ??
    unlikeParameters(node, rule.role, quantizers, index, model) ??
    floatOutput(node, quantizers, index) ??
    'the runtime did not fuse it with the Q/DQ around it'
  );
}

/** The QuantizeLinear nodes that read a tensor. */
function quantizersOf(name: string, index: GraphIndex): NodeProto[] {
  return (index.consumersOf.get(name) ?? []).flatMap(({ node }) =>
    node.opType === 'QuantizeLinear' ? [node] : [],
  );
}

function wideCodes(
  dequantized: readonly string[],
  { producerOf, initializers }: GraphIndex,
): string | undefined {
  const types = dequantized.map((name) => initializers.get(producerOf.get(name)?.input[2] ?? '')?.dataType);
  const isWide = types.some((type) => type === DATA_TYPE.uint16 || type === DATA_TYPE.int16);
  return isWide ? 'kernels for 16-bit codes do not exist' : undefined;
}

/** Kernels take and give activation codes of one type; those of weights may differ. */
function unlikeTypes(
  node: NodeProto,
  quantizers: readonly NodeProto[],
  { producerOf, initializers }: GraphIndex,
): string | undefined {
  const typeOf = (conversion: NodeProto | undefined) =>
    initializers.get(conversion?.input[2] ?? '')?.dataType;
  const before = node.input.flatMap((name) => {
    const producer = producerOf.get(name);
    const isActivation =
      producer?.opType === 'DequantizeLinear' && !initializers.has(producer.input[0] ?? '');
    return isActivation ? (typeOf(producer) ?? []) : [];
  });
  const types = [...new Set([...before, ...quantizers.flatMap((quantizer) => typeOf(quantizer) ?? [])])];
  return types.length > 1
    ? `the codes around it have different types: ${types.map(dataTypeName).join(', ')}`
    : undefined;
}

/** The inputs that must come out of a DequantizeLinear for the operator to run on codes. */
function floatInput(node: NodeProto, op: string, dequantized: readonly string[]): string | undefined {
  const weighted = op === 'Conv' || op === 'Gemm' || op === 'MatMul';
  const needed = weighted ? [0, 1] : operatorRule(op)?.activations === 'all' ? [...node.input.keys()] : [0];
  for (const at of needed) {
    const name = node.input[at] ?? '';
    if (name === '' || dequantized.includes(name)) continue;
    return `its input '${name}' is float`;
  }
  return undefined;
}

/** Operators that move data run on codes only between equal scales and zero points. */
function unlikeParameters(
  node: NodeProto,
  role: string,
  quantizers: readonly NodeProto[],
  index: GraphIndex,
  model: OnnxModel,
): string | undefined {
  const [quantizer] = quantizers;
  const dequantize = index.producerOf.get(node.input[0] ?? '');
  if (role !== 'pass-through' || quantizer === undefined || dequantize === undefined) return undefined;
  const bytesOf = (name = ''): string | undefined => {
    const tensor = index.initializers.get(name);
    const bytes = tensor === undefined ? undefined : readRawBytes(model, tensor);
    return bytes?.ok === true ? bytes.value.join() : undefined;
  };
  const differs = [1, 2].some((at) => bytesOf(dequantize.input[at]) !== bytesOf(quantizer.input[at]));
  return differs ? 'scale or zero point before and after it differ' : undefined;
}

function floatOutput(
  node: NodeProto,
  quantizers: readonly NodeProto[],
  index: GraphIndex,
): string | undefined {
  const output = node.output[0] ?? '';
  const readers = index.consumersOf.get(output) ?? [];
  if (quantizers.length === 1 && readers.length === 1 && !index.outputs.has(output)) return undefined;
  const [reader] = readers;
  if (quantizers.length === 0 && readers.length === 1 && isActivation(reader?.node)) {
    return `the ${reader?.node.opType} behind it does not end where the grid of the codes ends`;
  }
  if (index.outputs.has(output)) return `its result '${output}' is an output of the graph`;
  return quantizers.length === 0
    ? `no QuantizeLinear follows it`
    : `its result '${output}' is read in float beside QuantizeLinear`;
}

function isActivation(node: NodeProto | undefined): boolean {
  return node?.opType === 'Relu' || node?.opType === 'Clip';
}
