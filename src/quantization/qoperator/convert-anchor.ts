import { ProblemError } from '../../core/problem.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import { readTensorData, tensorFrom } from '../../onnx/tensor-data.ts';
import type { PlannedNode } from '../placement.ts';
import { type CodedTensor, codesBehind, gridOf, haveBytes, roundingOf, triple } from './coded-tensor.ts';
import { type Conversion, type ConversionContext, NO_CODES, notRounded, WIDE_CODES } from './conversion.ts';

/** Conv, Gemm or MatMul on codes, or why it cannot be. Throws `ProblemError` when a constant cannot be read. */
export function convertAnchor(plan: PlannedNode, context: ConversionContext): Conversion | string {
  const { node } = plan;
  const { index } = context;
  const [input, weights] = node.input.slice(0, 2).map((name) => codesBehind(name, index));
  if (input === undefined || weights === undefined) return NO_CODES;
  const rounding = roundingOf(node.output[0] ?? '', index);
  const factors = [...triple(input), ...triple(weights)];
  const coded = [input, weights, ...(rounding === undefined ? [] : [rounding.coded])];
  if (!haveBytes(coded, index)) return WIDE_CODES;
  switch (node.opType) {
    case 'Conv':
      return convOnCodes(node, factors, context);
    case 'Gemm':
      return gemmOnCodes(node, factors, context);
    default:
      return rounding === undefined
        ? floatProduct(plan, input, weights, context)
        : {
            opType: 'QLinearMatMul',
            isContributed: false,
            input: [...factors, ...gridOf(rounding.coded)],
            output: [rounding.coded.codes],
            replaced: [rounding.quantize],
            weightsInput: 3,
          };
  }
}

const FLOAT_BIAS = 'its bias is float32, and the operator on codes adds int32';

/** Source: ONNX QLinearConv-10. No kernel gives float32. */
function convOnCodes(
  node: NodeProto,
  factors: readonly string[],
  context: ConversionContext,
): Conversion | string {
  const result = node.output[0] ?? '';
  const rounding = roundingOf(result, context.index);
  if (rounding === undefined) return notRounded(result, context);
  const name = node.input[2] ?? '';
  const bias = int32Codes(name, context);
  if (name !== '' && bias === undefined) return FLOAT_BIAS;
  return {
    opType: 'QLinearConv',
    isContributed: false,
    input: [...factors, ...gridOf(rounding.coded), ...(bias === undefined ? [] : [bias.codes])],
    output: [rounding.coded.codes],
    replaced: [rounding.quantize],
    weightsInput: 3,
  };
}

/** Source: ONNX Runtime, com.microsoft QGemm. Without a grid for its result it gives float32. */
function gemmOnCodes(
  node: NodeProto,
  factors: readonly string[],
  context: ConversionContext,
): Conversion | string {
  const name = node.input[2] ?? '';
  const bias = int32Codes(name, context);
  if (name !== '' && bias === undefined) return FLOAT_BIAS;
  const result = node.output[0] ?? '';
  const rounding = roundingOf(result, context.index);
  const optional = [bias?.codes ?? '', ...(rounding === undefined ? [] : gridOf(rounding.coded))];
  return {
    opType: 'QGemm',
    isContributed: true,
    input: [...factors, ...(optional.every((input) => input === '') ? [] : optional)],
    output: [rounding?.coded.codes ?? result],
    replaced: rounding === undefined ? [] : [rounding.quantize],
    weightsInput: 3,
  };
}

/**
 * A MatMul whose result stays float32, with the vector that an Add behind it adds. It is no product of two matrices, which
 * the preparation makes a Gemm of. Where the runtime knows its dimensions, it makes a QGemm between Reshape nodes of its
 * Q/DQ form, which adds the bias in int32 and so rounds the float32 result otherwise; no code differs by more than that.
 */
function floatProduct(
  { node, weights: constants }: PlannedNode,
  input: CodedTensor,
  weights: CodedTensor,
  context: ConversionContext,
): Conversion {
  const added = constants?.bias;
  const bias = added && addedVector(added.reader.input[added.inputIndex] ?? '', context);
  const last = bias === undefined ? node : (added?.reader ?? node);
  return {
    opType: 'MatMulIntegerToFloat',
    isContributed: true,
    input: [
      ...[input.codes, weights.codes, input.scale, weights.scale, input.zeroPoint, weights.zeroPoint],
      ...(bias === undefined ? [] : [bias.name]),
    ],
    output: [...last.output],
    replaced: last === node ? [] : [last],
    initializers: bias?.initializers ?? [],
    weightsInput: 1,
  };
}

/**
 * An added bias as the float32 vector that MatMulIntegerToFloat takes. `undefined` for a row [1, N], which may give its
 * rank to the result of the Add.
 */
function addedVector(
  name: string,
  context: ConversionContext,
): { readonly name: string; readonly initializers: readonly TensorProto[] } | undefined {
  const coded = int32Codes(name, context);
  const constant = context.index.initializers.get(coded?.codes ?? name);
  if (constant?.dims.length !== 1) return undefined;
  if (coded === undefined) return { name, initializers: [] };
  const codes = valuesOf(coded.codes, context) as Int32Array;
  const scales = valuesOf(coded.scale, context) as Float32Array;
  // As DequantizeLinear computes it, in float32.
  const values = Float32Array.from(
    codes,
    (code, i) => Math.fround(code) * (scales[i] ?? (scales[0] as number)),
  );
  const made = context.names.fresh(`${name}_float`);
  return { name: made, initializers: [tensorFrom(made, [values.length], values)] };
}

/** The codes of a bias, if they are int32. */
function int32Codes(name: string, { index }: ConversionContext): CodedTensor | undefined {
  const coded = codesBehind(name, index);
  return index.initializers.get(coded?.codes ?? '')?.dataType === DATA_TYPE.int32 ? coded : undefined;
}

function valuesOf(name: string, { model, index }: ConversionContext) {
  const values = readTensorData(model, index.initializers.get(name) as TensorProto);
  if (!values.ok) throw new ProblemError(values.error);
  return values.value;
}
