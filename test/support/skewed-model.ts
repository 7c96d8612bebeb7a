import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { nameNodes } from '../../src/onnx/passes/name-nodes.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import { type GraphView, viewGraph } from '../../src/quantization/graph-view.ts';
import {
  type ChannelGroups,
  findChannelGroups,
} from '../../src/quantization/tuning/equalization/channel-groups.ts';
import { rescale } from '../../src/quantization/tuning/equalization/rescale.ts';
import { unwrap } from './unwrap.ts';

/** What becomes of a model's channels: their scale by tensor and channel. The first tensor that has a channel decides. */
export type Skew = (tensor: string, channel: number) => number;

/**
 * A prepared copy of a trained model that computes the same with channels of other magnitudes: each is made so many times
 * larger and read so many times smaller. Changes `model`.
 */
export async function skewedModel(model: OnnxModel, skew: Skew): Promise<OnnxModel> {
  unwrap(await prepareModel(model));
  nameNodes(model);
  const view = viewGraph(model);
  const groups = findChannelGroups(view);
  return rescale(view, groups, scalesOf(groups, skew)).model;
}

function scalesOf({ channelsOf, isFixed, clipped }: ChannelGroups, skew: Skew): (group: number) => number {
  const cut = new Set(clipped.flatMap(({ tensor }) => [...(channelsOf.get(tensor)?.groups ?? [])]));
  const scales = new Map<number, number>();
  for (const [tensor, { groups }] of channelsOf) {
    groups.forEach((group, channel) => {
      if (!scales.has(group) && !isFixed(group) && !cut.has(group)) scales.set(group, skew(tensor, channel));
    });
  }
  return (group) => scales.get(group) ?? 1;
}

/** The tensors that an Add of two varying tensors reads or makes, which share their channels. */
export function residualTensors({ graph, index }: GraphView): ReadonlySet<string> {
  const sums = graph.node.filter(
    ({ opType, input }) => opType === 'Add' && input.every((name) => !index.initializers.has(name)),
  );
  return new Set(sums.flatMap(({ input, output }) => [...input, ...output]));
}
