import { intAttributeProto } from '../onnx/attributes.ts';
import { makeNode } from '../onnx/make-node.ts';
import type { NodeProto, TensorProto } from '../onnx/messages.ts';
import type { NameScope } from '../onnx/name-scope.ts';
import { tensorFrom } from '../onnx/tensor-data.ts';
import { type ActivationGrid, activationCodes, activationParameters, emptyCodes } from './activation-grid.ts';
import {
  type AffineParameters,
  channelAbsMax,
  channelLayout,
  type IntegerRange,
  quantizeChannels,
  symmetricScale,
} from './affine.ts';
import type { AnchorWeights } from './anchors.ts';
import { quantizeBias, scalesThatHoldBias } from './bias.ts';
import { nonFiniteWeight } from './non-finite-constant.ts';
import type { TunedConstants } from './tuned-constants.ts';

/** A constant as codes: the initializers to add, the DequantizeLinear that reads them, and the tensor it gives. */
export interface QuantizedConstant {
  readonly initializers: readonly TensorProto[];
  readonly dequantize: NodeProto;
  readonly output: string;
}

export interface WeightSettings {
  readonly grid: IntegerRange;
  readonly perTensor: boolean;
  /** Whether the bias becomes int32 on the product's grid, as int8 kernels add it, or stays float32. */
  readonly quantizeBias: boolean;
}

/**
 * Weights as s8 with one scale a channel (or one in all), and the bias as int32 on the grid that the two scales make.
 * @param values of the constants that `weights` names, Gemm's factors multiplied in
 * @param tuned what takes their place
 * Throws `ProblemError` `non-finite-weight` that names node and tensor.
 */
export function quantizeAnchor(
  node: NodeProto,
  weights: AnchorWeights,
  values: { readonly weights: Float32Array; readonly bias: Float32Array | undefined },
  input: AffineParameters,
  settings: WeightSettings,
  names: NameScope,
  tuned: TunedConstants = {},
): { readonly weights: QuantizedConstant; readonly bias: QuantizedConstant | undefined } {
  const { tensor, axis } = weights;
  const layout = settings.perTensor
    ? { outer: 1, channels: 1, inner: values.weights.length }
    : channelLayout(tensor.dims, axis);
  const absMax = channelAbsMax(values.weights, layout);
  requireFinite(absMax, node, tensor);
  const bias = values.bias && (tuned.bias ?? values.bias);
  if (bias !== undefined && weights.bias !== undefined) requireFinite(bias, node, weights.bias.tensor);
  const { scales: fitted, areTuned } = anchorScales({ absMax, bias }, input, settings, tuned);
  const codes =
    (areTuned ? tuned.weightCodes : undefined) ??
    quantizeChannels(values.weights, layout, fitted, settings.grid);
  return {
    weights: dequantized(
      tensor.name ?? '',
      tensorFrom('', tensor.dims, codes),
      scaleTensor(fitted, settings.perTensor),
      tensorFrom('', settings.perTensor ? [] : [fitted.length], new Int8Array(fitted.length)),
      settings.perTensor ? undefined : axis,
      names,
    ),
    bias:
      bias === undefined || weights.bias === undefined
        ? undefined
        : biasConstant(weights.bias.tensor, bias, input.scale, fitted, names),
  };
}

/**
 * The weight scales of an anchor, one a channel or one in all: those that are given or those that hold the weights, raised
 * where the bias needs it.
 * @param values the largest magnitude of each channel, or of all weights, and the bias
 * @returns `areTuned` tells whether they are those that were given
 */
export function anchorScales(
  values: { readonly absMax: Float64Array; readonly bias: Float32Array | undefined },
  input: AffineParameters,
  { grid }: Pick<WeightSettings, 'grid'>,
  tuned: TunedConstants = {},
): { readonly scales: Float32Array; readonly areTuned: boolean } {
  const { absMax, bias } = values;
  const wanted = tuned.weightScales ?? Float32Array.from(absMax, (largest) => symmetricScale(largest, grid));
  const scales = bias === undefined ? wanted : scalesThatHoldBias(wanted, absMax, input.scale, bias);
  return { scales, areTuned: scales.every((scale, channel) => scale === tuned.weightScales?.[channel]) };
}

function biasConstant(
  tensor: TensorProto,
  bias: Float32Array,
  inputScale: number,
  weightScales: Float32Array,
  names: NameScope,
): QuantizedConstant {
  const { codes, scales } = quantizeBias(bias, inputScale, weightScales);
  const perTensor = scales.length === 1 && bias.length !== 1;
  // A scalar has no axis to lay a scale along, and a row [1, N] may give its rank to the result of an Add.
  const dims = tensor.dims.length === 0 ? [1] : tensor.dims;
  return dequantized(
    tensor.name ?? '',
    tensorFrom('', dims, codes),
    scaleTensor(scales, perTensor),
    tensorFrom('', perTensor ? [] : [scales.length], new Int32Array(scales.length)),
    perTensor ? undefined : dims.length - 1,
    names,
  );
}

/** A constant operand of an elementwise operator, on the grid of activations. */
export function quantizeConstant(
  node: NodeProto,
  tensor: TensorProto,
  values: Float32Array,
  grid: ActivationGrid,
  names: NameScope,
): QuantizedConstant {
  requireFinite(values, node, tensor);
  let min = 0;
  let max = 0;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const parameters = activationParameters({ min, max }, grid);
  return dequantized(
    tensor.name ?? '',
    tensorFrom('', tensor.dims, activationCodes(values, parameters, grid)),
    tensorFrom('', [], Float32Array.of(parameters.scale)),
    zeroPointTensor(parameters.zeroPoint, grid),
    undefined,
    names,
  );
}

/** The scalar zero point of activation codes. */
export function zeroPointTensor(zeroPoint: number, { type }: ActivationGrid, name = ''): TensorProto {
  const code = emptyCodes(type, 1);
  code[0] = zeroPoint;
  return tensorFrom(name, [], code);
}

function scaleTensor(scales: Float32Array, scalar: boolean): TensorProto {
  return tensorFrom('', scalar ? [] : [scales.length], scales);
}

function dequantized(
  base: string,
  codes: TensorProto,
  scale: TensorProto,
  zeroPoint: TensorProto,
  axis: number | undefined,
  names: NameScope,
): QuantizedConstant {
  codes.name = names.fresh(`${base}_quantized`);
  scale.name = names.fresh(`${base}_scale`);
  zeroPoint.name = names.fresh(`${base}_zero_point`);
  const output = names.fresh(`${base}_dequantized`);
  return {
    initializers: [codes, scale, zeroPoint],
    dequantize: makeNode('DequantizeLinear', {
      name: names.fresh(`${base}_DequantizeLinear`),
      input: [codes.name, scale.name, zeroPoint.name],
      output: [output],
      attribute: axis === undefined ? [] : [intAttributeProto('axis', axis)],
    }),
    output,
  };
}

function requireFinite(values: Float32Array | Float64Array, node: NodeProto, tensor: TensorProto): void {
  if (!values.every(Number.isFinite)) throw nonFiniteWeight(node, tensor);
}
