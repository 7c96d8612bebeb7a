import { emptyAttribute, intAttributeProto } from '../../onnx/attributes.ts';
import { isDefaultDomain, makeNode } from '../../onnx/make-node.ts';
import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  type NodeProto,
  type ValueInfoProto,
} from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { clipBounds, type GraphView } from '../graph-view.ts';
import { findFeatureMaps } from './feature-maps.ts';

/** Where what is to be known of one tensor comes out of the observing model. */
export interface ObservedTensor {
  readonly tensor: string;
  /** Output whose largest element is the tensor's maximum. */
  readonly maxOutput: string;
  /** Output whose smallest element is its minimum; absent where the tensor cannot be negative. */
  readonly minOutput: string | undefined;
  /** Output that holds the tensor's values or an even share of them; absent unless values were asked for. */
  readonly valuesOutput: string | undefined;
}

/** A model that also tells about chosen tensors. */
export interface ObservingModel {
  readonly model: OnnxModel;
  readonly observed: readonly ObservedTensor[];
}

/** Of a feature map, every so many-th row and column is looked at for its distribution. Extremes are always exact. */
const SPATIAL_STRIDE = 3;

/**
 * A copy of the model with outputs that tell the extremes of `tensors` and, for `values`, a sample of their
 * distribution; nodes and weights are shared with the original.
 *
 * A whole intermediate tensor as an output would make the runtime leave its blocked layouts and fusions and copy every
 * element, so the reduction happens inside the graph, with operators that have blocked-layout kernels: GlobalMaxPool
 * for the maximum, and MaxPool with a 1x1 window and a stride, which picks every third row and column. What follows a
 * Relu or a Clip from 0 up needs no minimum, because every range is widened to hold 0.
 */
export function observeTensors(
  view: GraphView,
  tensors: readonly string[],
  { values }: { readonly values: boolean },
): ObservingModel {
  const { graph, index, model } = view;
  const names = createNameScope(graph);
  const featureMaps = findFeatureMaps(view);
  const nodes: NodeProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const add = (opType: string, tensor: string, suffix: string, attribute: readonly AttributeProto[] = []) => {
    const output = names.fresh(`${tensor}_${suffix}`);
    nodes.push(makeNode(opType, { name: output, input: [tensor], output: [output], attribute }));
    outputs.push({ name: output, metadataProps: [] });
    return output;
  };
  const reduce = (opType: string, tensor: string, suffix: string) =>
    add(opType, tensor, suffix, [intAttributeProto('keepdims', 0)]);
  const sample = (tensor: string) =>
    featureMaps.get(tensor) === 2
      ? add('MaxPool', tensor, 'values', [
          intsAttributeProto('kernel_shape', [1, 1]),
          intsAttributeProto('strides', [SPATIAL_STRIDE, SPATIAL_STRIDE]),
        ])
      : add('Identity', tensor, 'values');
  const observed = tensors.map((tensor) => ({
    tensor,
    maxOutput: featureMaps.has(tensor)
      ? add('GlobalMaxPool', tensor, 'max')
      : reduce('ReduceMax', tensor, 'max'),
    minOutput: isNonNegative(index.producerOf.get(tensor), view)
      ? undefined
      : reduce('ReduceMin', tensor, 'min'),
    valuesOutput: values ? sample(tensor) : undefined,
  }));
  const observingGraph = { ...graph, node: [...graph.node, ...nodes], output: [...graph.output, ...outputs] };
  return { model: { ...model, proto: { ...model.proto, graph: observingGraph } }, observed };
}

function intsAttributeProto(name: string, values: readonly number[]): AttributeProto {
  return { ...emptyAttribute(name, ATTRIBUTE_TYPE.ints), ints: values.map(BigInt) };
}

function isNonNegative(producer: NodeProto | undefined, view: GraphView): boolean {
  if (producer === undefined || !isDefaultDomain(producer.domain)) return false;
  if (producer.opType === 'Clip') {
    const { min, max } = clipBounds(producer, view);
    return min >= 0 && max >= 0;
  }
  return producer.opType === 'Relu' || producer.opType === 'Sigmoid' || producer.opType === 'Softmax';
}
