import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  removeAttribute,
  stringAttribute,
} from '../attributes.ts';
import { allowFreeInitializers } from '../free-initializers.ts';
import { hasOneReader, indexGraph } from '../graph-index.ts';
import { isDefaultDomain, nodeLabel } from '../make-node.ts';
import type { GraphProto, NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import type { TensorDataProblemKind } from '../tensor-data.ts';
import { readBias } from './channel-parameters.ts';
import { createFloatConstants, type FloatConstants } from './float-constants.ts';
import { normAffine } from './norm-affine.ts';
import { outputChannels } from './output-channels.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Folds a BatchNormalization into the Conv or Gemm behind it, when nothing else reads its result:
 *
 *     x * f + s = BatchNormalization(x)      W' = W * f per input channel      b' = b + sum of W * s
 *
 * A Conv pads with zeros behind the normalization, which the fold would shift: one that pads is left alone unless every
 * s is 0. In float64, rounded once to float32. Counts BatchNormalization nodes. Changes the model in place.
 */
export function foldInputNorm(model: OnnxModel): Result<PassResult, Problem<TensorDataProblemKind>> {
  const { graph } = model.proto;
  return attempt(() => passResult(graph === undefined ? 0 : foldAll(model, graph)));
}

function foldAll(model: OnnxModel, graph: GraphProto): number {
  const index = indexGraph(graph);
  const constants = createFloatConstants(model, graph, index);
  const folded = new Set<NodeProto>();
  for (const norm of graph.node) {
    const [output = ''] = norm.output;
    if (norm.opType !== 'BatchNormalization' || !isDefaultDomain(norm.domain)) continue;
    const [consumer] = index.consumersOf.get(output) ?? [];
    if (consumer?.inputIndex !== 0 || !hasOneReader(output, index)) continue;
    if (isDefaultDomain(consumer.node.domain) && fold(norm, consumer.node, constants)) folded.add(norm);
  }
  graph.node = graph.node.filter((node) => !folded.has(node));
  if (folded.size > 0) allowFreeInitializers(model.proto);
  return folded.size;
}

/** Changes `consumer` so that it reads what `norm` reads; false, with nothing changed, where that cannot be done. */
function fold(norm: NodeProto, consumer: NodeProto, constants: FloatConstants): boolean {
  const [, weightName = '', biasName = ''] = consumer.input;
  const weight = constants.read(weightName);
  const inputs = weight === undefined ? undefined : inputChannels(consumer, weight.dims);
  const outputs = weight === undefined ? undefined : outputChannels(consumer, weight.dims);
  if (weight === undefined || inputs === undefined || outputs === undefined) return false;
  const affine = normAffine(norm, inputs.count, constants);
  const bias = readBias(consumer, outputs.count, constants);
  if (affine === undefined || bias === undefined) return false;
  const shift = affine.factor.map(
    (factor, channel) => (affine.bias[channel] as number) - (affine.mean[channel] as number) * factor,
  );
  if (pads(consumer) && shift.some((value) => value !== 0)) return false;

  const alpha = floatAttribute(consumer, 'alpha') ?? 1;
  const { data } = weight;
  for (let at = 0; at < data.length; at++) {
    const channel = inputs.channelOf(at);
    const output = outputs.channelOfBlock(Math.floor(at / outputs.blockSize));
    bias[output] = (bias[output] as number) + alpha * (data[at] as number) * (shift[channel] as number);
    data[at] = (data[at] as number) * (affine.factor[channel] as number);
  }
  const newBias = Float32Array.from(bias);
  if (![data, newBias].every((values) => values.every(Number.isFinite))) return false;
  const label = nodeLabel(consumer);
  consumer.input = [
    norm.input[0] ?? '',
    constants.write(weightName, `${label}_weight`, weight.dims, data),
    constants.write(biasName, `${label}_bias`, [outputs.count], newBias),
  ];
  if (consumer.opType === 'Gemm') removeAttribute(consumer, 'beta');
  return true;
}

interface InputChannels {
  readonly count: number;
  /** The input channel that an element of the weights belongs to. */
  channelOf(element: number): number;
}

function inputChannels(node: NodeProto, dims: readonly number[]): InputChannels | undefined {
  const [rows, columns] = dims;
  if (rows === undefined || columns === undefined) return undefined;
  if (node.opType === 'Conv') {
    // [M, C/group, k...]
    const groups = intAttribute(node, 'group') ?? 1;
    const kernel = dims.slice(2).reduce((product, dim) => product * dim, 1);
    const rowsPerGroup = rows / groups;
    return {
      count: columns * groups,
      channelOf: (element) => {
        const block = Math.floor(element / kernel);
        const group = Math.floor(Math.floor(block / columns) / rowsPerGroup);
        return group * columns + (block % columns);
      },
    };
  }
  if (node.opType !== 'Gemm' || dims.length !== 2 || intAttribute(node, 'transA')) return undefined;
  return intAttribute(node, 'transB')
    ? { count: columns, channelOf: (element) => element % columns }
    : { count: rows, channelOf: (element) => Math.floor(element / columns) };
}

function pads(node: NodeProto): boolean {
  const automatic = stringAttribute(node, 'auto_pad') ?? 'NOTSET';
  if (automatic === 'NOTSET') return (intsAttribute(node, 'pads') ?? []).some((pad) => pad !== 0);
  return automatic !== 'VALID';
}
