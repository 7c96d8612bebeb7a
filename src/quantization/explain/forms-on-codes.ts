import { intAttribute } from '../../onnx/attributes.ts';
import { nodeLabel } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';
import { operatorRule } from '../operators.ts';
import type { CodeReader } from './code-reader.ts';
import {
  type CodedConstant,
  codedConstant,
  nbitsConstant,
  readFloats,
  readNumbers,
} from './coded-constant.ts';
import type { QuantizedInput, QuantizedNode } from './quantized-node.ts';

/** Where an operator on codes has what: the places of triples (codes, scale, zero point), and of the grid of its result. */
interface Form {
  readonly op: string;
  readonly inputs: readonly number[];
  readonly result: number;
  /** The place of a bias of int32, whose scale is the product of the two factors'. */
  readonly bias?: number;
}

/** Source: ONNX QLinearConv-10 and QLinearMatMul-10; the schemas of com.microsoft in ONNX Runtime 1.30. */
const FORMS: ReadonlyMap<string, Form> = new Map([
  ['QLinearConv', { op: 'Conv', inputs: [0, 3], result: 6, bias: 8 }],
  ['QLinearMatMul', { op: 'MatMul', inputs: [0, 3], result: 6 }],
  ['QGemm', { op: 'Gemm', inputs: [0, 3], result: 7, bias: 6 }],
  ['QLinearAdd', { op: 'Add', inputs: [0, 3], result: 6 }],
  ['QLinearMul', { op: 'Mul', inputs: [0, 3], result: 6 }],
  ['QLinearSigmoid', { op: 'Sigmoid', inputs: [0], result: 3 }],
  ['QLinearLeakyRelu', { op: 'LeakyRelu', inputs: [0], result: 3 }],
  ['QLinearAveragePool', { op: 'AveragePool', inputs: [0], result: 3 }],
  ['QLinearGlobalAveragePool', { op: 'GlobalAveragePool', inputs: [0], result: 3 }],
  ['QLinearReduceMean', { op: 'ReduceMean', inputs: [0], result: 3 }],
  ['QLinearSoftmax', { op: 'Softmax', inputs: [0], result: 3 }],
]);

/** Where the scales of a weight's channels go along. */
function channelAxis(op: string, rank: number, node: NodeProto): number {
  if (op === 'Conv') return 0;
  return op === 'Gemm' && intAttribute(node, 'transB') === 1 ? 0 : rank - 1;
}

/**
 * What a node that computes on codes stands for. `unknown` for one that is not known here, undefined for one that does not compute on
 * codes.
 */
export function formOnCodes(
  node: NodeProto,
  view: GraphView,
  reader: CodeReader,
): QuantizedNode | 'unknown' | undefined {
  const op = node.opType ?? '';
  const form = op === 'QLinearConcat' ? concatForm(node) : FORMS.get(op);
  if (form !== undefined) return ofForm(node, form, view, reader);
  if (op === 'MatMulIntegerToFloat') return integerToFloat(node, reader);
  if (op === 'MatMulInteger' || op === 'ConvInteger') return integerProduct(node, view, reader);
  if (op === 'MatMulNBits') return blocks(node, view);
  if (op.startsWith('QLinear') || op.startsWith('DynamicQuantize') || op === 'QAttention') return 'unknown';
  return movesCodes(node, reader);
}

function concatForm(node: NodeProto): Form {
  const count = Math.floor((node.input.length - 2) / 3);
  return { op: 'Concat', inputs: Array.from({ length: count }, (_, i) => 2 + 3 * i), result: 0 };
}

function ofForm(node: NodeProto, form: Form, view: GraphView, reader: CodeReader): QuantizedNode | 'unknown' {
  const at = (place: number) => node.input[place] ?? '';
  const inputs: QuantizedInput[] = [];
  for (const place of form.inputs) {
    const tensor = reader.roundedOf(at(place));
    if (tensor !== undefined) {
      inputs.push({ kind: 'rounded', tensor });
      continue;
    }
    const rank = view.index.initializers.get(at(place))?.dims.length ?? 0;
    const coded = { codes: at(place), scale: at(place + 1), zeroPoint: at(place + 2) };
    const constant = reader.constant(coded, channelAxis(form.op, rank, node));
    if (constant === undefined) return 'unknown';
    inputs.push({ kind: 'coded', constant });
  }
  const bias = form.bias === undefined ? '' : at(form.bias);
  if (bias !== '') {
    const constant = productBias(bias, [at(1), at(4)], view);
    if (constant === undefined) return 'unknown';
    inputs.push({ kind: 'coded', constant });
  }
  const output = node.output[0] ?? '';
  const rounded =
    at(form.result) === ''
      ? undefined
      : reader.gives(output, { scale: at(form.result), zeroPoint: at(form.result + 1) });
  return { name: nodeLabel(node), op: form.op, node, inputs, output, rounded };
}

