import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { removeAttribute } from '../attributes.ts';
import { allowFreeInitializers } from '../free-initializers.ts';
import { type GraphIndex, hasOneReader, indexGraph } from '../graph-index.ts';
import { isDefaultDomain, nodeLabel } from '../make-node.ts';
import type { GraphProto, NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import type { TensorDataProblemKind } from '../tensor-data.ts';
import { perChannel, readBias, scaleChannels } from './channel-parameters.ts';
import { createFloatConstants, type FloatConstants } from './float-constants.ts';
import { type OutputChannels, outputChannels } from './output-channels.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Folds a Mul by, or a Div by, one constant a channel into the weights and bias of the Conv, ConvTranspose, Gemm or MatMul
 * in front of it, in float64 and rounded once to float32. Results then differ from the original by float rounding.
 * Weights that other nodes read as well are copied. Counts Mul and Div nodes. Changes the model in place.
 */
export function foldScale(model: OnnxModel): Result<PassResult, Problem<TensorDataProblemKind>> {
  const { graph } = model.proto;
  return attempt(() => passResult(graph === undefined ? 0 : foldAll(model, graph)));
}

function foldAll(model: OnnxModel, graph: GraphProto): number {
  const index = indexGraph(graph);
  const constants = createFloatConstants(model, graph, index);
  const folded = new Set<NodeProto>();
  for (const scale of graph.node) {
    if ((scale.opType !== 'Mul' && scale.opType !== 'Div') || !isDefaultDomain(scale.domain)) continue;
    const operands = findOperands(scale, index);
    if (operands !== undefined && fold(scale, operands, constants)) folded.add(scale);
  }
  graph.node = graph.node.filter((node) => !folded.has(node));
  if (folded.size > 0) allowFreeInitializers(model.proto);
  return folded.size;
}

interface Operands {
  readonly producer: NodeProto;
  /** Name of the constant. */
  readonly factor: string;
}

function findOperands(scale: NodeProto, index: GraphIndex): Operands | undefined {
  const [left = '', right = ''] = scale.input;
  const straight = [left, right] as const;
  for (const [value, factor] of scale.opType === 'Div' ? [straight] : [straight, [right, left] as const]) {
    const producer = index.producerOf.get(value);
    if (producer === undefined || !index.initializers.has(factor)) continue;
    if (isDefaultDomain(producer.domain) && hasOneReader(value, index)) return { producer, factor };
  }
  return undefined;
}

/** Changes the producer so that it gives what `scale` gives; false, with nothing changed, where that cannot be done. */
function fold(scale: NodeProto, { producer, factor: name }: Operands, constants: FloatConstants): boolean {
  const [input = '', weightName = '', biasName = ''] = producer.input;
  const weight = constants.read(weightName);
  const channels = weight === undefined ? undefined : channelsOf(producer, weight.dims);
  const given = constants.read(name);
  if (weight === undefined || channels === undefined || given === undefined) return false;
  const values = perChannel(given, { ...channels.output, count: channels.count });
  const bias = producer.opType === 'MatMul' ? [] : readBias(producer, channels.count, constants);
  if (values === undefined || bias === undefined) return false;
  const factor = Float64Array.from(values, (value) => (scale.opType === 'Div' ? 1 / value : value));
  const newBias = Float32Array.from(bias, (value, channel) => value * (factor[channel] as number));
  scaleChannels(weight.data, channels, factor);
  if (![weight.data, newBias].every((data) => data.every(Number.isFinite))) return false;

  const label = nodeLabel(producer);
  producer.input = [input, constants.write(weightName, `${label}_weight`, weight.dims, weight.data)];
  if (biasName !== '') {
    producer.input[2] = constants.write(biasName, `${label}_bias`, [channels.count], newBias);
    removeAttribute(producer, 'beta');
  }
  producer.output = [scale.output[0] ?? ''];
  return true;
}

interface ScalableChannels extends OutputChannels {
  /** Rank of the result, or the least that it can be, and the axis of the channels in it. */
  readonly output: { readonly rank: number; readonly axis: number };
}

function channelsOf(producer: NodeProto, dims: readonly number[]): ScalableChannels | undefined {
  if (producer.opType === 'MatMul') {
    const [, count] = dims;
    if (count === undefined || dims.length !== 2) return undefined;
    return { count, blockSize: 1, channelOfBlock: (block) => block % count, output: { rank: 1, axis: 0 } };
  }
  const channels = outputChannels(producer, dims);
  return channels === undefined ? undefined : { ...channels, output: { rank: dims.length, axis: 1 } };
}
