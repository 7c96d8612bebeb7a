import { cloneMessage } from '../../../onnx/clone-message.ts';
import type { GraphProto, NodeProto } from '../../../onnx/messages.ts';
import { createNameScope } from '../../../onnx/name-scope.ts';
import { tensorFrom } from '../../../onnx/tensor-data.ts';
import { type GraphView, viewGraph } from '../../graph-view.ts';
import { forEachPair } from '../constant-use.ts';
import type { ChannelGroups } from './channel-groups.ts';

/** Does what `scaleOf` says to every channel: what makes it is multiplied, what reads it is divided. The graph of `view` stays. */
export function rescale(
  view: GraphView,
  { uses }: ChannelGroups,
  scaleOf: (group: number) => number,
): GraphView {
  const names = createNameScope(view.graph);
  const nodes = new Map<NodeProto, NodeProto>();
  const initializer = [...view.graph.initializer];
  for (const use of uses) {
    const { node, inputIndex, tensor, readGroups, madeGroups } = use;
    const factor = (groups: Int32Array | undefined) => groups && Float64Array.from(groups, scaleOf);
    const [read, made] = [factor(readGroups), factor(madeGroups)];
    const isChanged = (scales: Float64Array | undefined) => scales?.some((scale) => scale !== 1) ?? false;
    if (!isChanged(read) && !isChanged(made)) continue;
    const values = view.readFloats(tensor);
    const { kernel } = use.layout;
    forEachPair(use, (madeChannel, readChannel, start) => {
      const up = made === undefined ? 1 : (made[madeChannel] as number);
      const down = read === undefined ? 1 : (read[readChannel] as number);
      for (let i = start; i < start + kernel; i++) values[i] = ((values[i] as number) * up) / down;
    });
    // Another node may read the same constant and take another scale up.
    const name = names.fresh(`${tensor.name ?? ''}_equalized`);
    initializer.push(tensorFrom(name, tensor.dims, values));
    const changed = nodes.get(node) ?? cloneMessage(node);
    changed.input[inputIndex] = name;
    nodes.set(node, changed);
  }
  const graph: GraphProto = {
    ...view.graph,
    node: view.graph.node.map((node) => nodes.get(node) ?? node),
    initializer,
  };
  return viewGraph({ path: view.model.path, proto: { ...view.model.proto, graph } });
}
