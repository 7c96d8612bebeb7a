import { nodeLabel } from '../onnx/make-node.ts';
import type { GraphProto, NodeProto } from '../onnx/messages.ts';
import type { FloatNode, PlannedNode } from './placement.ts';

/** What the runtime made of a quantized model. */
export interface FusionAudit {
  /** Planned nodes that really run on int8 data. */
  readonly fused: number;
  readonly notFused: readonly FloatNode[];
}

/** Operators of the optimized graph that compute on int8 data. */
const INT8_OPERATORS: ReadonlySet<string> = new Set([
  'QLinearConv',
  'QLinearMatMul',
  'QGemm',
  'MatMulIntegerToFloat',
  'MatMulInteger',
  'DynamicQuantizeMatMul',
  'ConvInteger',
  'QLinearAdd',
  'QLinearMul',
  'QLinearConcat',
  'QLinearSigmoid',
  'QLinearLeakyRelu',
  'QLinearSoftmax',
  'QLinearAveragePool',
  'QLinearGlobalAveragePool',
  'QLinearWhere',
  'QLinearReduceMean',
]);

export function isInt8Operator(opType: string | undefined): boolean {
  return opType !== undefined && INT8_OPERATORS.has(opType);
}

/**
 * Finds out where each planned node runs, in the graph that the runtime wrote after its fusions (`extended` level, where
 * nodes keep their names). An anchor is judged by who reads its codes, since the runtime may merge it with a neighbour
 * under another name; the others by what their name has become.
 * @param quantized the graph that was given to the runtime, with the planned nodes in it
 */
export function auditFusion(
  planned: readonly PlannedNode[],
  quantized: GraphProto,
  optimized: GraphProto,
): FusionAudit {
  const given = producers(quantized);
  const readers = readersOf(optimized);
  const byName = new Map(optimized.node.map((node) => [node.name ?? '', node]));
  const made = producers(optimized);
  const notFused: FloatNode[] = [];
  for (const { node, weights } of planned) {
    const found = byName.get(node.name ?? '');
    const fused =
      weights === undefined
        ? relayRunsInInt8(found, made)
        : readInInt8(codesOf(node.input[weights.inputIndex] ?? '', given), readers);
    if (fused) continue;
    notFused.push({ node: nodeLabel(node), op: node.opType ?? '', reason: describeFloat(node, found) });
  }
  return { fused: planned.length - notFused.length, notFused };
}

function producers(graph: GraphProto): ReadonlyMap<string, NodeProto> {
  return new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
}

function readersOf(graph: GraphProto): ReadonlyMap<string, readonly NodeProto[]> {
  const readers = new Map<string, NodeProto[]>();
  for (const node of graph.node) {
    for (const name of node.input) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  return readers;
}

/** The codes behind the DequantizeLinear of weights; where an operator reads codes itself, they are what it reads. */
function codesOf(weights: string, given: ReadonlyMap<string, NodeProto>): string {
  return given.get(weights)?.input[0] ?? weights;
}

/** Whether weights go into int8 kernels. Where the runtime dequantizes them, once or at every run, they do not. */
function readInInt8(codes: string, readers: ReadonlyMap<string, readonly NodeProto[]>): boolean {
  const found = readers.get(codes) ?? [];
  return found.length > 0 && found.every(({ opType }) => isInt8Operator(opType));
}

function relayRunsInInt8(found: NodeProto | undefined, made: ReadonlyMap<string, NodeProto>): boolean {
  // A relay that is gone moved no data: the runtime removes a Reshape or a Transpose that changes nothing.
  if (found === undefined || isInt8Operator(found.opType)) return true;
  // Operators that only move data keep their name; they run on codes if no DequantizeLinear feeds them.
  return DATA_MOVERS.has(found.opType ?? '') && made.get(found.input[0] ?? '')?.opType !== 'DequantizeLinear';
}

function describeFloat({ opType }: NodeProto, found: NodeProto | undefined): string {
  return found === undefined
    ? `the runtime merged it into another operator, which runs in float`
    : `the runtime runs it as float ${found.opType ?? opType} between DequantizeLinear and QuantizeLinear`;
}

const DATA_MOVERS: ReadonlySet<string> = new Set([
  'MaxPool',
  'Reshape',
  'Flatten',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Split',
  'Slice',
  'Resize',
  'Concat',
]);
