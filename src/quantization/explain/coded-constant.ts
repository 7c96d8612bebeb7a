import { decodeFloat16 } from '../../core/float16.ts';
import { ProblemError } from '../../core/problem.ts';
import { DATA_TYPE, type TensorProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { readAsFloat32, readTensorData } from '../../onnx/tensor-data.ts';
import { channelLayout } from '../affine.ts';

/** The codes that an element type can hold. */
export interface CodeRange {
  readonly min: number;
  readonly max: number;
}

const RANGES: ReadonlyMap<number, CodeRange> = new Map([
  [DATA_TYPE.uint8, { min: 0, max: 255 }],
  [DATA_TYPE.int8, { min: -128, max: 127 }],
  [DATA_TYPE.uint16, { min: 0, max: 65535 }],
  [DATA_TYPE.int16, { min: -32768, max: 32767 }],
  [DATA_TYPE.uint4, { min: 0, max: 15 }],
  [DATA_TYPE.int4, { min: -8, max: 7 }],
  [DATA_TYPE.uint2, { min: 0, max: 3 }],
  [DATA_TYPE.int2, { min: -2, max: 1 }],
]);

/** Undefined for types that are no grid of a few codes, such as int32 and the 8-bit floats. */
export function codeRange(dataType: number | undefined): CodeRange | undefined {
  return RANGES.get(dataType ?? 0);
}

/** A constant that a quantized model keeps as codes. */
export interface CodedConstant {
  readonly dims: readonly number[];
  /** Float32, in the order of the tensor. Reads the file. Throws `ProblemError`. */
  readonly values: () => Float32Array;
  readonly codes: () => ArrayLike<number>;
  readonly range: CodeRange | undefined;
  /** One, one for each channel of `axis`, or one for each block. */
  readonly scales: Float32Array;
  /** The axis that scales go along; undefined for a single scale. */
  readonly axis: number | undefined;
}

/** Where the scales of a tensor of codes lie. */
export interface ScaleLayout {
  readonly axis: number | undefined;
  /** So many codes along `axis` share a scale; 0 where each channel has its own. */
  readonly blockSize: number;
}

export function readNumbers(model: OnnxModel, tensor: TensorProto | undefined): ArrayLike<number> {
  if (tensor === undefined) return [];
  const read = readTensorData(model, tensor);
  if (!read.ok) throw new ProblemError(read.error);
  if (tensor.dataType === DATA_TYPE.float16)
    return Float32Array.from(read.value as Uint16Array, decodeFloat16);
  return read.value as ArrayLike<number>;
}

export function readFloats(model: OnnxModel, tensor: TensorProto): Float32Array {
  const read = readAsFloat32(model, tensor);
  if (!read.ok) throw new ProblemError(read.error);
  return read.value;
}

/**
 * Codes with their scales and zero points, as DequantizeLinear reads them.
 * Source: ONNX DequantizeLinear 21, blocks included.
 */
export function codedConstant(
  model: OnnxModel,
  tensor: TensorProto,
  scales: Float32Array,
  zeroPoints: ArrayLike<number>,
  { axis, blockSize }: ScaleLayout,
): CodedConstant {
  const { dims } = tensor;
  const codes = () => readNumbers(model, tensor);
  const along = scales.length > 1 || blockSize > 0 ? (axis ?? 1) : undefined;
  return {
    dims,
    codes,
    range: codeRange(tensor.dataType),
    scales,
    axis: along,
    values: () => {
      const read = codes();
      const values = new Float32Array(read.length);
      const { channels, inner } = channelLayout(dims, along ?? 0);
      for (let i = 0; i < values.length; i++) {
        const place = along === undefined ? 0 : scaleIndex(i, channels, inner, blockSize);
        const zeroPoint = zeroPoints[zeroPoints.length > 1 ? place : 0] ?? 0;
        values[i] = ((read[i] as number) - zeroPoint) * (scales[place] as number);
      }
      return values;
    },
  };
}

function scaleIndex(element: number, channels: number, inner: number, blockSize: number): number {
  const channel = Math.floor(element / inner) % channels;
  if (blockSize === 0) return channel;
  const blocks = Math.ceil(channels / blockSize);
  const outer = Math.floor(element / (inner * channels));
  return (outer * blocks + Math.floor(channel / blockSize)) * inner + (element % inner);
}

/** The weights of a MatMulNBits as the K×N matrix that it stands for. Source: com.microsoft MatMulNBits 1, ONNX Runtime 1.30. */
export function nbitsConstant(
  model: OnnxModel,
  tensors: {
    readonly codes: TensorProto;
    readonly scales: TensorProto;
    readonly zeroPoints: TensorProto | undefined;
  },
  shape: { readonly k: number; readonly n: number; readonly bits: number; readonly blockSize: number },
): CodedConstant {
  const { k, n, bits, blockSize } = shape;
  const blocks = Math.ceil(k / blockSize);
  const scales = readFloats(model, tensors.scales);
  const rowBytes = Math.ceil((blocks * bits) / 8);
  const packedZeros = tensors.zeroPoints === undefined ? undefined : readNumbers(model, tensors.zeroPoints);
  const codeAt = (bytes: ArrayLike<number>, at: number) =>
    bits === 8 ? (bytes[at] as number) : ((bytes[at >> 1] as number) >> ((at & 1) * 4)) & 15;
  const zeroPointOf = (column: number, block: number) =>
    packedZeros === undefined ? 2 ** (bits - 1) : codeAt(packedZeros, (column * rowBytes * 8) / bits + block);
  const codes = () => {
    const packed = readNumbers(model, tensors.codes);
    const unpacked = new Uint8Array(k * n);
    for (let column = 0; column < n; column++) {
      for (let row = 0; row < k; row++) {
        unpacked[row * n + column] = codeAt(packed, column * blocks * blockSize + row);
      }
    }
    return unpacked;
  };
  return {
    dims: [k, n],
    codes,
    range: { min: 0, max: 2 ** bits - 1 },
    scales,
    axis: 0,
    values: () => {
      const read = codes();
      const values = new Float32Array(k * n);
      for (let row = 0; row < k; row++) {
        const block = Math.floor(row / blockSize);
        for (let column = 0; column < n; column++) {
          const at = row * n + column;
          const scale = scales[column * blocks + block] as number;
          values[at] = ((read[at] as number) - zeroPointOf(column, block)) * scale;
        }
      }
      return values;
    },
  };
}
