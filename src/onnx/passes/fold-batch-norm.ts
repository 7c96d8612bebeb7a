import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { removeAttribute } from '../attributes.ts';
import { allowFreeInitializers } from '../free-initializers.ts';
import { type GraphIndex, hasOneReader, indexGraph } from '../graph-index.ts';
import { isDefaultDomain, nodeLabel } from '../make-node.ts';
import type { GraphProto, NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import type { TensorDataProblemKind } from '../tensor-data.ts';
import { readBias, scaleChannels } from './channel-parameters.ts';
import { createFloatConstants, type FloatConstants } from './float-constants.ts';
import { normAffine } from './norm-affine.ts';
import { outputChannels } from './output-channels.ts';
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
  return hasOneReader(norm.input[0] ?? '', index) && isDefaultDomain(producer.domain);
}

/** Changes `producer` so that it gives what `norm` gives; false, with nothing changed, where that cannot be done. */
function fold(norm: NodeProto, producer: NodeProto, constants: FloatConstants): boolean {
  const [, weightName = '', biasName = ''] = producer.input;
  const weight = constants.read(weightName);
  const channels = weight === undefined ? undefined : outputChannels(producer, weight.dims);
  if (weight === undefined || channels === undefined) return false;
  const affine = normAffine(norm, channels.count, constants);
  const bias = readBias(producer, channels.count, constants);
  if (affine === undefined || bias === undefined) return false;
  const { factor, mean } = affine;
  const newBias = Float32Array.from(
    bias,
    (value, channel) => (value - at(mean, channel)) * at(factor, channel) + at(affine.bias, channel),
  );
  scaleChannels(weight.data, channels, factor);
  if (!newBias.every(Number.isFinite) || !weight.data.every(Number.isFinite)) return false;

  const label = nodeLabel(producer);
  producer.input = [
    producer.input[0] ?? '',
    constants.write(weightName, `${label}_weight`, weight.dims, weight.data),
    constants.write(biasName, `${label}_bias`, [channels.count], newBias),
  ];
  if (producer.opType === 'Gemm') removeAttribute(producer, 'beta');
  producer.output = [norm.output[0] ?? ''];
  return true;
}

/** An element that is there by construction. */
function at(values: Float32Array | Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
