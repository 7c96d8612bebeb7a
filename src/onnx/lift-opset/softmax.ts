import { intAttribute, intAttributeProto, setAttribute } from '../attributes.ts';
import type { KnownShape } from '../known-shapes.ts';
import { makeNode, nodeLabel } from '../make-node.ts';
import type { NodeProto } from '../messages.ts';
import { type LiftContext, notLiftable, type Rewriting } from './rewriting.ts';

/**
 * Softmax, LogSoftmax and Hardmax. Up to opset 12 they flatten the input to a matrix at `axis` (default 1) and work on
 * its rows; from 13 on they work along one axis (default the last). Where all but one of the flattened axes are known
 * to be 1 that is the same; otherwise the flattening is written out.
 * Source: ONNX Softmax-1, -11 and -13.
 */
export const liftSoftmax: Rewriting = (node, context) => {
  if (node.attribute.some((attribute) => attribute.refAttrName)) {
    throw notLiftable(node, 'its axis comes from the function that it is part of');
  }
  const axis = intAttribute(node, 'axis');
  const single = singleAxis(axis ?? 1, context.shape(node.input[0]));
  if (single === undefined) return flattened(node, axis ?? 1, context);
  if (axis === single) return undefined;
  setAttribute(node, intAttributeProto('axis', single));
  return [node];
};

/** The one axis that the rows of the flattened input run along; undefined when there may be several. */
function singleAxis(axis: number, shape: KnownShape | undefined): number | undefined {
  if (shape === undefined) return axis === -1 ? axis : undefined;
  const first = axis < 0 ? axis + shape.length : axis;
  const last = shape.length - 1;
  if (first > last) return undefined;
  const candidates = shape.flatMap((dim, at) => (at >= first && dim !== 1 ? at : []));
  return candidates.length > 1 ? undefined : (candidates[0] ?? last);
}

function flattened(node: NodeProto, axis: number, context: LiftContext): readonly NodeProto[] {
  const label = nodeLabel(node);
  const [input = ''] = node.input;
  const [output = ''] = node.output;
  const shape = context.freshName(`${label}_shape`);
  const rows = context.freshName(`${label}_rows`);
  const result = context.freshName(`${label}_result`);
  node.input = [rows];
  node.output = [result];
  setAttribute(node, intAttributeProto('axis', 1));
  return [
    makeNode('Shape', { name: context.freshName(`${label}_get_shape`), input: [input], output: [shape] }),
    makeNode('Flatten', {
      name: context.freshName(`${label}_flatten`),
      input: [input],
      output: [rows],
      attribute: [intAttributeProto('axis', axis)],
    }),
    node,
    makeNode('Reshape', {
      name: context.freshName(`${label}_reshape`),
      input: [result, shape],
      output: [output],
    }),
  ];
}
