import { type GraphIndex, hasOneReader } from '../../onnx/graph-index.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto } from '../../onnx/messages.ts';

/** A tensor as codes: the names of the codes and of the constants that say what they mean. */
export interface CodedTensor {
  readonly codes: string;
  readonly scale: string;
  readonly zeroPoint: string;
}

/** The codes that a tensor is rounded to, and the QuantizeLinear that does it. */
interface Rounding {
  readonly coded: CodedTensor;
  readonly quantize: NodeProto;
}

/** The codes behind a tensor that a DequantizeLinear makes. */
export function codesBehind(tensor: string, { producerOf }: GraphIndex): CodedTensor | undefined {
  const producer = producerOf.get(tensor);
  if (producer === undefined || !isOperator(producer, 'DequantizeLinear')) return undefined;
  const [codes = '', scale = '', zeroPoint = ''] = producer.input;
  return { codes, scale, zeroPoint };
}

/** What a tensor is rounded to, if nothing else is done with it. */
export function roundingOf(tensor: string, index: GraphIndex): Rounding | undefined {
  const reader = hasOneReader(tensor, index) ? index.consumersOf.get(tensor)?.[0] : undefined;
  if (reader?.inputIndex !== 0 || !isOperator(reader.node, 'QuantizeLinear')) return undefined;
  const [, scale = '', zeroPoint = ''] = reader.node.input;
  return { coded: { codes: reader.node.output[0] ?? '', scale, zeroPoint }, quantize: reader.node };
}

/** Whether all codes have 8 bits, as every operator on codes wants them. */
export function haveBytes(coded: readonly CodedTensor[], { initializers }: GraphIndex): boolean {
  return coded.every(({ zeroPoint }) => {
    const type = initializers.get(zeroPoint)?.dataType;
    return type === DATA_TYPE.uint8 || type === DATA_TYPE.int8;
  });
}

/** Codes, scale and zero point, as almost every operator on codes takes a tensor. */
export function triple({ codes, scale, zeroPoint }: CodedTensor): readonly string[] {
  return [codes, scale, zeroPoint];
}

/** Scale and zero point, as almost every operator on codes takes what its result is rounded to. */
export function gridOf({ scale, zeroPoint }: CodedTensor): readonly string[] {
  return [scale, zeroPoint];
}

/** Whether the node is the ONNX operator of that name. */
export function isOperator(node: NodeProto, opType: string): boolean {
  return node.opType === opType && isDefaultDomain(node.domain);
}
