import { emptyAttribute, intAttributeProto } from '../../onnx/attributes.ts';
import { makeNode } from '../../onnx/make-node.ts';
import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  type NodeProto,
  type ValueInfoProto,
} from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import type { GraphView } from '../graph-view.ts';
import { findFeatureMaps } from './feature-maps.ts';
import { findNonNegative } from './non-negative.ts';

/** Where the extremes of one tensor come out of the observing model. */
export interface ObservedExtremes {
  readonly kind: 'extremes';
  readonly tensor: string;
  /** Output whose largest element is the tensor's maximum. */
  readonly maxOutput: string;
  /** Output whose smallest element is its minimum; absent where the tensor cannot be negative. */
  readonly minOutput: string | undefined;
}

/** Where a sample of one tensor's values comes out of the observing model. */
export interface ObservedValues {
  readonly kind: 'values';
  readonly tensor: string;
  /** Output that holds the tensor's values or an even share of them. */
  readonly valuesOutput: string;
}

export type ObservedTensor = ObservedExtremes | ObservedValues;

/** A model that also tells about chosen tensors. */
export interface ObservingModel {
  readonly model: OnnxModel;
  readonly observed: readonly ObservedTensor[];
}

/** Rows or columns from one that is looked at to the next. */
const SPATIAL_STRIDE = 3;
/** Maps of so few rows or columns are looked at more closely, the smaller ones as a whole. */
const SMALL_MAPS = [
  { atMost: 8, stride: 1 },
  { atMost: 16, stride: 2 },
] as const;

/**
 * A copy of the model with outputs that tell about `tensors`: their exact extremes or, for `values`, a sample of their
 * distribution; nodes and weights are shared with the original.
 *
 * A whole intermediate tensor as an output would make the runtime leave its blocked layouts and fusions and copy every
 * element, so the reduction happens inside the graph, with operators that have blocked-layout kernels: GlobalMaxPool
 * for the maximum, and MaxPool with a 1x1 window and a stride, which picks rows and columns evenly. What can never be
 * negative needs no minimum, because every range is widened to hold 0. Who looks at values gets no extremes besides:
 * finding them reads every element, which takes longer than the sample.
 */
export function observeTensors(
  view: GraphView,
  tensors: readonly string[],
  { values, wholeMaps = false }: ObservationSettings,
): ObservingModel {
  const { graph, model } = view;
  const names = createNameScope(graph);
  const featureMaps = findFeatureMaps(view);
  const nonNegative = findNonNegative(view);
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
  const sample = (tensor: string) => {
    const strides = wholeMaps ? [] : (featureMaps.get(tensor) ?? []).map(strideOver);
    return strides.length === 2 && strides.some((stride) => stride > 1)
      ? add('MaxPool', tensor, 'values', [
          intsAttributeProto('kernel_shape', [1, 1]),
          intsAttributeProto('strides', strides),
        ])
      : add('Identity', tensor, 'values');
  };
  const observed = tensors.map((tensor): ObservedTensor => {
    if (values) return { kind: 'values', tensor, valuesOutput: sample(tensor) };
    const maxOutput = featureMaps.has(tensor)
      ? add('GlobalMaxPool', tensor, 'max')
      : reduce('ReduceMax', tensor, 'max');
    const minOutput = nonNegative.has(tensor) ? undefined : reduce('ReduceMin', tensor, 'min');
    return { kind: 'extremes', tensor, maxOutput, minOutput };
  });
  const observingGraph = { ...graph, node: [...graph.node, ...nodes], output: [...graph.output, ...outputs] };
  return { model: { ...model, proto: { ...model.proto, graph: observingGraph } }, observed };
}

export interface ObservationSettings {
  /** Whether values are asked for, and not extremes. */
  readonly values: boolean;
  /** Gives all values of feature maps, too, instead of every so many-th row and column. */
  readonly wholeMaps?: boolean;
}

/**
 * Picking starts at the first row, which lies at the border, where padding makes values unlike the others. A stride that
 * would end at the opposite border as well, and so show twice as much of it, is avoided where the map is large.
 */
export function strideOver(size: number | undefined): number {
  if (size === undefined) return SPATIAL_STRIDE;
  const small = SMALL_MAPS.find(({ atMost }) => size <= atMost);
  if (small !== undefined) return small.stride;
  let stride = SPATIAL_STRIDE;
  while ((size - 1) % stride === 0) stride += 1;
  return stride;
}

function intsAttributeProto(name: string, values: readonly number[]): AttributeProto {
  return { ...emptyAttribute(name, ATTRIBUTE_TYPE.ints), ints: values.map(BigInt) };
}
