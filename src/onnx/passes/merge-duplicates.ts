import { indexGraph } from '../graph-index.ts';
import { isDefaultDomain } from '../make-node.ts';
import type { GraphProto, NodeProto, TensorProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { subgraphsOf } from '../subgraphs.ts';
import { readTensorData } from '../tensor-data.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Of nodes that compute the same from the same, keeps the first, whose results the readers of the others get. Exporters
 * write such nodes where a model uses an expression more than once: one Reshape for each of query, key and value. Two
 * inputs are the same when they have one name, or are small constants of one type, shape and content.
 *
 * Stay: nodes of other domains, with bodies or tensors in their attributes, random ones, conversions to codes, and those
 * whose results are graph outputs or are read in bodies. Counts nodes, those in bodies too. Changes the model in place.
 */
export function mergeDuplicates(model: OnnxModel): PassResult {
  const { graph } = model.proto;
  return passResult(graph === undefined ? 0 : mergeIn(graph, model));
}

function mergeIn(graph: GraphProto, model: OnnxModel): number {
  let count = 0;
  for (const node of graph.node) for (const body of subgraphsOf(node)) count += mergeIn(body, model);
  const { outputs, capturedBySubgraphs, initializers } = indexGraph(graph);
  const isPrivate = (name: string) => !outputs.has(name) && !capturedBySubgraphs.has(name);
  const contentOf = smallConstants(initializers, model);
  const newNames = new Map<string, string>();
  const firstOf = new Map<string, NodeProto>();
  const before = graph.node.length;
  graph.node = graph.node.filter((node) => {
    node.input = node.input.map((name) => newNames.get(name) ?? name);
    if (!canBeMerged(node)) return true;
    const key = keyOf(node, contentOf);
    const first = firstOf.get(key);
    if (first === undefined) {
      firstOf.set(key, node);
      return true;
    }
    if (!node.output.every(isPrivate)) return true;
    node.output.forEach((name, at) => {
      if (name !== '') newNames.set(name, first.output[at] as string);
    });
    return false;
  });
  return count + before - graph.node.length;
}

const UNMERGED: ReadonlySet<string> = new Set([
  ...['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli'],
  ...['Dropout', 'QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'],
]);

function canBeMerged({ domain, opType = '', attribute, output }: NodeProto): boolean {
  return (
    isDefaultDomain(domain) &&
    !UNMERGED.has(opType) &&
    output.some((name) => name !== '') &&
    attribute.every(
      ({ t, g, graphs, tensors, sparseTensor, sparseTensors, refAttrName = '' }) =>
        [t, g, sparseTensor].every((one) => one === undefined) &&
        graphs.length + tensors.length + sparseTensors.length + refAttrName.length === 0,
    )
  );
}

/** A text that two nodes share exactly when they compute the same. */
function keyOf({ opType, input, output, attribute }: NodeProto, contentOf: (name: string) => string): string {
  const attributes = [...attribute].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
  const wanted = output.map((name) => name !== '');
  return JSON.stringify([opType, input.map(contentOf), wanted, attributes], (_, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Uint8Array) return [...value];
    return Number.isNaN(value) || Math.abs(value as number) === Number.POSITIVE_INFINITY
      ? String(value)
      : value;
  });
}

const MOST_COMPARED_BYTES = 256;

/** What stands for an input in a key: the content of a small constant, and the name of anything else. */
function smallConstants(
  initializers: ReadonlyMap<string, TensorProto>,
  model: OnnxModel,
): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const tensor = initializers.get(name);
    if (tensor === undefined || tensor.dims.reduce((a, b) => a * b, 8) > MOST_COMPARED_BYTES) return name;
    const content = known.get(name) ?? describe(tensor, model) ?? name;
    known.set(name, content);
    return content;
  };
}

function describe(tensor: TensorProto, model: OnnxModel): string | undefined {
  const values = readTensorData(model, tensor);
  return values.ok ? `${tensor.dataType}[${tensor.dims}] ${values.value.join()}` : undefined;
}
