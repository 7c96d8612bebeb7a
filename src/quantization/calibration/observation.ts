import { intAttributeProto } from '../../onnx/attributes.ts';
import { isDefaultDomain, makeNode } from '../../onnx/make-node.ts';
import type { GraphProto, NodeProto, ValueInfoProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { clipBounds, type GraphView } from '../graph-view.ts';

/** Where the extremes of one tensor come out of the observing model. */
export interface ObservedTensor {
  readonly tensor: string;
  /** Output whose largest element is the tensor's maximum. */
  readonly maxOutput: string;
  /** Output whose smallest element is its minimum; absent where the tensor cannot be negative. */
  readonly minOutput: string | undefined;
}

/** A model that also gives the extremes of chosen tensors. */
export interface ObservingModel {
  readonly model: OnnxModel;
  readonly observed: readonly ObservedTensor[];
}

/**
 * A copy of the model with outputs that give the extremes of `tensors`; nodes and weights are shared with the original.
 *
 * A whole intermediate tensor as an output would make the runtime leave its blocked layouts and fusions, so the
 * reduction happens inside the graph. Feature maps are reduced by GlobalMaxPool, which has a blocked-layout kernel;
 * what follows a Relu or a Clip from 0 up needs no minimum, because every range is widened to hold 0.
 */
export function observeExtremes(view: GraphView, tensors: readonly string[]): ObservingModel {
  const { graph, index, model } = view;
  const names = createNameScope(graph);
  const featureMaps = findFeatureMaps(graph);
  const nodes: NodeProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const observe = (opType: string, tensor: string, suffix: string) => {
    const output = names.fresh(`${tensor}_${suffix}`);
    const attribute = opType === 'GlobalMaxPool' ? [] : [intAttributeProto('keepdims', 0)];
    nodes.push(makeNode(opType, { name: output, input: [tensor], output: [output], attribute }));
    outputs.push({ name: output, metadataProps: [] });
    return output;
  };
  const observed = tensors.map((tensor) => ({
    tensor,
    maxOutput: observe(featureMaps.has(tensor) ? 'GlobalMaxPool' : 'ReduceMax', tensor, 'max'),
    minOutput: isNonNegative(index.producerOf.get(tensor), view)
      ? undefined
      : observe('ReduceMin', tensor, 'min'),
  }));
  const observingGraph = { ...graph, node: [...graph.node, ...nodes], output: [...graph.output, ...outputs] };
  return { model: { ...model, proto: { ...model.proto, graph: observingGraph } }, observed };
}

const GIVES_FEATURE_MAP: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
]);
const KEEPS_FEATURE_MAP: ReadonlySet<string> = new Set([
  'Relu',
  'Clip',
  'Add',
  'Mul',
  'Concat',
  'Sigmoid',
  'LeakyRelu',
  'BatchNormalization',
]);

/**
 * Tensors known to have the shape [N, C, spatial…], from the operators they come from. An elementwise result counts
 * when its first input does: broadcasting can add no axis in front of a feature map's own in a valid convolutional net
 * without making the later convolution invalid.
 */
function findFeatureMaps(graph: GraphProto): ReadonlySet<string> {
  const featureMaps = new Set<string>();
  for (const node of graph.node) {
    const first = node.output[0] ?? '';
    if (!isDefaultDomain(node.domain) || first === '') continue;
    const kept = KEEPS_FEATURE_MAP.has(node.opType ?? '') && featureMaps.has(node.input[0] ?? '');
    if (kept || GIVES_FEATURE_MAP.has(node.opType ?? '')) featureMaps.add(first);
  }
  return featureMaps;
}

function isNonNegative(producer: NodeProto | undefined, view: GraphView): boolean {
  if (producer === undefined || !isDefaultDomain(producer.domain)) return false;
  if (producer.opType === 'Clip') return clipBounds(producer, view).min >= 0;
  return producer.opType === 'Relu' || producer.opType === 'Sigmoid' || producer.opType === 'Softmax';
}
