import { cloneMessage } from '../../onnx/clone-message.ts';
import { makeNode } from '../../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import { transposed, type WeightsPair } from './compare-weights.ts';
import type { PairedNode } from './pair-graphs.ts';
import type { ActivationGrid, RoundedTensor } from './quantized-node.ts';

export interface AddedConstants {
  readonly initializers: TensorProto[];
  readonly names: NameScope;
}

const BYTES: ReadonlySet<number> = new Set([DATA_TYPE.uint8, DATA_TYPE.int8]);

/** Rounds a tensor as the quantized model does. */
export function roundingNodes(
  { grid }: RoundedTensor,
  from: string,
  to: string,
  added: AddedConstants,
): readonly NodeProto[] {
  const { names } = added;
  const codes = names.fresh(`${to}_codes`);
  if (grid === undefined) {
    const [scale, zeroPoint] = [names.fresh(`${to}_scale`), names.fresh(`${to}_zero_point`)];
    return [
      makeNode('DynamicQuantizeLinear', { name: codes, input: [from], output: [codes, scale, zeroPoint] }),
      makeNode('DequantizeLinear', {
        name: names.fresh(`${to}_dequantize`),
        input: [codes, scale, zeroPoint],
        output: [to],
      }),
    ];
  }
  const [scale, zeroPoint] = gridTensors(grid, to, added);
  // ONNX has 16-bit codes since opset 21 alone, the runtime's own operators always.
  const domain = BYTES.has(grid.dataType) ? {} : { domain: 'com.microsoft' };
  return [
    makeNode('QuantizeLinear', { name: codes, input: [from, scale, zeroPoint], output: [codes], ...domain }),
    makeNode('DequantizeLinear', {
      name: names.fresh(`${to}_dequantize`),
      input: [codes, scale, zeroPoint],
      output: [to],
      ...domain,
    }),
  ];
}

function gridTensors(
  { scale, zeroPoint, dataType }: ActivationGrid,
  hint: string,
  { initializers, names }: AddedConstants,
): readonly [string, string] {
  const [ofScale, ofZero] = [names.fresh(`${hint}_scale`), names.fresh(`${hint}_zero_point`)];
  initializers.push(tensorFrom(ofScale, [], Float32Array.of(scale)), zeroTensor(ofZero, zeroPoint, dataType));
  return [ofScale, ofZero];
}

function zeroTensor(name: string, zeroPoint: number, dataType: number): TensorProto {
  switch (dataType) {
    case DATA_TYPE.int8:
      return tensorFrom(name, [], Int8Array.of(zeroPoint));
    case DATA_TYPE.uint16:
      return tensorFrom(name, [], Uint16Array.of(zeroPoint));
    case DATA_TYPE.int16:
      return tensorFrom(name, [], Int16Array.of(zeroPoint));
    default:
      return tensorFrom(name, [], Uint8Array.of(zeroPoint));
  }
}

/** Limits a tensor to the range of its grid, without rounding. */
export function clippingNodes(
  { scale, zeroPoint, codes }: ActivationGrid,
  from: string,
  to: string,
  { initializers, names }: AddedConstants,
): readonly NodeProto[] {
  const [min, max] = [names.fresh(`${to}_min`), names.fresh(`${to}_max`)];
  initializers.push(
    tensorFrom(min, [], Float32Array.of((codes.min - zeroPoint) * scale)),
    tensorFrom(max, [], Float32Array.of((codes.max - zeroPoint) * scale)),
  );
  return [makeNode('Clip', { name: names.fresh(`${to}_clip`), input: [from, min, max], output: [to] })];
}

/** A float32 node with the weights, and the bias, that the quantized model really multiplies with and adds. */
export function withCodedWeights(
  pair: PairedNode & { readonly weights: WeightsPair },
  float: NodeProto,
  output: string,
  { initializers, names }: AddedConstants,
): NodeProto {
  const { quantized, weights } = pair;
  const { inputIndex, coded, bias, isTransposed } = weights;
  const copy = cloneMessage(float);
  copy.output = [output];
  copy.name = names.fresh(`${output}_node`);
  const name = names.fresh(`${output}_weights`);
  const values = isTransposed ? transposed(coded.values(), coded.dims) : coded.values();
  initializers.push(tensorFrom(name, weights.float.dims, values));
  copy.input[inputIndex] = name;
  const hasBias = (copy.input[inputIndex + 1] ?? '') !== '';
  if (bias !== undefined && hasBias) {
    const added = names.fresh(`${output}_bias`);
    initializers.push(tensorFrom(added, bias.dims, bias.values()));
    copy.input[inputIndex + 1] = added;
  }
  // Factors of a Gemm are a part of its codes, so the attributes are those of the quantized node.
  if (copy.opType === 'Gemm') copy.attribute = gemmAttributes(copy, quantized.node, bias !== undefined);
  return copy;
}

function gemmAttributes(float: NodeProto, quantized: NodeProto, codedBias: boolean): NodeProto['attribute'] {
  const isGemm = quantized.opType === 'Gemm' || quantized.opType === 'QGemm';
  const named = (node: NodeProto, name: string) =>
    node.attribute.filter((attribute) => attribute.name === name);
  const kept = float.attribute.filter(({ name }) => name === 'transA' || name === 'transB');
  return [
    ...kept,
    ...(isGemm ? named(quantized, 'alpha') : []),
    ...(codedBias && isGemm ? named(quantized, 'beta') : named(float, 'beta')),
  ];
}
