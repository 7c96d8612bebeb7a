import type { NamedTensors } from '../../core/tensor.ts';
import { emptyAttribute } from '../../onnx/attributes.ts';
import { cloneMessage } from '../../onnx/clone-message.ts';
import { makeNode } from '../../onnx/make-node.ts';
import { ATTRIBUTE_TYPE, type GraphProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import type { Learn } from './learning-run.ts';

/** A tensor and where its channels lie. */
export interface ObservedChannels {
  readonly tensor: string;
  readonly axis: 'second' | 'last';
  readonly channels: number;
  /** Then its minimum is not looked for, and taken as 0. */
  readonly isNonNegative?: boolean;
  /**
   * The strides with which the rows and columns of a feature map are picked that all but its maximum is told by. Without them
   * it is looked at as a whole.
   */
  readonly strides?: readonly number[];
  /** Its channels may be scaled, and its range is to be found again then. */
  readonly isScalable?: boolean;
  /** A Clip cuts it, which channels may only be scaled up to. */
  readonly isClipped?: boolean;
}

/** What the channels of one tensor were seen to hold, over all samples and positions. */
export interface ChannelStatistics {
  readonly max: Float64Array;
  readonly min: Float64Array;
  readonly meanSquare: Float64Array;
}

export interface ChannelMeans extends ChannelStatistics {
  readonly mean: Float64Array;
}

/** What is told of channels. What is left out is not computed, and stays at what no value has changed. */
export type ChannelFigure = keyof ChannelMeans;

/** Statistics in the making, by the outputs of a model that tells about channels. */
export interface ChannelObserver {
  /** A copy of the model that was given, with outputs of its own besides. */
  readonly model: OnnxModel;
  readonly add: (outputs: NamedTensors) => void;
  readonly statistics: () => ReadonlyMap<string, ChannelMeans>;
}

/** Runs a model that tells about channels over samples, or over so many of them. */
export async function channelStatistics(
  model: OnnxModel,
  observed: readonly ObservedChannels[],
  { learn, figures }: { readonly learn: Learn; readonly figures: readonly ChannelFigure[] },
  samples?: number,
): Promise<ReadonlyMap<string, ChannelMeans>> {
  const observer = observeChannels(model, observed, figures);
  for await (const { outputs } of learn(observer.model, samples)) observer.add(outputs);
  return observer.statistics();
}

/** The runtime reduces channel by channel, so that a few numbers come out instead of whole tensors. */
export function observeChannels(
  model: OnnxModel,
  observed: readonly ObservedChannels[],
  figures: readonly ChannelFigure[],
): ChannelObserver {
  const { model: observing, outputs } = withReductions(model, observed, new Set(figures));
  const sums = observed.map(({ channels }) => ({
    max: new Float64Array(channels).fill(Number.NEGATIVE_INFINITY),
    min: new Float64Array(channels).fill(Number.POSITIVE_INFINITY),
    mean: new Float64Array(channels),
    meanSquare: new Float64Array(channels),
  }));
  let runs = 0;
  return {
    model: observing,
    add: (results) => {
      runs += 1;
      sums.forEach((sum, at) => {
        addRun(sum, outputs[at] as ReductionOutputs, results);
      });
    },
    statistics: () =>
      new Map(
        observed.map(({ tensor }, at) => {
          const { max, min, mean, meanSquare } = sums[at] as ChannelMeans;
          const average = (of: Float64Array) => of.map((sum) => sum / Math.max(1, runs));
          return [tensor, { max, min, mean: average(mean), meanSquare: average(meanSquare) }];
        }),
      ),
  };
}

function addRun(sum: ChannelMeans, names: ReductionOutputs, results: NamedTensors): void {
  const read = (name: string | undefined) =>
    name === undefined ? undefined : (results[name]?.data as Float32Array);
  const [max, least, mean, meanSquare] = [names.max, names.negatedMin, names.mean, names.meanSquare].map(
    read,
  );
  const channels = sum.max.length;
  const reduced = max ?? mean ?? meanSquare ?? least;
  const batch = (reduced?.length ?? 0) / channels;
  for (let i = 0; i < batch * channels; i++) {
    const channel = i % channels;
    if (max !== undefined) sum.max[channel] = Math.max(sum.max[channel] as number, max[i] as number);
    sum.min[channel] = Math.min(sum.min[channel] as number, -(least?.[i] ?? 0));
    sum.mean[channel] = (sum.mean[channel] as number) + (mean?.[i] ?? 0) / batch;
    sum.meanSquare[channel] = (sum.meanSquare[channel] as number) + (meanSquare?.[i] ?? 0) / batch;
  }
}

interface ReductionOutputs {
  readonly max: string | undefined;
  readonly negatedMin: string | undefined;
  readonly mean: string | undefined;
  readonly meanSquare: string | undefined;
}

/**
 * A copy of the model with outputs that reduce tensors to one figure a channel. Each tensor is seen as a feature map
 * [N, C, positions] or [1, C, positions], for which the runtime has fast kernels in every opset. One that is picked from
 * stays as it is: the runtime does not have to leave its blocked layout for it.
 */
function withReductions(
  model: OnnxModel,
  observed: readonly ObservedChannels[],
  figures: ReadonlySet<ChannelFigure>,
) {
  const copy = cloneMessage(model.proto);
  const graph = copy.graph as GraphProto;
  const names = createNameScope(graph);
  const add = (
    opType: string,
    input: readonly string[],
    hint: string,
    settings: Readonly<Record<string, readonly number[]>> = {},
  ) => {
    const output = names.fresh(hint);
    const attribute = Object.entries(settings).map(([name, ints]) => ({
      ...emptyAttribute(name, ATTRIBUTE_TYPE.ints),
      ints: ints.map(BigInt),
    }));
    graph.node.push(makeNode(opType, { name: output, input, output: [output], attribute }));
    return output;
  };
  const shapes = new Map<string, string>();
  const shape = (dims: readonly number[]) => {
    const key = dims.join();
    const known = shapes.get(key) ?? names.fresh(`shape_${dims.length}`);
    if (!shapes.has(key)) {
      graph.initializer.push(tensorFrom(known, [dims.length], BigInt64Array.from(dims, BigInt)));
      shapes.set(key, known);
    }
    return known;
  };
  const picked = (tensor: string, strides: readonly number[]) =>
    strides.every((stride) => stride === 1)
      ? tensor
      : add('MaxPool', [tensor], `${tensor}_picked`, { kernel_shape: strides.map(() => 1), strides });
  const asMap = ({ tensor, axis, channels }: ObservedChannels) => {
    if (axis === 'second') return add('Reshape', [tensor, shape([0, channels, -1])], `${tensor}_map`);
    const rows = add('Reshape', [tensor, shape([1, -1, channels])], `${tensor}_rows`);
    return add('Transpose', [rows], `${tensor}_map`, { perm: [0, 2, 1] });
  };
  const outputs = observed.map((of): ReductionOutputs => {
    const { tensor, strides } = of;
    let made: string | undefined;
    const map = () => {
      made ??= strides === undefined ? asMap(of) : picked(tensor, strides);
      return made;
    };
    const reduce = (figure: ChannelFigure, opType: string, input: () => string, hint: string) =>
      figures.has(figure) ? add(opType, [input()], `${tensor}_${hint}`) : undefined;
    const isNegative = of.isNonNegative !== true;
    const reduced = {
      max: reduce('max', 'GlobalMaxPool', () => (strides === undefined ? map() : tensor), 'max'),
      negatedMin: isNegative
        ? reduce('min', 'GlobalMaxPool', () => add('Neg', [map()], `${tensor}_negated`), 'negated_min')
        : undefined,
      mean: reduce('mean', 'GlobalAveragePool', map, 'mean'),
      meanSquare: reduce(
        'meanSquare',
        'GlobalAveragePool',
        () => add('Mul', [map(), map()], `${tensor}_square`),
        'mean_square',
      ),
    };
    for (const name of Object.values(reduced)) {
      if (name !== undefined) graph.output.push({ name, metadataProps: [] });
    }
    return reduced;
  });
  return { model: { ...model, proto: copy }, outputs };
}
