import { floatAttribute } from '../../onnx/attributes.ts';
import { type ChannelLayout, channelLayout } from '../affine.ts';
import type { GraphView } from '../graph-view.ts';
import type { PlannedNode } from '../placement.ts';
import type { Draft } from './draft.ts';

/** The constants of an anchor as its int8 kernel takes them: Gemm's factors multiplied in. */
export interface AnchorConstants {
  readonly weights: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly layout: ChannelLayout;
}

/** The anchors of a draft that have constant weights, each with its plan. */
export function anchorsOf({ placement }: Pick<Draft, 'placement'>): readonly (PlannedNode & Anchor)[] {
  return placement.nodes.filter((plan): plan is PlannedNode & Anchor => plan.weights !== undefined);
}

interface Anchor {
  readonly weights: NonNullable<PlannedNode['weights']>;
}

/** Throws `ProblemError`: what reading constants can report. */
export function readAnchorConstants(
  view: GraphView,
  { node, weights }: PlannedNode & Anchor,
): AnchorConstants {
  const alpha = node.opType === 'Gemm' ? (floatAttribute(node, 'alpha') ?? 1) : 1;
  const scaled = (values: Float32Array, factor: number) =>
    factor === 1 ? values : values.map((value) => value * factor);
  return {
    weights: scaled(view.readFloats(weights.tensor), alpha),
    bias: weights.bias && scaled(view.readFloats(weights.bias.tensor), weights.bias.factor),
    layout: channelLayout(weights.tensor.dims, weights.axis),
  };
}
