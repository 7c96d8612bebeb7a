import { nodeLabel } from '../make-node.ts';
import { DATA_TYPE, type NodeProto } from '../messages.ts';
import {
  int64s,
  type LiftContext,
  notLiftable,
  type Rewriting,
  setInput,
  takeAttribute,
} from './rewriting.ts';

/** Squeeze, Unsqueeze and ReduceSum: `axes`; Split: `split`. Both became the second input in opset 13. */
const listToSecondInput =
  (attributeName: string): Rewriting =>
  (node, context) => {
    const list = takeAttribute(node, attributeName);
    if (list === undefined) return undefined;
    // Only Unsqueeze needs the list; elsewhere an empty one says the same as none.
    if (list.ints.length > 0 || node.opType === 'Unsqueeze')
      addInts(node, 1, attributeName, list.ints, context);
    return [node];
  };

export const liftAxes = listToSecondInput('axes');

export const liftSplit = listToSecondInput('split');

/** Clip: `min` and `max` became inputs in opset 11, with the element type of the input. */
export const liftClip: Rewriting = (node, context) => {
  const min = takeAttribute(node, 'min')?.f;
  const max = takeAttribute(node, 'max')?.f;
  if (min === undefined && max === undefined) return undefined;
  const type = floatTypeOf(node, context);
  if (min !== undefined) setInput(node, 1, context.addScalar(`${nodeLabel(node)}_min`, min, type));
  if (max !== undefined) setInput(node, 2, context.addScalar(`${nodeLabel(node)}_max`, max, type));
  return [node];
};

/** Pad: `pads` and `value` became inputs in opset 11. */
export const liftPad: Rewriting = (node, context) => {
  addInts(node, 1, 'pads', takeAttribute(node, 'pads')?.ints ?? [], context);
  const value = takeAttribute(node, 'value')?.f ?? 0;
  if (value !== 0) {
    setInput(node, 2, context.addScalar(`${nodeLabel(node)}_value`, value, floatTypeOf(node, context)));
  }
  return [node];
};

/** Slice: `starts`, `ends` and `axes` became inputs in opset 10. */
export const liftSlice: Rewriting = (node, context) => {
  addInts(node, 1, 'starts', takeAttribute(node, 'starts')?.ints ?? [], context);
  addInts(node, 2, 'ends', takeAttribute(node, 'ends')?.ints ?? [], context);
  const axes = takeAttribute(node, 'axes')?.ints ?? [];
  if (axes.length > 0) addInts(node, 3, 'axes', axes, context);
  return [node];
};

/** TopK: `k` became an input of shape [1] in opset 10. */
export const liftTopK: Rewriting = (node, context) => {
  addInts(node, 1, 'k', [takeAttribute(node, 'k')?.i ?? 0n], context);
  return [node];
};

function addInts(
  node: NodeProto,
  index: number,
  what: string,
  values: readonly bigint[],
  context: LiftContext,
): void {
  setInput(node, index, context.addConstant(`${nodeLabel(node)}_${what}`, int64s(values)));
}

const FLOAT_TYPES: readonly number[] = [DATA_TYPE.float, DATA_TYPE.double, DATA_TYPE.float16];

/** These operators took only floating-point tensors then, so that an input of unknown type is most likely float. */
function floatTypeOf(node: NodeProto, context: LiftContext): number {
  const type = context.elementType(node.input[0]) ?? DATA_TYPE.float;
  if (FLOAT_TYPES.includes(type)) return type;
  throw notLiftable(
    node,
    `its input ${node.input[0]} is not of a floating-point type, as opset ${context.fromVersion} asks`,
  );
}
