import { intAttributeProto } from '../../onnx/attributes.ts';
import { makeNode } from '../../onnx/make-node.ts';
import type { NodeProto, TensorProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import type { Candidate } from './candidates.ts';
import { floatTensor, type GemmBias } from './gemm-bias.ts';
import type { QuantizedWeights } from './quantized-weights.ts';

export const MICROSOFT_DOMAIN = 'com.microsoft';

/**
 * A MatMulNBits in place of a MatMul or Gemm. A bias that the operator cannot take is added behind it.
 * Inputs: A, B, scales, zero_points, g_idx (deprecated), bias.
 * Source: docs/ContribOperators.md of ONNX Runtime.
 */
export function matMulNBitsNodes(
  { node, tensor, shape, grid }: Candidate,
  weights: QuantizedWeights,
  bias: GemmBias | undefined,
  accuracyLevel: number,
  names: NameScope,
  initializers: TensorProto[],
): NodeProto[] {
  const result = node.output[0] as string;
  const isAddedLater = bias !== undefined && !bias.isRow;
  const product = isAddedLater ? names.fresh(`${result}_product`) : result;
  const inputs = [node.input[0] as string, weights.codes, weights.scales, weights.zeroPoints ?? ''];
  if (bias?.isRow === true) inputs.push('', bias.name);
  else if (weights.zeroPoints === undefined) inputs.pop();
  const attributes = { K: shape.k, N: shape.n, bits: grid.bits, block_size: shape.blockSize };
  const nodes: NodeProto[] = [
    {
      ...node,
      opType: 'MatMulNBits',
      domain: MICROSOFT_DOMAIN,
      input: inputs,
      output: [product],
      attribute: [
        ...Object.entries(attributes).map(([name, value]) => intAttributeProto(name, value)),
        // 0 stands for unset.
        ...(accuracyLevel === 0 ? [] : [intAttributeProto('accuracy_level', accuracyLevel)]),
      ],
    },
  ];
  if (!isAddedLater) return nodes;

  let addend = bias.name;
  if (bias.factor !== 1) {
    const factor = names.fresh(`${result}_beta`);
    addend = names.fresh(`${bias.name}_scaled`);
    initializers.push(floatTensor(factor, [], Float32Array.of(bias.factor), tensor.dataType));
    nodes.push(
      makeNode('Mul', {
        name: names.fresh(`${result}_Mul`),
        input: [bias.name, factor],
        output: [addend],
      }),
    );
  }
  nodes.push(
    makeNode('Add', { name: names.fresh(`${result}_Add`), input: [product, addend], output: [result] }),
  );
  return nodes;
}
