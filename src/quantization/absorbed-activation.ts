import { hasOneReader } from '../onnx/graph-index.ts';
import { isDefaultDomain } from '../onnx/make-node.ts';
import type { NodeProto } from '../onnx/messages.ts';
import { clipBounds, type GraphView } from './graph-view.ts';

/**
 * The Relu or Clip that follows `node` and costs nothing in int8, because the grid of its output ends where it cuts:
 * nobody else reads the value in between, and a Clip's bounds hold 0, which every grid holds.
 */
export function absorbedActivation(node: NodeProto, view: GraphView): NodeProto | undefined {
  const output = node.output[0] ?? '';
  const { index } = view;
  const only = hasOneReader(output, index) ? index.consumersOf.get(output)?.[0] : undefined;
  if (only === undefined || only.inputIndex !== 0 || !isDefaultDomain(only.node.domain)) return undefined;
  if (only.node.opType === 'Relu') return only.node;
  if (only.node.opType !== 'Clip') return undefined;
  const { min, max } = clipBounds(only.node, view);
  return min <= 0 && max >= 0 ? only.node : undefined;
}
