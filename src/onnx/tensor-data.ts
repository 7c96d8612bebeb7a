import { endianness } from 'node:os';
import { decodeFloat16 } from '../core/float16.ts';
import { attempt, type Problem, ProblemError, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { NumericArray } from '../core/tensor.ts';
import { bfloat16ToFloat32 } from './bfloat16.ts';
import { payloadBytes, payloadSizeBytes } from './byte-source.ts';
import { type ExternalDataProblemKind, isExternal, resolveExternalData } from './external-data.ts';
import { DATA_TYPE, type Payload, type TensorProto } from './messages.ts';
import type { OnnxModel } from './model-file.ts';
import {
  dataTypeName,
  rawSizeBytes,
  type TensorLayout,
  tensorElementCount,
  tensorLayout,
} from './tensor-layout.ts';
import { unpackBits } from './unpack-bits.ts';
import { countVarints, varintsToBytes } from './varints-to-bytes.ts';
import { decodeText } from './wire-text.ts';

export type TensorDataProblemKind =
  | ExternalDataProblemKind
  | 'tensor-shape-invalid'
  | 'tensor-size-mismatch'
  | 'tensor-type-unsupported';

/**
 * The values of a tensor in row-major order, wherever the model keeps them, in an array of the caller's own:
 * - float32, float64 and the integers of 8 bits and more: the typed array of that name; bool: Uint8Array of 0 and 1;
 * - float16 and bfloat16: their bits in a Uint16Array; the 8-bit floats: their bits in a Uint8Array;
 * - int4 and int2: Int8Array, uint4 and uint2: Uint8Array, one element each; float4e2m1: bits in a Uint8Array;
 * - complex64 and complex128: Float32Array or Float64Array with real and imaginary parts in turn;
 * - string: an array of strings.
 */
export function readTensorData(
  model: OnnxModel,
  tensor: TensorProto,
): Result<NumericArray | readonly string[], Problem<TensorDataProblemKind>> {
  return attempt(() => {
    if (tensor.dataType === DATA_TYPE.string) return readStrings(tensor);
    return typedArray(tensor.dataType, tensorElements(tensor), rawBytes(model, tensor, true));
  });
}

/** The values of a float32, float16, bfloat16 or float64 tensor as float32; float64 is rounded to the nearest. */
export function readAsFloat32(
  model: OnnxModel,
  tensor: TensorProto,
): Result<Float32Array, Problem<TensorDataProblemKind>> {
  return attempt(() => {
    if (!FLOAT_TYPES.has(tensor.dataType ?? 0)) throw unsupported(tensor, 'a floating-point type');
    const values = typedArray(tensor.dataType, tensorElements(tensor), rawBytes(model, tensor, true));
    if (values instanceof Float32Array) return values;
    if (values instanceof Float64Array) return new Float32Array(values);
    return tensor.dataType === DATA_TYPE.float16
      ? Float32Array.from(values as Uint16Array, decodeFloat16)
      : bfloat16ToFloat32(values as Uint16Array);
  });
}

/**
 * The values of a tensor as ONNX's `raw_data`: little-endian, packed, `tensor-layout.ts` gives the size. They are not
 * copied when they are in memory in that form already. Not for strings.
 */
export function readRawBytes(
  model: OnnxModel,
  tensor: TensorProto,
): Result<Uint8Array, Problem<TensorDataProblemKind>> {
  return attempt(() => rawBytes(model, tensor, false));
}

const FLOAT_TYPES: ReadonlySet<number> = new Set([
  DATA_TYPE.float,
  DATA_TYPE.float16,
  DATA_TYPE.bfloat16,
  DATA_TYPE.double,
]);

/**
 * A tensor with `data` in its raw data. The element type is that of the array; a `dataType` says what the bits of the
 * array are instead, such as float16 in a Uint16Array, bool in a Uint8Array or int4 packed in pairs in a Uint8Array.
 * Throws when `data` is not as large as `dims` and the type ask for, which is a fault of the caller.
 */
export function tensorFrom(
  name: string,
  dims: readonly number[],
  data: NumericArray,
  dataType: number = dataTypeOf(data),
): TensorProto {
  const tensor: TensorProto = {
    name,
    dims: [...dims],
    dataType,
    stringData: [],
    externalData: [],
    metadataProps: [],
  };
  const layout = tensorLayout(dataType);
  const count = tensorElementCount(tensor);
  const wanted = layout === undefined || count === undefined ? undefined : rawSizeBytes(layout, count);
  if (wanted !== data.byteLength) {
    throw new RangeError(
      `Expected ${wanted} bytes for ${dataTypeName(dataType)}[${dims}] but found ${data.byteLength} for tensor ${name}`,
    );
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  swapOnBigEndian(bytes, data.BYTES_PER_ELEMENT);
  return { ...tensor, rawData: { kind: 'memory', bytes } };
}

function dataTypeOf(data: NumericArray): number {
  if (data instanceof Float32Array) return DATA_TYPE.float;
  if (data instanceof Float64Array) return DATA_TYPE.double;
  if (data instanceof Int8Array) return DATA_TYPE.int8;
  if (data instanceof Uint8Array) return DATA_TYPE.uint8;
  if (data instanceof Int16Array) return DATA_TYPE.int16;
  if (data instanceof Uint16Array) return DATA_TYPE.uint16;
  if (data instanceof Int32Array) return DATA_TYPE.int32;
  if (data instanceof Uint32Array) return DATA_TYPE.uint32;
  return data instanceof BigInt64Array ? DATA_TYPE.int64 : DATA_TYPE.uint64;
}

/**
 * The raw bytes of a tensor, of exactly the size that its shape and type ask for. The size is compared before bytes
 * are read or memory is taken, so that a false shape costs nothing. `own` asks for bytes that belong to nobody else.
 */
function rawBytes(model: OnnxModel, tensor: TensorProto, own: boolean): Uint8Array {
  const layout = tensorLayout(tensor.dataType);
  if (layout === undefined) throw unsupported(tensor, 'a type with elements of a fixed size');
  const sizeBytes = rawSizeBytes(layout, tensorElements(tensor));
  const payload = storedPayload(model, tensor, layout);
  if (payload === undefined) {
    if (sizeBytes > 0) throw sizeMismatch(tensor, sizeBytes, 0);
    return new Uint8Array(0);
  }
  const isPackedVarints = payload === tensor[layout.typedField] && !FIXED_WIDTH_FIELDS.has(layout.typedField);
  if (isPackedVarints) return bytesOfVarints(tensor, payloadBytes(payload), layout, sizeBytes);
  const found = payloadSizeBytes(payload);
  if (found !== sizeBytes) throw sizeMismatch(tensor, sizeBytes, found);
  return own && payload.kind === 'memory' ? payload.bytes.slice() : payloadBytes(payload);
}

const FIXED_WIDTH_FIELDS: ReadonlySet<string> = new Set(['floatData', 'doubleData']);

function storedPayload(model: OnnxModel, tensor: TensorProto, layout: TensorLayout): Payload | undefined {
  if (!isExternal(tensor)) return tensor.rawData ?? tensor[layout.typedField];
  const external = resolveExternalData(model, tensor);
  if (!external.ok) throw new ProblemError(external.error);
  return external.value;
}

function bytesOfVarints(
  tensor: TensorProto,
  varints: Uint8Array,
  layout: TensorLayout,
  sizeBytes: number,
): Uint8Array {
  const width = Math.max(1, layout.bitsPerElement / 8);
  const found = countVarints(varints) * width;
  if (found !== sizeBytes) throw sizeMismatch(tensor, sizeBytes, found);
  return varintsToBytes(varints, width);
}

/** Lays a typed array over raw bytes that belong to the caller. */
function typedArray(dataType: number | undefined, count: number, raw: Uint8Array): NumericArray {
  const bits = tensorLayout(dataType)?.bitsPerElement ?? 8;
  if (bits < 8) return unpackBits(raw, count, bits, SIGNED_SUB_BYTE_TYPES.has(dataType ?? 0));
  const make = ARRAYS.get(dataType ?? 0) ?? Uint8Array;
  swapOnBigEndian(raw, make.BYTES_PER_ELEMENT);
  // Only a view at an odd place needs the copy: other bytes fill their buffer from its start.
  const aligned = raw.byteOffset % make.BYTES_PER_ELEMENT === 0 ? raw : raw.slice();
  return new make(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / make.BYTES_PER_ELEMENT,
  );
}

const SIGNED_SUB_BYTE_TYPES: ReadonlySet<number> = new Set([DATA_TYPE.int4, DATA_TYPE.int2]);

/** Types whose values are wider than a byte or signed; all others are bits in a Uint8Array. */
const ARRAYS = new Map<number, NumericArrayConstructor>([
  [DATA_TYPE.float, Float32Array],
  [DATA_TYPE.double, Float64Array],
  [DATA_TYPE.complex64, Float32Array],
  [DATA_TYPE.complex128, Float64Array],
  [DATA_TYPE.float16, Uint16Array],
  [DATA_TYPE.bfloat16, Uint16Array],
  [DATA_TYPE.int8, Int8Array],
  [DATA_TYPE.int16, Int16Array],
  [DATA_TYPE.uint16, Uint16Array],
  [DATA_TYPE.int32, Int32Array],
  [DATA_TYPE.uint32, Uint32Array],
  [DATA_TYPE.int64, BigInt64Array],
  [DATA_TYPE.uint64, BigUint64Array],
]);

interface NumericArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): NumericArray;
}

