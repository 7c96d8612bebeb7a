import type { GraphProto } from '../../onnx/messages.ts';
import type { FusionAudit } from '../audit.ts';

/**
 * Finds out which quantized products the runtime computes from their packed weights. A node that it has merged into
 * MatMulNBits under another name counts as such; one that is still a MatMul or Gemm multiplies in float, after its weights
 * were dequantized.
 */
export function auditWeightsOnly(
  quantized: readonly { readonly node: string; readonly op: string }[],
  optimized: GraphProto,
): FusionAudit {
  const floatProducts = new Set(
    optimized.node
      .filter(({ opType }) => opType === 'MatMul' || opType === 'Gemm' || opType === 'FusedMatMul')
      .map(({ name }) => name ?? ''),
  );
  const notFused = quantized
    .filter(({ node }) => floatProducts.has(node))
    .map(({ node, op }) => ({
      node,
      op,
      reason: 'the runtime dequantizes its weights and multiplies in float',
    }));
  return { fused: quantized.length - notFused.length, notFused };
}
