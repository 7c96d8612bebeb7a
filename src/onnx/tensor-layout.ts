import { DATA_TYPE, type TensorProto } from './messages.ts';

/** The field of a TensorProto that holds values of a type when they are not raw. */
type TypedField = 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data';

/** How the elements of a data type are stored. */
export interface TensorLayout {
  /** The name in ONNX's own words, such as `float32` or `uint4`. */
  readonly name: string;
  readonly bitsPerElement: number;
  readonly typedField: TypedField;
}

const T = DATA_TYPE;

// Source: the comments on TensorProto's data fields in onnx/onnx.proto.
const LAYOUTS: ReadonlyMap<number, TensorLayout> = new Map([
  [T.float, { name: 'float32', bitsPerElement: 32, typedField: 'floatData' }],
  [T.uint8, { name: 'uint8', bitsPerElement: 8, typedField: 'int32Data' }],
  [T.int8, { name: 'int8', bitsPerElement: 8, typedField: 'int32Data' }],
  [T.uint16, { name: 'uint16', bitsPerElement: 16, typedField: 'int32Data' }],
  [T.int16, { name: 'int16', bitsPerElement: 16, typedField: 'int32Data' }],
  [T.int32, { name: 'int32', bitsPerElement: 32, typedField: 'int32Data' }],
  [T.int64, { name: 'int64', bitsPerElement: 64, typedField: 'int64Data' }],
  [T.bool, { name: 'bool', bitsPerElement: 8, typedField: 'int32Data' }],
  [T.float16, { name: 'float16', bitsPerElement: 16, typedField: 'int32Data' }],
  [T.double, { name: 'float64', bitsPerElement: 64, typedField: 'doubleData' }],
  [T.uint32, { name: 'uint32', bitsPerElement: 32, typedField: 'uint64Data' }],
  [T.uint64, { name: 'uint64', bitsPerElement: 64, typedField: 'uint64Data' }],
  [T.complex64, { name: 'complex64', bitsPerElement: 64, typedField: 'floatData' }],
  [T.complex128, { name: 'complex128', bitsPerElement: 128, typedField: 'doubleData' }],
  [T.bfloat16, { name: 'bfloat16', bitsPerElement: 16, typedField: 'int32Data' }],
  [T.float8e4m3fn, { name: 'float8e4m3fn', bitsPerElement: 8, typedField: 'int32Data' }],
  [T.float8e4m3fnuz, { name: 'float8e4m3fnuz', bitsPerElement: 8, typedField: 'int32Data' }],
  [T.float8e5m2, { name: 'float8e5m2', bitsPerElement: 8, typedField: 'int32Data' }],
  [T.float8e5m2fnuz, { name: 'float8e5m2fnuz', bitsPerElement: 8, typedField: 'int32Data' }],
  [T.uint4, { name: 'uint4', bitsPerElement: 4, typedField: 'int32Data' }],
  [T.int4, { name: 'int4', bitsPerElement: 4, typedField: 'int32Data' }],
  [T.float4e2m1, { name: 'float4e2m1', bitsPerElement: 4, typedField: 'int32Data' }],
  [T.float8e8m0, { name: 'float8e8m0', bitsPerElement: 8, typedField: 'int32Data' }],
  [T.uint2, { name: 'uint2', bitsPerElement: 2, typedField: 'int32Data' }],
  [T.int2, { name: 'int2', bitsPerElement: 2, typedField: 'int32Data' }],
]);

/** Undefined for strings, whose elements have no fixed size, and for types that this version does not know. */
export function tensorLayout(dataType: number | undefined): TensorLayout | undefined {
  return LAYOUTS.get(dataType ?? DATA_TYPE.undefined);
}

/** `float32`, `int64`, `string`, …; `type 99` for a type that this version does not know. */
export function dataTypeName(dataType: number | undefined): string {
  if (dataType === DATA_TYPE.string) return 'string';
  return tensorLayout(dataType)?.name ?? (dataType ? `type ${dataType}` : 'undefined');
}

/** Number of elements, 1 for a scalar. Undefined when a dimension is negative or the product is no exact number. */
export function tensorElementCount(tensor: TensorProto): number | undefined {
  const count = tensor.dims.reduce((product, dim) => product * (dim < 0 ? Number.NaN : dim), 1);
  return Number.isSafeInteger(count) ? count : undefined;
}

/** Size of the raw data of `count` elements; elements of less than a byte are packed. */
export function rawSizeBytes(layout: TensorLayout, count: number): number {
  return Math.ceil((count * layout.bitsPerElement) / 8);
}

/** Size that the shape and type of a tensor ask for, where both are known. */
export function expectedSizeBytes(tensor: TensorProto): number | undefined {
  const layout = tensorLayout(tensor.dataType);
  const count = tensorElementCount(tensor);
  return layout === undefined || count === undefined ? undefined : rawSizeBytes(layout, count);
}