/** Files are little-endian, typed arrays have the order of the host. */
function swapOnBigEndian(bytes: Uint8Array, width: number): void {
  if (endianness() === 'LE' || width === 1) return;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else buffer.swap64();
}

function readStrings(tensor: TensorProto): readonly string[] {
  const count = tensorElements(tensor);
  if (tensor.stringData.length !== count) {
    throw new ProblemError(
      problem(
        'tensor-size-mismatch',
        `Tensor ${label(tensor)} has ${tensor.stringData.length} strings, its shape asks for ${count}.`,
        { place: { tensor: tensor.name ?? '' }, hint: DAMAGED },
      ),
    );
  }
  return tensor.stringData.map(decodeText);
}

function tensorElements(tensor: TensorProto): number {
  const count = tensorElementCount(tensor);
  if (count !== undefined) return count;
  throw new ProblemError(
    problem('tensor-shape-invalid', `The shape of tensor ${label(tensor)} is impossible.`, {
      place: { tensor: tensor.name ?? '' },
      hint: DAMAGED,
    }),
  );
}

const DAMAGED = 'The model is damaged: export or download it again.';

function sizeMismatch(
  tensor: TensorProto,
  expected: number,
  found: number,
): ProblemError<'tensor-size-mismatch'> {
  return new ProblemError(
    problem(
      'tensor-size-mismatch',
      `Tensor ${label(tensor)} has ${found} bytes of data, its shape and type ask for ${expected}.`,
      { place: { tensor: tensor.name ?? '' }, hint: DAMAGED },
    ),
  );
}

function unsupported(tensor: TensorProto, expected: string): ProblemError<'tensor-type-unsupported'> {
  return new ProblemError(
    problem('tensor-type-unsupported', `Expected ${expected} but found tensor ${label(tensor)}.`, {
      place: { tensor: tensor.name ?? '' },
      hint: 'Leave this tensor as it is, or convert it in the exporter.',
    }),
  );
}

/** `conv1.weight (float32[64,3,7,7])`. */
function label(tensor: TensorProto): string {
  return `${tensor.name || '(unnamed)'} (${dataTypeName(tensor.dataType)}[${tensor.dims}])`;
}
