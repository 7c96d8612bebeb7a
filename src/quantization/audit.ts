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
 * Finds each planned node in the graph that the runtime wrote after its fusions (`extended` level, where nodes keep
 * their names). A node that is gone was merged into a neighbour or moved no data, so it costs nothing in float.
 */
export function auditFusion(planned: readonly PlannedNode[], optimized: GraphProto): FusionAudit {
  const byName = new Map(optimized.node.map((node) => [node.name ?? '', node]));
  const producerOf = new Map(
    optimized.node.flatMap((node) => node.output.map((name) => [name, node] as const)),
  );
  const notFused: FloatNode[] = [];
  for (const { node } of planned) {
    const found = byName.get(node.name ?? '');
    if (found === undefined || runsInInt8(found, producerOf)) continue;
    notFused.push({
      node: nodeLabel(node),
      op: node.opType ?? '',
      reason: `the runtime runs it as float ${found.opType} between DequantizeLinear and QuantizeLinear`,
    });
  }
  return { fused: planned.length - notFused.length, notFused };
}

function runsInInt8(node: NodeProto, producerOf: ReadonlyMap<string, NodeProto>): boolean {
  if (isInt8Operator(node.opType)) return true;
  // Operators that only move data keep their name; they run on codes if no DequantizeLinear feeds them.
  return producerOf.get(node.input[0] ?? '')?.opType !== 'DequantizeLinear' && movesDataOnly(node);
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

function movesDataOnly(node: NodeProto): boolean {
  return DATA_MOVERS.has(node.opType ?? '');
}
