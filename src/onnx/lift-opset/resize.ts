import { removeAttribute, setAttribute, stringAttribute, stringAttributeProto } from '../attributes.ts';
import { makeNode, nodeLabel } from '../make-node.ts';
import type { NodeProto } from '../messages.ts';
import { type LiftContext, type Rewriting, takeAttribute } from './rewriting.ts';

/**
 * Upsample-7 (attribute `scales`), Upsample-9 and Resize-10 (input `scales`): asymmetric coordinates.
 * The rounding of `nearest` was not specified; this keeps what ONNX Runtime does: downwards on an axis that grows, up on
 * one that shrinks. Upsample only grows.
 */
export const liftUpsample: Rewriting = (node, context) => {
  const scales = takeAttribute(node, 'scales')?.floats;
  if (scales !== undefined) {
    node.input[1] = context.addConstant(`${nodeLabel(node)}_scales`, Float32Array.from(scales));
  }
  node.opType = 'Resize';
  return [asymmetricResize(node, 'floor')];
};

/** Resize: opset 11 added coordinate modes, roi and sizes; opset 13 made roi and scales optional. */
export const liftResize: Rewriting = (node, context) =>
  context.fromVersion < 11 ? liftResize10(node, context) : liftResize11(node);

function liftResize10(node: NodeProto, context: LiftContext): readonly NodeProto[] {
  const scales = context.constant(node.input[1]);
  if (scales?.every((scale) => scale >= 1)) return [asymmetricResize(node, 'floor')];
  if (scales?.every((scale) => scale <= 1)) return [asymmetricResize(node, 'ceil')];
  if ((stringAttribute(node, 'mode') ?? 'nearest') !== 'nearest') return [asymmetricResize(node, 'floor')];
  return growThenShrink(node, context);
}

/** Every axis is resized by one of the two nodes and left alone (scale 1) by the other. */
function growThenShrink(node: NodeProto, context: LiftContext): readonly NodeProto[] {
  const label = nodeLabel(node);
  const [input = '', scales = ''] = node.input;
  const one = context.addConstant(`${label}_one`, Float32Array.of(1), []);
  const grow = context.freshName(`${label}_grow_scales`);
  const shrink = context.freshName(`${label}_shrink_scales`);
  const grown = context.freshName(`${label}_grown`);
  const named = (suffix: string) => context.freshName(`${label}_${suffix}`);
  const growing = makeNode('Resize', {
    name: named('grow'),
    input: [input, grow],
    output: [grown],
    attribute: node.attribute,
  });
  node.input = [grown, shrink];
  return [
    makeNode('Max', { name: named('max'), input: [scales, one], output: [grow] }),
    makeNode('Min', { name: named('min'), input: [scales, one], output: [shrink] }),
    asymmetricResize(growing, 'floor'),
    asymmetricResize(node, 'ceil'),
  ];
}

/** Turns `input, scales` into `input, no roi, scales` and says what coordinates older opsets meant. */
function asymmetricResize(node: NodeProto, nearestMode: 'floor' | 'ceil'): NodeProto {
  node.input = [node.input[0] ?? '', '', node.input[1] ?? ''];
  setAttribute(node, stringAttributeProto('coordinate_transformation_mode', 'asymmetric'));
  if ((stringAttribute(node, 'mode') ?? 'nearest') === 'nearest') {
    setAttribute(node, stringAttributeProto('nearest_mode', nearestMode));
  } else {
    removeAttribute(node, 'nearest_mode');
  }
  return node;
}

/**
 * In opset 11 a node that resizes to `sizes` has an empty tensor as `scales`, in 13 it has none. The coordinates
 * `tf_half_pixel_for_nn` are gone: with `floor`, the rounding they were made for, `half_pixel` rounded to the nearest
 * is the same, as floor(v) = round(v - 0.5).
 */
function liftResize11(node: NodeProto): readonly NodeProto[] | undefined {
  let changed = false;
  if (node.input[2] && node.input[3]) {
    node.input[2] = '';
    changed = true;
  }
  if (
    stringAttribute(node, 'coordinate_transformation_mode') === 'tf_half_pixel_for_nn' &&
    stringAttribute(node, 'nearest_mode') === 'floor'
  ) {
    setAttribute(node, stringAttributeProto('coordinate_transformation_mode', 'half_pixel'));
    setAttribute(node, stringAttributeProto('nearest_mode', 'round_prefer_ceil'));
    changed = true;
  }
  return changed ? [node] : undefined;
}
