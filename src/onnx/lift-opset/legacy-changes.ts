import {
  emptyAttribute,
  findAttribute,
  intAttributeProto,
  removeAttribute,
  setAttribute,
  stringAttribute,
  stringAttributeProto,
} from '../attributes.ts';
import { makeNode, nodeLabel } from '../make-node.ts';
import { ATTRIBUTE_TYPE, DATA_TYPE, type NodeProto } from '../messages.ts';
import {
  int64s,
  type LiftContext,
  notLiftable,
  type Rewriting,
  setInput,
  takeAttribute,
} from './rewriting.ts';

/** The opset to which older ones are brought first. */
export const LEGACY_TARGET_OPSET = 7;

/**
 * The change that a node of opset 1 to 6 has to undergo to be one of opset 7; undefined when it stays as it is.
 * Source: the operator schemas of ONNX 1.23, every version between 1 and 7 compared.
 */
export function legacyChangeOf(opType: string, fromVersion: number): Rewriting | undefined {
  const changes: Readonly<Record<string, Change>> = CHANGES;
  const change = Object.hasOwn(changes, opType) ? changes[opType] : undefined;
  const rewrite = change !== undefined && fromVersion < change.since ? change.rewrite : undefined;
  return (node, context) => {
    const length = node.attribute.length;
    // A hint about memory, which many operators had before opset 6.
    removeAttribute(node, 'consumed_inputs');
    return rewrite?.(node, context) ?? (node.attribute.length < length ? [node] : undefined);
  };
}

interface Change {
  /** The opset from which on the operator is as opset 7 has it. */
  readonly since: number;
  readonly rewrite: Rewriting;
}

const BROADCASTING = ['Add', 'And', 'Div', 'Equal', 'Greater', 'Less', 'Mul', 'Or', 'Pow', 'Sub', 'Xor'];

const CHANGES = {
  ...Object.fromEntries(BROADCASTING.map((opType) => [opType, { since: 7, rewrite: liftBroadcast }])),
  BatchNormalization: { since: 7, rewrite: liftBatchNormalization },
  Cast: { since: 6, rewrite: liftCast },
  Concat: { since: 4, rewrite: withDefault(() => intAttributeProto('axis', 1)) },
  Dropout: { since: 7, rewrite: without('is_test') },
  GRU: { since: 7, rewrite: without('output_sequence') },
  Gemm: { since: 7, rewrite: without('broadcast') },
  GlobalLpPool: { since: 2, rewrite: liftNorm },
  LSTM: { since: 7, rewrite: without('output_sequence') },
  LpPool: { since: 2, rewrite: liftNorm },
  PRelu: { since: 7, rewrite: liftPRelu },
  Pad: { since: 2, rewrite: liftPaddings },
  RNN: { since: 7, rewrite: without('output_sequence') },
  Reshape: { since: 5, rewrite: liftReshape },
  Selu: {
    since: 6,
    rewrite: withDefault(
      () => floatAttributeProto('alpha', 1.6732),
      () => floatAttributeProto('gamma', 1.0507),
    ),
  },
  Tile: { since: 6, rewrite: refuse('its tiles and axis were one axis at a time before opset 6') },
  Upsample: { since: 7, rewrite: liftUpsample },
} satisfies Record<string, Change>;

/**
 * Up to opset 6 only the second operand is broadcast, and only with `broadcast` = 1: its axes lie at `axis` of the first
 * operand, or at its end. Opset 7 always aligns the ends, so that axes of size 1 are put behind.
 */
function liftBroadcast(node: NodeProto, context: LiftContext): readonly NodeProto[] | undefined {
  const length = node.attribute.length;
  const isBroadcast = takeAttribute(node, 'broadcast')?.i === 1n;
  const axis = takeAttribute(node, 'axis')?.i;
  if (node.attribute.length === length) return undefined;
  if (!isBroadcast || axis === undefined) return [node];
  const [first = '', second = ''] = node.input;
  const rank = context.shape(first)?.length;
  const shape = context.shape(second);
  if (shape?.length === 0) return [node];
  if (rank === undefined || shape === undefined) {
    throw notLiftable(node, `the axis along which it broadcasts ${second} needs known shapes`);
  }
  const start = Number(axis) < 0 ? Number(axis) + rank : Number(axis);
  return withTrailingAxes(node, shape.length, rank - start - shape.length, context);
}

/** Before opset 7 a slope per channel has one axis, which lies at axis 1 of the input. */
function liftPRelu(node: NodeProto, context: LiftContext): readonly NodeProto[] | undefined {
  const [input = '', slope = ''] = node.input;
  const slopeShape = context.shape(slope);
  if (slopeShape?.length === 0 || (slopeShape?.length === 1 && slopeShape[0] === 1)) return undefined;
  const rank = context.shape(input)?.length;
  if (rank === undefined || slopeShape === undefined) {
    throw notLiftable(node, `the axis of its slope ${slope} needs known shapes`);
  }
  return slopeShape.length === 1 ? withTrailingAxes(node, 1, rank - 2, context) : undefined;
}

