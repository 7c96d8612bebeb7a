import type { GraphProto, NodeProto } from '../../onnx/messages.ts';
import { walkGraphs } from '../../onnx/traversal.ts';
import type { FusionAudit } from '../audit.ts';

/**
 * Finds out which quantized products the runtime computes from their packed weights. A MatMulNBits does by itself. A
 * MatMul or Gemm behind a DequantizeLinear does only where the runtime has merged the two, so that nobody reads the
 * dequantized weights any more. Nodes are told by that tensor and not by their names, since the runtime may have put the
 * node together with a neighbour: a Gemm and the Relu behind it become a FusedGemm, which multiplies in float.
 * @param written the graph that was given to the runtime, with the quantized nodes in it
 * @param optimized the graph that the runtime wrote after its fusions
 */
export function auditWeightsOnly(
  quantized: readonly { readonly node: string; readonly op: string }[],
  written: GraphProto,
  optimized: GraphProto,
): FusionAudit {
  const given = new Map(allNodes(written).map((node) => [node.name ?? '', node]));
  const read = new Set(allNodes(optimized).flatMap(({ input }) => input));
  const notFused = quantized
    .filter(({ node }) => {
      const { opType, input } = given.get(node) ?? {};
      return opType !== 'MatMulNBits' && read.has(input?.[1] ?? '');
    })
    .map(({ node, op }) => ({
      node,
      op,
      reason: 'the runtime dequantizes its weights and multiplies in float',
    }));
  return { fused: quantized.length - notFused.length, notFused };
}

/** The nodes of the graph and of all bodies in it. */
function allNodes(graph: GraphProto): readonly NodeProto[] {
  const nodes: NodeProto[] = [];
  walkGraphs(graph, (body) => nodes.push(...body.node));
  return nodes;
}
