/**
 * The ONNX file format as plain data: one interface a protobuf message, field names in camel case.
 * A field that the file does not carry is `undefined`, an absent list is empty. Fields that this schema does not
 * know are kept as their wire bytes in `unknown` and written back.
 * Source: onnx/onnx.proto of ONNX 1.23 (IR version 13 and the fields of older versions).
 */

/** Bytes that a message carries: in memory, or still in the file they were read from. */
export type Payload =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly file: SourceFile; readonly offset: number; readonly sizeBytes: number };

/** The file that lazy payloads point into, with what tells that it has not changed since it was read. */
export interface SourceFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** A file that was replaced within one tick of the clock and kept its size still has another inode. */
  readonly inode: number;
}

interface Message {
  /** Wire bytes (tags included) of fields that the schema does not know, in file order. */
  unknown?: Uint8Array | undefined;
}

export interface StringStringEntryProto extends Message {
  key?: string | undefined;
  value?: string | undefined;
}

export interface OperatorSetIdProto extends Message {
  domain?: string | undefined;
  version?: number | undefined;
}

export interface ModelProto extends Message {
  irVersion?: number | undefined;
  producerName?: string | undefined;
  producerVersion?: string | undefined;
  domain?: string | undefined;
  modelVersion?: bigint | undefined;
  docString?: string | undefined;
  graph?: GraphProto | undefined;
  opsetImport: OperatorSetIdProto[];
  metadataProps: StringStringEntryProto[];
  /** Kept as wire bytes, one a message: training is out of scope. */
  trainingInfo: Uint8Array[];
  functions: FunctionProto[];
  /** Kept as wire bytes, one a message. */
  configuration: Uint8Array[];
}

export interface GraphProto extends Message {
  node: NodeProto[];
  name?: string | undefined;
  initializer: TensorProto[];
  sparseInitializer: SparseTensorProto[];
  docString?: string | undefined;
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  valueInfo: ValueInfoProto[];
  quantizationAnnotation: TensorAnnotation[];
  metadataProps: StringStringEntryProto[];
}

export interface TensorAnnotation extends Message {
  tensorName?: string | undefined;
  quantParameterTensorNames: StringStringEntryProto[];
}

export interface FunctionProto extends Message {
  name?: string | undefined;
  input: string[];
  output: string[];
  attribute: string[];
  attributeProto: AttributeProto[];
  node: NodeProto[];
  docString?: string | undefined;
  opsetImport: OperatorSetIdProto[];
  domain?: string | undefined;
  overload?: string | undefined;
  valueInfo: ValueInfoProto[];
  metadataProps: StringStringEntryProto[];
}

export interface NodeProto extends Message {
  input: string[];
  output: string[];
  name?: string | undefined;
  opType?: string | undefined;
  domain?: string | undefined;
  overload?: string | undefined;
  attribute: AttributeProto[];
  docString?: string | undefined;
  metadataProps: StringStringEntryProto[];
  /** Kept as wire bytes, one a message. */
  deviceConfigurations: Uint8Array[];
}

/** AttributeProto.AttributeType. */
export const ATTRIBUTE_TYPE = {
  undefined: 0,
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparseTensor: 11,
  sparseTensors: 12,
  typeProto: 13,
  typeProtos: 14,
} as const;

export interface AttributeProto extends Message {
  name?: string | undefined;
  refAttrName?: string | undefined;
  docString?: string | undefined;
  /** A value of ATTRIBUTE_TYPE. */
  type?: number | undefined;
  f?: number | undefined;
  i?: bigint | undefined;
  s?: Uint8Array | undefined;
  t?: TensorProto | undefined;
  g?: GraphProto | undefined;
  sparseTensor?: SparseTensorProto | undefined;
  tp?: TypeProto | undefined;
  floats: number[];
  ints: bigint[];
  strings: Uint8Array[];
  tensors: TensorProto[];
  graphs: GraphProto[];
  sparseTensors: SparseTensorProto[];
  typeProtos: TypeProto[];
}

/** TensorProto.DataType. */
export const DATA_TYPE = {
  undefined: 0,
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
} as const;

export const DATA_LOCATION = { default: 0, external: 1 } as const;

/**
 * The typed data fields hold the *packed* wire bytes of the repeated field: for `floatData` and `doubleData` that is
 * the little-endian array itself, for the integer fields a run of varints. `onnx/tensor-data.ts` reads all of them.
 */
export interface TensorProto extends Message {
  dims: number[];
  /** A value of DATA_TYPE. */
  dataType?: number | undefined;
  /** Kept as wire bytes. */
  segment?: Uint8Array | undefined;
  floatData?: Payload | undefined;
  int32Data?: Payload | undefined;
  stringData: Uint8Array[];
  int64Data?: Payload | undefined;
  name?: string | undefined;
  docString?: string | undefined;
  rawData?: Payload | undefined;
  externalData: StringStringEntryProto[];
  /** A value of DATA_LOCATION. */
  dataLocation?: number | undefined;
  doubleData?: Payload | undefined;
  uint64Data?: Payload | undefined;
  metadataProps: StringStringEntryProto[];
}

export interface SparseTensorProto extends Message {
  values?: TensorProto | undefined;
  indices?: TensorProto | undefined;
  dims: number[];
}

export interface ValueInfoProto extends Message {
  name?: string | undefined;
  type?: TypeProto | undefined;
  docString?: string | undefined;
  metadataProps: StringStringEntryProto[];
}

/** Exactly one of the kinds is set in a valid file. */
export interface TypeProto extends Message {
  tensorType?: TensorTypeProto | undefined;
  sequenceType?: ElementTypeProto | undefined;
  mapType?: MapTypeProto | undefined;
  optionalType?: ElementTypeProto | undefined;
  sparseTensorType?: TensorTypeProto | undefined;
  /** Kept as wire bytes. */
  opaqueType?: Uint8Array | undefined;
  denotation?: string | undefined;
}

export interface TensorTypeProto extends Message {
  elemType?: number | undefined;
  shape?: TensorShapeProto | undefined;
}

export interface ElementTypeProto extends Message {
  elemType?: TypeProto | undefined;
}

export interface MapTypeProto extends Message {
  keyType?: number | undefined;
  valueType?: TypeProto | undefined;
}

export interface TensorShapeProto extends Message {
  dim: DimensionProto[];
}

export interface DimensionProto extends Message {
  dimValue?: number | undefined;
  dimParam?: string | undefined;
  denotation?: string | undefined;
}
