import type { NodeProto } from '../messages.ts';
import { liftAxes, liftClip, liftPad, liftSlice, liftSplit, liftTopK } from './attributes-to-inputs.ts';
import { liftDropout } from './dropout.ts';
import { liftResize, liftUpsample } from './resize.ts';
import { notLiftable, type Rewriting, takeAttribute } from './rewriting.ts';
import { liftSoftmax } from './softmax.ts';

interface Change {
  /** The opset from which on the operator is as opset 13 has it; nodes of older models are rewritten. */
  readonly since: number;
  readonly rewrite: Rewriting;
}

/**
 * The operators whose nodes mean something else in opset 13 than in one of opsets 7 to 12. All others only gained
 * element types, broadcasting, negative axes, or attributes whose default is the old behaviour: their nodes stay as
 * they are. Source: the operator schemas of ONNX 1.23, every version between 7 and 13 compared.
 */
const CHANGES = {
  BatchNormalization: { since: 9, rewrite: liftBatchNormalization },
  Clip: { since: 11, rewrite: liftClip },
  DynamicSlice: { since: 13, rewrite: rename('Slice') },
  Dropout: { since: 12, rewrite: liftDropout },
  Hardmax: { since: 13, rewrite: liftSoftmax },
  LogSoftmax: { since: 13, rewrite: liftSoftmax },
  MeanVarianceNormalization: { since: 9, rewrite: refuse('it was experimental before opset 9') },
  Pad: { since: 11, rewrite: liftPad },
  ReduceSum: { since: 13, rewrite: liftAxes },
  Resize: { since: 13, rewrite: liftResize },
  Scan: {
    since: 9,
    rewrite: refuse('opset 8 gave its inputs a batch axis and lengths, which opset 9 took away'),
  },
  Scatter: { since: 13, rewrite: rename('ScatterElements') },
  Slice: { since: 10, rewrite: liftSlice },
  Softmax: { since: 13, rewrite: liftSoftmax },
  Split: { since: 13, rewrite: liftSplit },
  Squeeze: { since: 13, rewrite: liftAxes },
  TopK: { since: 10, rewrite: liftTopK },
  Unsqueeze: { since: 13, rewrite: liftAxes },
  Upsample: { since: 13, rewrite: liftUpsample },
  ...Object.fromEntries(
    [
      'ATen',
      'Affine',
      'Crop',
      'GRUUnit',
      'GivenTensorFill',
      'ImageScaler',
      'ParametricSoftplus',
      'Scale',
      'ScaledTanh',
    ].map((opType) => [
      opType,
      { since: 13, rewrite: refuse('it was experimental and ONNX has taken it out') },
    ]),
  ),
} satisfies Record<string, Change>;

/** The change that a node of opset `fromVersion` has to undergo; undefined when it stays as it is. */
export function changeOf(opType: string, fromVersion: number): Rewriting | undefined {
  const changes: Readonly<Record<string, Change>> = CHANGES;
  const change = Object.hasOwn(changes, opType) ? changes[opType] : undefined;
  return change !== undefined && fromVersion < change.since ? change.rewrite : undefined;
}

/** Opset 7 could normalize every activation on its own; opset 9 left only the normalization per channel. */
function liftBatchNormalization(node: NodeProto): readonly NodeProto[] | undefined {
  const spatial = takeAttribute(node, 'spatial');
  if (spatial === undefined) return undefined;
  if (spatial.i === 0n) throw notLiftable(node, 'spatial=0, a mean per activation, was taken out in opset 9');
  return [node];
}

function rename(opType: string): Rewriting {
  return (node) => {
    node.opType = opType;
    return [node];
  };
}

function refuse(reason: string): Rewriting {
  return (node) => {
    throw notLiftable(node, reason);
  };
}
