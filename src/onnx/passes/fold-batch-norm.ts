import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { floatAttribute, intAttribute, removeAttribute } from '../attributes.ts';
import { allowFreeInitializers } from '../free-initializers.ts';
import { type GraphIndex, hasOneReader, indexGraph } from '../graph-index.ts';
import { isDefaultDomain, nodeLabel } from '../make-node.ts';
import type { GraphProto, NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import type { TensorDataProblemKind } from '../tensor-data.ts';
import { createFloatConstants, type FloatConstants } from './float-constants.ts';
import { type OutputChannels, outputChannels } from './output-channels.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Folds BatchNormalization nodes into the Conv, ConvTranspose or Gemm in front of them:
 *
 *     f = scale / sqrt(var + epsilon)      W' = W * f per output channel      b' = (b - mean) * f + B
 *
 * in float64, rounded once to float32. A node is folded when nothing else reads what lies between the two, every
 * parameter is a float32 constant and the node only infers; results then differ from the original by float rounding.
 * Weights that other nodes read as well are copied. Counts BatchNormalization nodes. Changes the model in place.
 */
export function foldBatchNorm(model: OnnxModel): Result<PassResult, Problem<TensorDataProblemKind>> {
  const { graph } = model.proto;
  return attempt(() => passResult(graph === undefined ? 0 : foldAll(model, graph)));
}

function foldAll(model: OnnxModel, graph: GraphProto): number {
  const index = indexGraph(graph);
  const constants = createFloatConstants(model, graph, index);
  const folded = new Set<NodeProto>();
  for (const norm of graph.node) {
    if (norm.opType !== 'BatchNormalization' || !isDefaultDomain(norm.domain)) continue;
    const producer = index.producerOf.get(norm.input[0] ?? '');
    if (producer !== undefined && canMerge(norm, producer, index) && fold(norm, producer, constants)) {
      folded.add(norm);
    }
  }
  graph.node = graph.node.filter((node) => !folded.has(node));
  if (folded.size > 0) allowFreeInitializers(model.proto);
  return folded.size;
}

function canMerge(norm: NodeProto, producer: NodeProto, index: GraphIndex): boolean {
  const onlyInfers =
    norm.output.slice(1).every((name) => name === '') &&
    (intAttribute(norm, 'training_mode') ?? 0) === 0 &&
    intAttribute(norm, 'spatial') !== 0;
  return hasOneReader(norm.input[0] ?? '', index) && onlyInfers && isDefaultDomain(producer.domain);
}

/** Changes `producer` so that it gives what `norm` gives; false, with nothing changed, where that cannot be done. */
function fold(norm: NodeProto, producer: NodeProto, constants: FloatConstants): boolean {
  const [, weightName = '', biasName = ''] = producer.input;
  const weight = constants.read(weightName);
  if (weight === undefined) return false;
  const channels = outputChannels(producer, weight.dims);
  if (channels === undefined) return false;
  const affine = channelAffine(norm, channels.count, constants);
  if (affine === undefined) return false;
  const bias =
    biasName === ''
      ? new Float64Array(channels.count)
      : readBias(producer, biasName, channels.count, constants);
  if (bias === undefined) return false;
  const newBias = Float32Array.from(
    bias,
    (value, channel) =>
      (value - at(affine.mean, channel)) * at(affine.factor, channel) + at(affine.bias, channel),
  );
  if (!newBias.every(Number.isFinite)) return false;

  const label = nodeLabel(producer);
  scaleChannels(weight.data, channels, affine.factor);
  producer.input = [
    producer.input[0] ?? '',
    constants.write(weightName, `${label}_weight`, weight.dims, weight.data),
    constants.write(biasName, `${label}_bias`, [channels.count], newBias),
  ];
  if (producer.opType === 'Gemm') removeAttribute(producer, 'beta');
  producer.output = [norm.output[0] ?? ''];
  return true;
}

interface ChannelAffine {
  readonly factor: Float64Array;
  readonly mean: Float32Array;
  readonly bias: Float32Array;
}

/** What a BatchNormalization does to each of `count` channels. */
function channelAffine(norm: NodeProto, count: number, constants: FloatConstants): ChannelAffine | undefined {
  const [scale, bias, mean, variance] = norm.input.slice(1, 5).map((name) => constants.read(name)?.data);
  if (scale === undefined || bias === undefined || mean === undefined || variance === undefined)
    return undefined;
  if ([scale, bias, mean, variance].some((data) => data.length !== count)) return undefined;
  const epsilon = floatAttribute(norm, 'epsilon') ?? Math.fround(1e-5);
  const factor = Float64Array.from(
    scale,
    (value, channel) => value / Math.sqrt(at(variance, channel) + epsilon),
  );
  // A variance of zero without epsilon, or a negative one, has no factor that could be folded.
  return factor.every(Number.isFinite) ? { factor, mean, bias } : undefined;
}

/** The bias per channel, which Gemm scales by `beta` and may broadcast from one element. */
function readBias(
  producer: NodeProto,
  name: string,
  count: number,
  constants: FloatConstants,
): Float64Array | undefined {
  const stored = constants.read(name);
  if (stored === undefined) return undefined;
  const { data, dims } = stored;
  if (producer.opType !== 'Gemm') return data.length === count ? Float64Array.from(data) : undefined;
  const isRow = dims.slice(0, -1).every((dim) => dim === 1) && (data.length === count || data.length === 1);
  if (!isRow) return undefined;
  const beta = floatAttribute(producer, 'beta') ?? 1;
  return Float64Array.from(
    { length: count },
    (_, channel) => beta * at(data, data.length === 1 ? 0 : channel),
  );
}

function scaleChannels(data: Float32Array, channels: OutputChannels, factor: Float64Array): void {
  const { blockSize } = channels;
  for (let block = 0; block * blockSize < data.length; block++) {
    const blockFactor = at(factor, channels.channelOfBlock(block));
    const end = (block + 1) * blockSize;
    for (let index = block * blockSize; index < end; index++) data[index] = at(data, index) * blockFactor;
  }
}

/** An element that is there by construction. */
function at(values: Float32Array | Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
