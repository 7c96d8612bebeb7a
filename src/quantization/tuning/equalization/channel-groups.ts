import { intAttribute } from '../../../onnx/attributes.ts';
import { isDefaultDomain } from '../../../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../../onnx/messages.ts';
import { findFeatureMaps } from '../../calibration/feature-maps.ts';
import { clipBounds, type GraphView } from '../../graph-view.ts';
import { addedVector, type ConstantUse, convWeights, factorVector, matrixWeights } from '../constant-use.ts';
import { createUnions, type Unions } from './unions.ts';

/** Where the channels of a tensor lie: on axis 1 or on the last one. */
export type ChannelAxis = 'second' | 'last';

/** The channels of a tensor. Those with the same number, here or elsewhere, can only be scaled together. */
export interface TensorChannels {
  readonly axis: ChannelAxis;
  readonly groups: Int32Array;
}

/** Channels that can be scaled without a change of what the model computes, as every constant beside them can take it up. */
export interface ChannelGroups {
  readonly channelsOf: ReadonlyMap<string, TensorChannels>;
  readonly uses: readonly (ConstantUse & UseGroups)[];
  /** Groups that something reads or makes which cannot take a scale up. */
  readonly isFixed: (group: number) => boolean;
  /** What a Clip from 0 on gives, with its upper bound: scaled, it may not be cut where it was not before. */
  readonly clipped: readonly { readonly tensor: string; readonly bound: number }[];
}

interface UseGroups {
  /** The groups of the channels that it reads and makes; absent where those cannot be scaled. */
  readonly readGroups: Int32Array | undefined;
  readonly madeGroups: Int32Array | undefined;
}

/** Operators that give each channel of their first input back, scaled as it was. */
const KEEPS_SCALE: ReadonlySet<string> = new Set(['Relu', 'LeakyRelu', 'Identity', 'Dropout']);
const POOLS: ReadonlySet<string> = new Set(['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool']);

/**
 * Finds the groups of channels of a model. A scale goes through what is homogeneous (Relu, pooling, Add, Concat, a Clip that
 * begins at 0), and is taken up by the weights before and behind.
 * Source: Nagel et al., «Data-Free Quantization Through Weight Equalization and Bias Correction» (2019), section 4.1, for
 * any number of readers and writers.
 */
export function findChannelGroups(view: GraphView): ChannelGroups {
  const { graph, index } = view;
  const unions = createUnions();
  const channelsOf = new Map<string, TensorChannels>();
  const fixed: Int32Array[] = [];
  const uses: (ConstantUse & UseGroups)[] = [];
  const clipped: { tensor: string; bound: number }[] = [];
  const featureMaps = findFeatureMaps(view);
  const walk: Walk = {
    view,
    unions,
    channels: (name) => channelsOf.get(name ?? ''),
    constant: (name) => {
      const tensor = index.initializers.get(name ?? '');
      return tensor?.dataType === DATA_TYPE.float ? tensor : undefined;
    },
    use: (use, read, made) => {
      uses.push({ ...use, readGroups: read?.groups, madeGroups: made?.groups });
    },
    clip: (tensor, bound) => {
      clipped.push({ tensor, bound });
    },
    fix: (channels) => {
      fixed.push(channels.groups);
    },
    isOnePixel: (name) => featureMaps.get(name)?.every((size) => size === 1) ?? false,
  };
  for (const node of graph.node) {
    const made = isDefaultDomain(node.domain) ? channelsMade(node, walk) : undefined;
    if (made === undefined) {
      for (const name of node.input) fixed.push(channelsOf.get(name)?.groups ?? NONE);
      continue;
    }
    channelsOf.set(node.output[0] ?? '', made);
  }
  for (const [name, { groups }] of channelsOf) {
    if (index.outputs.has(name) || index.capturedBySubgraphs.has(name)) fixed.push(groups);
  }
  const fixedRoots = new Set(fixed.flatMap((groups) => [...groups].map(unions.root)));
  const resolved = (groups: Int32Array) => groups.map(unions.root);
  return {
    channelsOf: new Map([...channelsOf].map(([name, of]) => [name, { ...of, groups: resolved(of.groups) }])),
    uses: uses.map((use) => ({
      ...use,
      readGroups: use.readGroups && resolved(use.readGroups),
      madeGroups: use.madeGroups && resolved(use.madeGroups),
    })),
    isFixed: (group) => fixedRoots.has(group),
    clipped,
  };
}

const NONE = new Int32Array(0);

interface Walk {
  readonly view: GraphView;
  readonly unions: Unions;
  readonly channels: (name: string | undefined) => TensorChannels | undefined;
  readonly constant: (name: string | undefined) => TensorProto | undefined;
  readonly use: (use: ConstantUse, read?: TensorChannels, made?: TensorChannels) => void;
  readonly clip: (tensor: string, bound: number) => void;
  readonly fix: (channels: TensorChannels) => void;
  readonly isOnePixel: (tensor: string) => boolean;
}

/** The channels of what a node makes; undefined where it takes no scale, so that what it reads must have none. */
function channelsMade(node: NodeProto, walk: Walk): TensorChannels | undefined {
  const { view, channels } = walk;
  const opType = node.opType ?? '';
  const [input = ''] = node.input;
  const read = channels(input);
  if (opType === 'Conv' || opType === 'MatMul' || opType === 'Gemm') return ofProduct(node, walk);
  if (KEEPS_SCALE.has(opType)) return read;
  if (POOLS.has(opType)) return read?.axis === 'second' && (node.output[1] ?? '') === '' ? read : undefined;
  switch (opType) {
    case 'Clip': {
      const { min, max } = clipBounds(node, view);
      if (read === undefined || min !== 0 || !(max > 0)) return undefined;
      if (Number.isFinite(max)) walk.clip(node.output[0] ?? '', max);
      return read;
    }
    case 'Flatten':
      return read?.axis === 'second' && (intAttribute(node, 'axis') ?? 1) === 1 && walk.isOnePixel(input)
        ? read
        : undefined;
    case 'Add':
      return ofSum(node, walk);
    case 'Mul':
      return ofFactor(node, walk);
    case 'Concat':
      return ofConcat(node, walk);
    case 'LayerNormalization':
      return ofNorm(node, walk);
    default:
      return undefined;
  }
}

