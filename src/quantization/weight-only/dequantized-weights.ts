import { intAttributeProto } from '../../onnx/attributes.ts';
import { makeNode } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import type { Candidate } from './candidates.ts';
import type { GemmBias } from './gemm-bias.ts';
import type { QuantizedWeights } from './quantized-weights.ts';

/** Attributes of Gemm that are already part of the quantized weights, which are always K×N. */
const FOLDED_ATTRIBUTES: readonly (string | undefined)[] = ['alpha', 'transB'];

/**
 * A DequantizeLinear with blocks along K, and the MatMul or Gemm that reads it. ONNX Runtime only fuses a
 * DequantizeLinear that has a single reader, and a Gemm with alpha 1, transB 0 and, if it has a bias, beta 1 and a bias
 * of shape [N].
 * Source: DQMatMulNodeGroupSelector in onnxruntime/core/optimizer/qdq_transformer.
 */
export function dequantizedWeightsNodes(
  { node, tensor, shape }: Candidate,
  weights: QuantizedWeights,
  bias: GemmBias | undefined,
  names: NameScope,
): NodeProto[] {
  const base = tensor.name ?? '';
  const dequantized = names.fresh(`${base}_dequantized`);
  const dequantize = makeNode('DequantizeLinear', {
    name: names.fresh(`${base}_DequantizeLinear`),
    input: [weights.codes, weights.scales, ...(weights.zeroPoints === undefined ? [] : [weights.zeroPoints])],
    output: [dequantized],
    attribute: [intAttributeProto('axis', 0), intAttributeProto('block_size', shape.blockSize)],
  });
  const dropped = bias === undefined || bias.isRow ? [...FOLDED_ATTRIBUTES, 'beta'] : FOLDED_ATTRIBUTES;
  const reader: NodeProto = {
    ...node,
    input: [node.input[0] as string, dequantized, ...(bias === undefined ? [] : [bias.name])],
    attribute: node.attribute.filter(({ name }) => !dropped.includes(name)),
  };
  return [dequantize, reader];
}
