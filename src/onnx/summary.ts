import { isExternal } from './external-data.ts';
import { isDefaultDomain } from './make-node.ts';
import type {
  DimensionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TypeProto,
  ValueInfoProto,
} from './messages.ts';
import type { OnnxModel } from './model-file.ts';
import { subgraphsOf } from './subgraphs.ts';
import { dataTypeName, expectedSizeBytes, tensorElementCount } from './tensor-layout.ts';
import { walkGraphs, walkTensors } from './traversal.ts';

/** What a model is, as plain JSON-ready data. */
export interface ModelSummary {
  readonly path: string | undefined;
  readonly irVersion: number | undefined;
  readonly producer: { readonly name: string; readonly version: string };
  readonly graphName: string;
  /** Version by operator domain; ONNX's own is `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  /** Without those that only name an initializer. */
  readonly inputs: readonly ValueSummary[];
  readonly outputs: readonly ValueSummary[];
  readonly nodes: {
    /** All nodes, wherever they are. */
    readonly total: number;
    readonly inMainGraph: number;
    readonly inSubgraphs: number;
    readonly inFunctions: number;
  };
  readonly subgraphs: number;
  readonly functions: number;
  /** Nodes by operator, most frequent first; operators of other domains as `domain::Operator`. */
  readonly operators: Readonly<Record<string, number>>;
  /** Initializers and tensors of Constant nodes and other attributes. */
  readonly parameters: { readonly tensors: number; readonly elements: number; readonly sizeBytes: number };
  readonly parametersByType: Readonly<
    Record<string, { readonly tensors: number; readonly elements: number }>
  >;
  readonly externalData: { readonly tensors: number; readonly files: readonly string[] };
  readonly quantization: {
    readonly isQuantized: boolean;
    /** The operators that show it, by count. */
    readonly operators: Readonly<Record<string, number>>;
  };
  readonly metadata: Readonly<Record<string, string>>;
}

interface ValueSummary {
  readonly name: string;
  /** Such as `float32[N,3,224,224]`; an unknown dimension is `?`, an unknown shape is left out. */
  readonly type: string;
}

export function summarizeModel(model: OnnxModel): ModelSummary {
  const { proto } = model;
  const operators = countOperators(proto);
  const quantized = Object.entries(operators).filter(([name]) => QUANTIZED_OPERATOR.test(name));
  const nodes = countNodes(proto);
  const named = new Set(proto.graph?.initializer.map((tensor) => tensor.name));
  return {
    path: model.path,
    irVersion: proto.irVersion,
    producer: { name: proto.producerName ?? '', version: proto.producerVersion ?? '' },
    graphName: proto.graph?.name ?? '',
    opsets: Object.fromEntries(
      proto.opsetImport.map((opset) => [opset.domain || 'ai.onnx', opset.version ?? 0]),
    ),
    inputs: (proto.graph?.input ?? []).filter((input) => !named.has(input.name)).map(summarizeValue),
    outputs: (proto.graph?.output ?? []).map(summarizeValue),
    ...nodes,
    operators,
    ...countTensors(proto),
    quantization: { isQuantized: quantized.length > 0, operators: Object.fromEntries(quantized) },
    metadata: Object.fromEntries(proto.metadataProps.map(({ key = '', value = '' }) => [key, value])),
  };
}

// QDQ and QOperator nodes, dynamic quantization, and the weight-only operators of com.microsoft.
const QUANTIZED_OPERATOR =
  /^(com\.microsoft::)?(QuantizeLinear|DequantizeLinear|DynamicQuantize\w+|QLinear\w+|QGemm|QAttention|QEmbedLayerNormalization|QMoE|ConvInteger|MatMulInteger\w*|MatMulNBits|MatMulBnb4|GatherBlockQuantized)$/;

function countNodes(model: ModelProto) {
  let inSubgraphs = 0;
  let subgraphs = 0;
  const countBelow = (graph: GraphProto) => {
    subgraphs += 1;
    inSubgraphs += graph.node.length;
  };
  const functionNodes = model.functions.flatMap((definition) => definition.node);
  for (const node of [...(model.graph?.node ?? []), ...functionNodes]) {
    for (const subgraph of subgraphsOf(node)) walkGraphs(subgraph, countBelow);
  }
  const inMainGraph = model.graph?.node.length ?? 0;
  const inFunctions = functionNodes.length;
  return {
    nodes: { total: inMainGraph + inSubgraphs + inFunctions, inMainGraph, inSubgraphs, inFunctions },
    subgraphs,
    functions: model.functions.length,
  };
}

function countOperators(model: ModelProto): Record<string, number> {
  const counts = new Map<string, number>();
  const count = (nodes: readonly NodeProto[]) => {
    for (const node of nodes) {
      const name = `${isDefaultDomain(node.domain) ? '' : `${node.domain}::`}${node.opType ?? ''}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      for (const subgraph of subgraphsOf(node)) count(subgraph.node);
    }
  };
  count(model.graph?.node ?? []);
  for (const definition of model.functions) count(definition.node);
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

function countTensors(model: ModelProto) {
  const parameters = { tensors: 0, elements: 0, sizeBytes: 0 };
  const byType = new Map<string, { tensors: number; elements: number }>();
  const externalData = { tensors: 0, files: new Set<string>() };
  walkTensors(model, (tensor) => {
    const elements = tensorElementCount(tensor) ?? 0;
    const ofType = byType.get(dataTypeName(tensor.dataType)) ?? { tensors: 0, elements: 0 };
    ofType.tensors += 1;
    ofType.elements += elements;
    byType.set(dataTypeName(tensor.dataType), ofType);
    parameters.tensors += 1;
    parameters.elements += elements;
    parameters.sizeBytes +=
      expectedSizeBytes(tensor) ?? tensor.stringData.reduce((sum, text) => sum + text.byteLength, 0);
    if (!isExternal(tensor)) return;
    externalData.tensors += 1;
    const location = tensor.externalData.findLast(({ key }) => key === 'location')?.value;
    if (location !== undefined) externalData.files.add(location);
  });
  const largestFirst = [...byType].sort(([, a], [, b]) => b.elements - a.elements);
  return {
    parameters,
    parametersByType: Object.fromEntries(largestFirst),
    externalData: { tensors: externalData.tensors, files: [...externalData.files] },
  };
}

function summarizeValue(value: ValueInfoProto): ValueSummary {
  return { name: value.name ?? '', type: typeText(value.type) };
}

function typeText(type: TypeProto | undefined): string {
  if (type?.tensorType !== undefined) {
    const { elemType, shape } = type.tensorType;
    return `${dataTypeName(elemType)}${shape === undefined ? '' : `[${shape.dim.map(dimensionText)}]`}`;
  }
  if (type?.sparseTensorType !== undefined) {
    return `sparse(${typeText({ tensorType: type.sparseTensorType })})`;
  }
  if (type?.sequenceType !== undefined) return `sequence(${typeText(type.sequenceType.elemType)})`;
  if (type?.optionalType !== undefined) return `optional(${typeText(type.optionalType.elemType)})`;
  if (type?.mapType !== undefined) {
    return `map(${dataTypeName(type.mapType.keyType)},${typeText(type.mapType.valueType)})`;
  }
  return type?.opaqueType === undefined ? 'unknown' : 'opaque';
}

function dimensionText(dim: DimensionProto): string {
  return dim.dimValue?.toString() ?? (dim.dimParam || '?');
}
