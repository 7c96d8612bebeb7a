import { emptyAttribute } from '../../onnx/attributes.ts';
import { cloneMessage } from '../../onnx/clone-message.ts';
import { makeNode } from '../../onnx/make-node.ts';
import { ATTRIBUTE_TYPE, type GraphProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import type { TuningTools } from './tuning-pass.ts';

/** A tensor and where its channels lie. */
export interface ObservedChannels {
  readonly tensor: string;
  readonly axis: 'second' | 'last';
  readonly channels: number;
  /** Then its minimum is not looked for, and taken as 0. */
  readonly isNonNegative?: boolean;
}

/** What the channels of one tensor were seen to hold, over all samples and positions. */
export interface ChannelStatistics {
  readonly max: Float64Array;
  readonly min: Float64Array;
  readonly mean: Float64Array;
  readonly meanSquare: Float64Array;
}

/** The runtime reduces channel by channel, so that a few numbers come out instead of whole tensors. */
export async function channelStatistics(
  model: OnnxModel,
  observed: readonly ObservedChannels[],
  tools: Pick<TuningTools, 'learn'>,
  samples?: number,
): Promise<ReadonlyMap<string, ChannelStatistics>> {
  const { model: observing, outputs } = withReductions(model, observed);
  const sums = observed.map(({ channels }) => ({
    max: new Float64Array(channels).fill(Number.NEGATIVE_INFINITY),
    min: new Float64Array(channels).fill(Number.POSITIVE_INFINITY),
    mean: new Float64Array(channels),
    meanSquare: new Float64Array(channels),
  }));
  let runs = 0;
  for await (const { outputs: results } of tools.learn(observing, samples)) {
    runs += 1;
    sums.forEach((sum, at) => {
      const names = outputs[at] as ReductionOutputs;
      const read = (name: string | undefined) =>
        name === undefined ? undefined : (results[name]?.data as Float32Array);
      const [max, least, mean, meanSquare] = [names.max, names.negatedMin, names.mean, names.meanSquare].map(
        read,
      );
      const channels = sum.max.length;
      const batch = (max?.length ?? 0) / channels;
      for (let i = 0; i < batch * channels; i++) {
        const channel = i % channels;
        sum.max[channel] = Math.max(sum.max[channel] as number, max?.[i] as number);
        sum.min[channel] = Math.min(sum.min[channel] as number, -(least?.[i] ?? 0));
        sum.mean[channel] = (sum.mean[channel] as number) + (mean?.[i] as number) / batch;
        sum.meanSquare[channel] = (sum.meanSquare[channel] as number) + (meanSquare?.[i] as number) / batch;
      }
    });
  }
  return new Map(
    observed.map(({ tensor }, at) => {
      const { max, min, mean, meanSquare } = sums[at] as ChannelStatistics;
      const average = (of: Float64Array) => of.map((sum) => sum / Math.max(1, runs));
      return [tensor, { max, min, mean: average(mean), meanSquare: average(meanSquare) }];
    }),
  );
}

interface ReductionOutputs {
  readonly max: string;
  readonly negatedMin: string | undefined;
  readonly mean: string;
  readonly meanSquare: string;
}

/**
 * A copy of the model with outputs that reduce tensors to one figure a channel. Each tensor is seen as a feature map
 * [N, C, positions] or [1, C, positions], for which the runtime has fast kernels in every opset.
 */
function withReductions(model: OnnxModel, observed: readonly ObservedChannels[]) {
  const copy = cloneMessage(model.proto);
  const graph = copy.graph as GraphProto;
  const names = createNameScope(graph);
  const add = (opType: string, input: readonly string[], hint: string, axes?: readonly number[]) => {
    const output = names.fresh(hint);
    const attribute =
      axes === undefined ? [] : [{ ...emptyAttribute('perm', ATTRIBUTE_TYPE.ints), ints: axes.map(BigInt) }];
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
  const asMap = ({ tensor, axis, channels }: ObservedChannels) => {
    if (axis === 'second') return add('Reshape', [tensor, shape([0, channels, -1])], `${tensor}_map`);
    const rows = add('Reshape', [tensor, shape([1, -1, channels])], `${tensor}_rows`);
    return add('Transpose', [rows], `${tensor}_map`, [0, 2, 1]);
  };
  const outputs = observed.map((of): ReductionOutputs => {
    const { tensor } = of;
    const map = asMap(of);
    const reduced = {
      max: add('GlobalMaxPool', [map], `${tensor}_max`),
      negatedMin:
        of.isNonNegative === true
          ? undefined
          : add('GlobalMaxPool', [add('Neg', [map], `${tensor}_negated`)], `${tensor}_negated_min`),
      mean: add('GlobalAveragePool', [map], `${tensor}_mean`),
      meanSquare: add(
        'GlobalAveragePool',
        [add('Mul', [map, map], `${tensor}_square`)],
        `${tensor}_mean_square`,
      ),
    };
    for (const name of Object.values(reduced)) {
      if (name !== undefined) graph.output.push({ name, metadataProps: [] });
    }
    return reduced;
  });
  return { model: { ...model, proto: copy }, outputs };
}
