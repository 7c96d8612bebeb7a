import { encodeFloat16 } from '../../src/core/float16.ts';
import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  DATA_TYPE,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type TypeProto,
  type ValueInfoProto,
} from '../../src/onnx/messages.ts';
import type { OnnxModel } from '../../src/onnx/model-file.ts';

type DataTypeName = Exclude<keyof typeof DATA_TYPE, 'undefined'>;

/** A float attribute: a plain number in `attributes` is an integer. */
export function float(value: number): { readonly float: number } {
  return { float: value };
}

export function floats(...values: number[]): { readonly floats: readonly number[] } {
  return { floats: values };
}

type AttributeValue =
  | number
  | readonly number[]
  | string
  | TensorProto
  | GraphProto
  | { readonly float: number }
  | { readonly floats: readonly number[] };

/** `node('Conv', ['x', 'w'], ['y'], { strides: [2, 2] })`. Its name is `name`, or the first output followed by `_node`. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  more: { readonly name?: string; readonly domain?: string } = {},
): NodeProto {
  return {
    opType,
    name: more.name ?? `${output[0]}_node`,
    input: [...input],
    output: [...output],
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    metadataProps: [],
    deviceConfigurations: [],
    ...(more.domain === undefined ? {} : { domain: more.domain }),
  };
}

/** A tensor of an input or output; a string in `dims` is a named dimension. Without `dims` the rank is unknown. */
export function value(
  name: string,
  type: DataTypeName = 'float',
  dims?: readonly (number | string)[],
): ValueInfoProto {
  const shape = dims && {
    dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })),
  };
  const tensorType: TypeProto['tensorType'] = { elemType: DATA_TYPE[type], ...(shape && { shape }) };
  return { name, type: { tensorType }, metadataProps: [] };
}

/** A constant. `data` are plain numbers, stored as `type`. */
export function tensor(
  name: string,
  dims: readonly number[],
  data: readonly number[],
  type: 'float' | 'double' | 'float16' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool' = 'float',
): TensorProto {
  return {
    name,
    dims: [...dims],
    dataType: DATA_TYPE[type],
    rawData: { kind: 'memory', bytes: toBytes(data, type) },
    stringData: [],
    externalData: [],
    metadataProps: [],
  };
}

/** A graph or body. Nodes must be in topological order, as in a file. */
export function graph(parts: {
  readonly inputs?: readonly ValueInfoProto[];
  readonly nodes: readonly NodeProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly initializers?: readonly TensorProto[];
  readonly valueInfo?: readonly ValueInfoProto[];
  readonly name?: string;
}): GraphProto {
  return {
    name: parts.name ?? 'g',
    node: [...parts.nodes],
    input: [...(parts.inputs ?? [])],
    output: [...parts.outputs],
    initializer: [...(parts.initializers ?? [])],
    valueInfo: [...(parts.valueInfo ?? [])],
    sparseInitializer: [],
    quantizationAnnotation: [],
    metadataProps: [],
  };
}

/** A model in memory. `opset` defaults to 13, `irVersion` to 8. */
export function model(
  body: GraphProto,
  more: {
    readonly opset?: number;
    readonly irVersion?: number;
    /** Versions of further domains. */
    readonly imports?: Readonly<Record<string, number>>;
  } = {},
): OnnxModel {
  const imports = Object.entries(more.imports ?? {}).map(([domain, version]) => ({ domain, version }));
  const proto: ModelProto = {
    irVersion: more.irVersion ?? 8,
    producerName: 'graph-builder',
    graph: body,
    opsetImport: [{ domain: '', version: more.opset ?? 13 }, ...imports],
    metadataProps: [],
    trainingInfo: [],
    functions: [],
    configuration: [],
  };
  return { path: undefined, proto };
}

function attribute(name: string, given: AttributeValue): AttributeProto {
  const base: AttributeProto = {
    name,
    floats: [],
    ints: [],
    strings: [],
    tensors: [],
    graphs: [],
    sparseTensors: [],
    typeProtos: [],
  };
  if (typeof given === 'number') return { ...base, type: ATTRIBUTE_TYPE.int, i: integer(name, given) };
  if (typeof given === 'string') {
    return { ...base, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(given) };
  }
  if (isList(given)) {
    return { ...base, type: ATTRIBUTE_TYPE.ints, ints: given.map((entry) => integer(name, entry)) };
  }
  if ('float' in given) return { ...base, type: ATTRIBUTE_TYPE.float, f: given.float };
  if ('dims' in given) return { ...base, type: ATTRIBUTE_TYPE.tensor, t: given };
  if ('node' in given) return { ...base, type: ATTRIBUTE_TYPE.graph, g: given };
  return { ...base, type: ATTRIBUTE_TYPE.floats, floats: [...given.floats] };
}

function isList(given: AttributeValue): given is readonly number[] {
  return Array.isArray(given);
}

function integer(name: string, given: number): bigint {
  if (!Number.isInteger(given)) throw new TypeError(`Attribute ${name}: write float(${given}) for a float.`);
  return BigInt(given);
}

function toBytes(data: readonly number[], type: string): Uint8Array {
  const view = typedArray(data, type);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function typedArray(data: readonly number[], type: string) {
  switch (type) {
    case 'double':
      return Float64Array.from(data);
    case 'float16':
      return Uint16Array.from(data, encodeFloat16);
    case 'int64':
      return BigInt64Array.from(data, BigInt);
    case 'int32':
      return Int32Array.from(data);
    case 'int8':
      return Int8Array.from(data);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(data);
    default:
      return Float32Array.from(data);
  }
}