function productBias(
  name: string,
  [first, second]: readonly [string, string],
  { model, index }: GraphView,
): CodedConstant | undefined {
  const [tensor, ofInput, ofWeights] = [name, first, second].map((of) => index.initializers.get(of));
  if (tensor === undefined || ofInput === undefined || ofWeights === undefined) return undefined;
  const scale = readFloats(model, ofInput)[0] ?? 1;
  const scales = readFloats(model, ofWeights).map((of) => of * scale);
  return codedConstant(model, tensor, scales, [], { axis: tensor.dims.length - 1, blockSize: 0 });
}

/** A product on codes whose result is float32: A, B, their scales, their zero points and what is added. */
function integerToFloat(node: NodeProto, reader: CodeReader): QuantizedNode | 'unknown' {
  const [a = '', b = '', , scale = '', , zeroPoint = ''] = node.input;
  const tensor = reader.roundedOf(a);
  const constant = reader.constant({ codes: b, scale, zeroPoint }, 1);
  if (tensor === undefined || constant === undefined) return 'unknown';
  const inputs: QuantizedInput[] = [
    { kind: 'rounded', tensor },
    { kind: 'coded', constant },
  ];
  return {
    name: nodeLabel(node),
    op: 'MatMul',
    node,
    inputs,
    output: node.output[0] ?? '',
    rounded: undefined,
  };
}

/** A product of int32, which is made float32 and scaled by the nodes behind it. */
function integerProduct(node: NodeProto, view: GraphView, reader: CodeReader): QuantizedNode | 'unknown' {
  const { index } = view;
  const [a = '', b = '', , zeroPoint = ''] = node.input;
  const tensor = reader.roundedOf(a);
  const follow = (name: string, op: string) =>
    index.consumersOf.get(name)?.find((consumer) => consumer.node.opType === op)?.node;
  const cast = follow(node.output[0] ?? '', 'Cast');
  const scaling = cast === undefined ? undefined : follow(cast.output[0] ?? '', 'Mul');
  const factors = (scaling?.input ?? []).flatMap((name) => [
    name,
    ...(index.producerOf.get(name)?.input ?? []),
  ]);
  const scale = factors.find((name) => index.initializers.has(name)) ?? '';
  const op = node.opType === 'ConvInteger' ? 'Conv' : 'MatMul';
  const rank = index.initializers.get(b)?.dims.length ?? 0;
  const constant = reader.constant({ codes: b, scale, zeroPoint }, channelAxis(op, rank, node));
  if (tensor === undefined || constant === undefined || scaling === undefined) return 'unknown';
  const inputs: QuantizedInput[] = [
    { kind: 'rounded', tensor },
    { kind: 'coded', constant },
  ];
  return { name: nodeLabel(node), op, node, inputs, output: scaling.output[0] ?? '', rounded: undefined };
}

function blocks(node: NodeProto, { model, index }: GraphView): QuantizedNode | 'unknown' {
  const [a = '', codes = '', scales = '', zeroPoints = ''] = node.input;
  const attribute = (name: string) => intAttribute(node, name) ?? 0;
  const [tensor, ofScales] = [codes, scales].map((name) => index.initializers.get(name));
  const shape = {
    k: attribute('K'),
    n: attribute('N'),
    bits: attribute('bits') || 4,
    blockSize: attribute('block_size'),
  };
  const isKnown = (shape.bits === 4 || shape.bits === 8) && shape.blockSize > 0;
  if (tensor === undefined || ofScales === undefined || !isKnown) return 'unknown';
  const ofZeros = index.initializers.get(zeroPoints);
  // Zero points may be floats as well.
  if (ofZeros !== undefined && readNumbers(model, ofZeros) instanceof Float32Array) return 'unknown';
  const constant = nbitsConstant(model, { codes: tensor, scales: ofScales, zeroPoints: ofZeros }, shape);
  const inputs: QuantizedInput[] = [
    { kind: 'float', name: a },
    { kind: 'coded', constant },
  ];
  return {
    name: nodeLabel(node),
    op: 'MatMul',
    node,
    inputs,
    output: node.output[0] ?? '',
    rounded: undefined,
  };
}

/** An operator that moves values, given codes: they mean the same behind it. */
function movesCodes(node: NodeProto, reader: CodeReader): QuantizedNode | undefined {
  const op = node.opType ?? '';
  const first = node.input[0] ?? '';
  const tensor = reader.roundedOf(first);
  const isMoving = operatorRule(op)?.role === 'pass-through' || op === 'Identity' || op === 'Gather';
  const codes = reader.codesCalled(first);
  if (tensor === undefined || codes === undefined || !isMoving) return undefined;
  const output = node.output[0] ?? '';
  const rounded = reader.gives(output, codes);
  return { name: nodeLabel(node), op, node, inputs: [{ kind: 'rounded', tensor }], output, rounded };
}
