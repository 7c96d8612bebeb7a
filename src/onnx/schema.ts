import { type MessageSchema, message } from './message-schema.ts';
import type {
  AttributeProto,
  DimensionProto,
  ElementTypeProto,
  FunctionProto,
  GraphProto,
  MapTypeProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  SparseTensorProto,
  StringStringEntryProto,
  TensorAnnotation,
  TensorProto,
  TensorShapeProto,
  TensorTypeProto,
  TypeProto,
  ValueInfoProto,
} from './messages.ts';

// Field numbers and types are those of onnx/onnx.proto of ONNX 1.23.

const entrySchema: MessageSchema = message<StringStringEntryProto>('StringStringEntryProto', {
  key: [1, 'string'],
  value: [2, 'string'],
});

const operatorSetSchema: MessageSchema = message<OperatorSetIdProto>('OperatorSetIdProto', {
  domain: [1, 'string'],
  version: [2, 'int64'],
});

const dimensionSchema: MessageSchema = message<DimensionProto>(
  'TensorShapeProto.Dimension',
  { dimValue: [1, 'int64'], dimParam: [2, 'string'], denotation: [3, 'string'] },
  ['dimValue', 'dimParam'],
);

const shapeSchema: MessageSchema = message<TensorShapeProto>('TensorShapeProto', {
  dim: [1, () => dimensionSchema, 'repeated'],
});

const tensorTypeSchema: MessageSchema = message<TensorTypeProto>('TypeProto.Tensor', {
  elemType: [1, 'int32'],
  shape: [2, () => shapeSchema],
});

const elementTypeSchema: MessageSchema = message<ElementTypeProto>('TypeProto.Sequence', {
  elemType: [1, () => typeSchema],
});

const mapTypeSchema: MessageSchema = message<MapTypeProto>('TypeProto.Map', {
  keyType: [1, 'int32'],
  valueType: [2, () => typeSchema],
});

const typeSchema: MessageSchema = message<TypeProto>(
  'TypeProto',
  {
    tensorType: [1, () => tensorTypeSchema],
    sequenceType: [4, () => elementTypeSchema],
    mapType: [5, () => mapTypeSchema],
    denotation: [6, 'string'],
    opaqueType: [7, 'wire'],
    sparseTensorType: [8, () => tensorTypeSchema],
    optionalType: [9, () => elementTypeSchema],
  },
  ['tensorType', 'sequenceType', 'mapType', 'opaqueType', 'sparseTensorType', 'optionalType'],
);

const valueInfoSchema: MessageSchema = message<ValueInfoProto>('ValueInfoProto', {
  name: [1, 'string'],
  type: [2, () => typeSchema],
  docString: [3, 'string'],
  metadataProps: [4, () => entrySchema, 'repeated'],
});

export const tensorSchema: MessageSchema = message<TensorProto>('TensorProto', {
  dims: [1, 'int64', 'repeated'],
  dataType: [2, 'int32'],
  segment: [3, 'wire'],
  floatData: [4, 'payload-fixed32'],
  int32Data: [5, 'payload-varint'],
  stringData: [6, 'bytes', 'repeated'],
  int64Data: [7, 'payload-varint'],
  name: [8, 'string'],
  rawData: [9, 'payload'],
  doubleData: [10, 'payload-fixed64'],
  uint64Data: [11, 'payload-varint'],
  docString: [12, 'string'],
  externalData: [13, () => entrySchema, 'repeated'],
  dataLocation: [14, 'int32'],
  metadataProps: [16, () => entrySchema, 'repeated'],
});

const sparseTensorSchema: MessageSchema = message<SparseTensorProto>('SparseTensorProto', {
  values: [1, () => tensorSchema],
  indices: [2, () => tensorSchema],
  dims: [3, 'int64', 'repeated'],
});

const attributeSchema: MessageSchema = message<AttributeProto>('AttributeProto', {
  name: [1, 'string'],
  f: [2, 'float'],
  i: [3, 'bigint'],
  s: [4, 'bytes'],
  t: [5, () => tensorSchema],
  g: [6, () => graphSchema],
  floats: [7, 'float', 'repeated'],
  ints: [8, 'bigint', 'repeated'],
  strings: [9, 'bytes', 'repeated'],
  tensors: [10, () => tensorSchema, 'repeated'],
  graphs: [11, () => graphSchema, 'repeated'],
  docString: [13, 'string'],
  tp: [14, () => typeSchema],
  typeProtos: [15, () => typeSchema, 'repeated'],
  type: [20, 'int32'],
  refAttrName: [21, 'string'],
  sparseTensor: [22, () => sparseTensorSchema],
  sparseTensors: [23, () => sparseTensorSchema, 'repeated'],
});

const nodeSchema: MessageSchema = message<NodeProto>('NodeProto', {
  input: [1, 'string', 'repeated'],
  output: [2, 'string', 'repeated'],
  name: [3, 'string'],
  opType: [4, 'string'],
  attribute: [5, () => attributeSchema, 'repeated'],
  docString: [6, 'string'],
  domain: [7, 'string'],
  overload: [8, 'string'],
  metadataProps: [9, () => entrySchema, 'repeated'],
  deviceConfigurations: [10, 'wire', 'repeated'],
});

const annotationSchema: MessageSchema = message<TensorAnnotation>('TensorAnnotation', {
  tensorName: [1, 'string'],
  quantParameterTensorNames: [2, () => entrySchema, 'repeated'],
});

const graphSchema: MessageSchema = message<GraphProto>('GraphProto', {
  node: [1, () => nodeSchema, 'repeated'],
  name: [2, 'string'],
  initializer: [5, () => tensorSchema, 'repeated'],
  docString: [10, 'string'],
  input: [11, () => valueInfoSchema, 'repeated'],
  output: [12, () => valueInfoSchema, 'repeated'],
  valueInfo: [13, () => valueInfoSchema, 'repeated'],
  quantizationAnnotation: [14, () => annotationSchema, 'repeated'],
  sparseInitializer: [15, () => sparseTensorSchema, 'repeated'],
  metadataProps: [16, () => entrySchema, 'repeated'],
});

const functionSchema: MessageSchema = message<FunctionProto>('FunctionProto', {
  name: [1, 'string'],
  input: [4, 'string', 'repeated'],
  output: [5, 'string', 'repeated'],
  attribute: [6, 'string', 'repeated'],
  node: [7, () => nodeSchema, 'repeated'],
  docString: [8, 'string'],
  opsetImport: [9, () => operatorSetSchema, 'repeated'],
  domain: [10, 'string'],
  attributeProto: [11, () => attributeSchema, 'repeated'],
  valueInfo: [12, () => valueInfoSchema, 'repeated'],
  overload: [13, 'string'],
  metadataProps: [14, () => entrySchema, 'repeated'],
});

export const modelSchema: MessageSchema = message<ModelProto>('ModelProto', {
  irVersion: [1, 'int64'],
  producerName: [2, 'string'],
  producerVersion: [3, 'string'],
  domain: [4, 'string'],
  modelVersion: [5, 'bigint'],
  docString: [6, 'string'],
  graph: [7, () => graphSchema],
  opsetImport: [8, () => operatorSetSchema, 'repeated'],
  metadataProps: [14, () => entrySchema, 'repeated'],
  trainingInfo: [20, 'wire', 'repeated'],
  functions: [25, () => functionSchema, 'repeated'],
  configuration: [26, 'wire', 'repeated'],
});