function ofProduct(node: NodeProto, walk: Walk): TensorChannels | undefined {
  const tensor = walk.constant(node.input[1]);
  const isConv = node.opType === 'Conv';
  if (tensor === undefined || tensor.dims.length < 2 || tensor.dims.includes(0)) return undefined;
  if (node.opType === 'MatMul' && tensor.dims.length !== 2) return undefined;
  if (node.opType === 'Gemm' && intAttribute(node, 'transA') === 1) return undefined;
  const read = walk.channels(node.input[0]);
  // A matrix [N, C] of a Gemm has its channels on axis 1 and on the last one alike.
  if (read !== undefined && node.opType !== 'Gemm' && read.axis !== (isConv ? 'second' : 'last'))
    return undefined;
  const use = isConv ? convWeights(node, tensor) : matrixWeights(node, tensor);
  if (read !== undefined && read.groups.length !== use.reads) return undefined;
  const made = freshChannels(use.makes, isConv ? 'second' : 'last', walk.unions);
  const biasName = node.input[2] ?? '';
  if (biasName !== '') {
    const bias = walk.constant(biasName);
    if (bias === undefined || !isRow(bias, use.makes)) return undefined;
    walk.use(addedVector(node, 2, bias, use.makes), undefined, made);
  }
  walk.use(use, read, made);
  return made;
}

function ofSum(node: NodeProto, walk: Walk): TensorChannels | undefined {
  const [a, b] = [walk.channels(node.input[0]), walk.channels(node.input[1])];
  if (a !== undefined && b !== undefined) {
    if (a.axis !== b.axis || a.groups.length !== b.groups.length) return undefined;
    a.groups.forEach((group, channel) => {
      walk.unions.unite(group, b.groups[channel] as number);
    });
    return a;
  }
  const read = a ?? b;
  const inputIndex = a === undefined ? 0 : 1;
  const added = walk.constant(node.input[inputIndex]);
  if (read === undefined || added === undefined || !isVectorOn(added, read)) return undefined;
  walk.use(addedVector(node, inputIndex, added, read.groups.length), undefined, read);
  return read;
}

/** A product with one constant a channel takes scales up on both sides. */
function ofFactor(node: NodeProto, walk: Walk): TensorChannels | undefined {
  const at = node.input.findIndex((name) => walk.constant(name) !== undefined);
  const factor = walk.constant(node.input[at]);
  if (factor === undefined) return undefined;
  const read = walk.channels(node.input[1 - at]);
  const count = read?.groups.length ?? factor.dims.at(-1) ?? 0;
  const isVector =
    read === undefined ? count > 1 && isRow(factor, count) : isVectorOn(factor, read) && count > 1;
  if (!isVector) return undefined;
  const made = freshChannels(count, read?.axis ?? 'last', walk.unions);
  walk.use(factorVector(node, at, factor, count), read, made);
  return made;
}

function ofNorm(node: NodeProto, walk: Walk): TensorChannels | undefined {
  const factor = walk.constant(node.input[1]);
  const biasName = node.input[2] ?? '';
  const bias = walk.constant(biasName);
  const count = factor?.dims[0] ?? 0;
  const isLast = (intAttribute(node, 'axis') ?? -1) === -1;
  if (factor?.dims.length !== 1 || !isLast || (biasName !== '' && bias?.dims.length !== 1)) return undefined;
  if ((node.output[1] ?? '') !== '') return undefined;
  // What it reads is normalized over all channels together.
  const read = walk.channels(node.input[0]);
  if (read !== undefined) walk.fix(read);
  const made = freshChannels(count, 'last', walk.unions);
  walk.use(factorVector(node, 1, factor, count), undefined, made);
  if (bias !== undefined) walk.use(addedVector(node, 2, bias, count), undefined, made);
  return made;
}

function ofConcat(node: NodeProto, walk: Walk): TensorChannels | undefined {
  if (intAttribute(node, 'axis') !== 1) return undefined;
  const parts = node.input.map((name) => walk.channels(name));
  if (!parts.every((part) => part?.axis === 'second')) return undefined;
  return { axis: 'second', groups: Int32Array.from(parts.flatMap((part) => [...(part?.groups ?? [])])) };
}

function freshChannels(count: number, axis: ChannelAxis, unions: Unions): TensorChannels {
  return { axis, groups: Int32Array.from({ length: count }, unions.fresh) };
}

/** One value a channel for a bias of Conv or Gemm, or for what has its channels on the last axis. */
function isRow({ dims }: TensorProto, count: number): boolean {
  return dims.at(-1) === count && dims.slice(0, -1).every((dim) => dim === 1);
}

/** Whether a constant has one value for each channel of a tensor that it is combined with; a matrix's axis 1 is its last. */
function isVectorOn(constant: TensorProto, { axis, groups }: TensorChannels): boolean {
  if (axis === 'last') return isRow(constant, groups.length);
  const [batch, channels, ...spatial] = constant.dims.length === 3 ? [1, ...constant.dims] : constant.dims;
  return batch === 1 && channels === groups.length && spatial.length > 0 && spatial.every((dim) => dim === 1);
}