/** Puts `count` axes of size 1 behind those of the second input, of which there are `rank`. */
function withTrailingAxes(
  node: NodeProto,
  rank: number,
  count: number,
  context: LiftContext,
): readonly NodeProto[] {
  if (count <= 0) return [node];
  const [, second = ''] = node.input;
  const aligned = context.freshName(`${nodeLabel(node)}_aligned`);
  node.input[1] = aligned;
  const axes = Array.from({ length: count }, (_, index) => BigInt(rank + index));
  return [
    makeNode('Unsqueeze', {
      name: context.freshName(`${nodeLabel(node)}_align`),
      input: [second],
      output: [aligned],
      attribute: [{ ...emptyAttribute('axes', ATTRIBUTE_TYPE.ints), ints: axes }],
    }),
    node,
  ];
}

/** One output means inference, whatever `is_test` says; the others are those of training. */
function liftBatchNormalization(node: NodeProto, context: LiftContext): readonly NodeProto[] | undefined {
  const length = node.attribute.length;
  const isTest = takeAttribute(node, 'is_test')?.i === 1n;
  if (!isTest && node.output.slice(1).some((name) => context.isRead(name))) {
    throw notLiftable(node, 'it trains');
  }
  if (node.attribute.length === length && node.output.length === 1) return undefined;
  node.output.length = 1;
  return [node];
}

/** The type that Cast gives was a word once. */
function liftCast(node: NodeProto): readonly NodeProto[] {
  const word = stringAttribute(node, 'to')?.toLowerCase() ?? '';
  const types: Readonly<Record<string, number>> = DATA_TYPE;
  const type = Object.hasOwn(types, word) ? types[word] : undefined;
  if (type === undefined) throw notLiftable(node, `it casts to '${word}', which is no type`);
  setAttribute(node, intAttributeProto('to', type));
  return [node];
}

/** LpPool and GlobalLpPool: the order of the norm was a float that only made sense as an integer. */
function liftNorm(node: NodeProto): readonly NodeProto[] | undefined {
  const order = takeAttribute(node, 'p')?.f;
  if (order === undefined) return undefined;
  if (!Number.isInteger(order)) throw notLiftable(node, `its norm of order ${order} is no longer supported`);
  setAttribute(node, intAttributeProto('p', order));
  return [node];
}

function liftPaddings(node: NodeProto): readonly NodeProto[] | undefined {
  const paddings = takeAttribute(node, 'paddings');
  if (paddings === undefined) return undefined;
  setAttribute(node, { ...paddings, name: 'pads' });
  return [node];
}

function liftReshape(node: NodeProto, context: LiftContext): readonly NodeProto[] | undefined {
  const shape = takeAttribute(node, 'shape');
  if (shape === undefined) return undefined;
  setInput(node, 1, context.addConstant(`${nodeLabel(node)}_shape`, int64s(shape.ints)));
  return [node];
}

/** Upsample-1 knows images only: `height_scale` and `width_scale`, and calls `linear` bilinear. */
function liftUpsample(node: NodeProto): readonly NodeProto[] | undefined {
  const height = takeAttribute(node, 'height_scale')?.f;
  const width = takeAttribute(node, 'width_scale')?.f;
  if (height === undefined || width === undefined) return undefined;
  const scales = { ...emptyAttribute('scales', ATTRIBUTE_TYPE.floats), floats: [1, 1, height, width] };
  setAttribute(node, scales);
  if (stringAttribute(node, 'mode') === 'bilinear')
    setAttribute(node, stringAttributeProto('mode', 'linear'));
  return [node];
}

function without(attributeName: string): Rewriting {
  return (node) => (takeAttribute(node, attributeName) === undefined ? undefined : [node]);
}

/** Writes out defaults that later opsets have not. */
function withDefault(...defaults: readonly (() => ReturnType<typeof intAttributeProto>)[]): Rewriting {
  return (node) => {
    const missing = defaults.map((make) => make()).filter(({ name }) => !findAttribute(node, name ?? ''));
    for (const attribute of missing) setAttribute(node, attribute);
    return missing.length > 0 ? [node] : undefined;
  };
}

function refuse(reason: string): Rewriting {
  return (node) => {
    throw notLiftable(node, reason);
  };
}

function floatAttributeProto(name: string, value: number) {
  return { ...emptyAttribute(name, ATTRIBUTE_TYPE.float), f: value };
}
