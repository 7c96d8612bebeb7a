import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { allowFreeInitializers } from '../free-initializers.ts';
import { type GraphIndex, hasOneReader, indexGraph } from '../graph-index.ts';
import { type KnownShape, knownShapes } from '../known-shapes.ts';
import { isDefaultDomain, nodeLabel } from '../make-node.ts';
import { DATA_TYPE, type GraphProto, type NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { readTensorData, type TensorDataProblemKind } from '../tensor-data.ts';
import { type FloatConstant, perChannel } from './channel-parameters.ts';
import { createFloatConstants, type FloatConstants } from './float-constants.ts';
import { outputChannels } from './output-channels.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Folds an Add or Sub of one constant a channel into the operator in front of it: into the bias of a Conv or
 * ConvTranspose, and a MatMul of two matrices becomes a Gemm. The runtime does the same to a float graph, but only for float, and a
 * bias that stands apart is a step of its own in int8. Results differ from the original by float rounding.
 * Counts Add and Sub nodes. Changes the model in place.
 */
export function foldBiasAdd(model: OnnxModel): Result<PassResult, Problem<TensorDataProblemKind>> {
  const { graph } = model.proto;
  return attempt(() => passResult(graph === undefined ? 0 : foldAll(model, graph)));
}

function foldAll(model: OnnxModel, graph: GraphProto): number {
  const index = indexGraph(graph);
  const constants = createFloatConstants(model, graph, index);
  const shapes = knownShapes(graph, (name) => constantInts(model, index, name));
  const folded = new Set<NodeProto>();
  for (const add of graph.node) {
    if ((add.opType !== 'Add' && add.opType !== 'Sub') || !isDefaultDomain(add.domain)) continue;
    const operands = findOperands(add, index);
    if (operands !== undefined && fold(add, operands, { index, constants, shapes })) folded.add(add);
  }
  graph.node = graph.node.filter((node) => !folded.has(node));
  if (folded.size > 0) allowFreeInitializers(model.proto);
  return folded.size;
}

interface Facts {
  readonly index: GraphIndex;
  readonly constants: FloatConstants;
  readonly shapes: ReadonlyMap<string, KnownShape>;
}

interface Operands {
  readonly producer: NodeProto;
  /** Name of the constant. */
  readonly bias: string;
}

/** The operator whose result alone the node reads, and the constant that it adds, on either side, or subtracts. */
function findOperands(add: NodeProto, index: GraphIndex): Operands | undefined {
  const [left = '', right = ''] = add.input;
  const straight = [left, right] as const;
  for (const [value, bias] of add.opType === 'Sub' ? [straight] : [straight, [right, left] as const]) {
    const producer = index.producerOf.get(value);
    if (producer === undefined || !index.initializers.has(bias)) continue;
    if (isDefaultDomain(producer.domain) && hasOneReader(value, index)) return { producer, bias };
  }
  return undefined;
}

/** Changes the producer so that it gives what `add` gives; false, with nothing changed, where that cannot be done. */
function fold(add: NodeProto, { producer, bias }: Operands, facts: Facts): boolean {
  const constant = facts.constants.read(bias);
  const added =
    constant !== undefined && add.opType === 'Sub'
      ? { ...constant, data: constant.data.map((value) => -value) }
      : constant;
  const weights = facts.index.initializers.get(producer.input[1] ?? '');
  if (added === undefined || weights?.dataType !== DATA_TYPE.float) return false;
  const values =
    producer.opType === 'MatMul'
      ? rowBias(producer, weights.dims, added, facts)
      : channelBias(producer, weights.dims, added, facts);
  if (values === undefined) return false;
  if (producer.opType === 'MatMul') producer.opType = 'Gemm';
  addBias(producer, values, facts.constants);
  producer.output = [add.output[0] ?? ''];
  return true;
}

/** The bias of the Gemm that a product of two matrices becomes. */
function rowBias(
  matMul: NodeProto,
  weightDims: readonly number[],
  added: FloatConstant,
  { shapes }: Facts,
): Float32Array | undefined {
  const [, count] = weightDims;
  const isMatrixProduct = weightDims.length === 2 && shapes.get(matMul.input[0] ?? '')?.length === 2;
  return count !== undefined && isMatrixProduct ? perChannel(added, { rank: 2, axis: 1, count }) : undefined;
}

/** The bias of a Conv or ConvTranspose, its own included. */
function channelBias(
  conv: NodeProto,
  weightDims: readonly number[],
  added: FloatConstant,
  { constants }: Facts,
): Float32Array | undefined {
  const count = conv.opType === 'Gemm' ? undefined : outputChannels(conv, weightDims)?.count;
  if (count === undefined) return undefined;
  const [, , name = ''] = conv.input;
  const own = name === '' ? new Float32Array(count) : constants.read(name)?.data;
  const values = perChannel(added, { rank: weightDims.length, axis: 1, count });
  return own?.length === count
    ? values?.map((value, channel) => value + (own[channel] as number))
    : undefined;
}

function addBias(producer: NodeProto, bias: Float32Array, constants: FloatConstants): void {
  const [input = '', weights = '', before = ''] = producer.input;
  producer.input = [
    input,
    weights,
    constants.write(before, `${nodeLabel(producer)}_bias`, [bias.length], bias),
  ];
}

function constantInts(model: OnnxModel, index: GraphIndex, name: string): readonly number[] | undefined {
  const tensor = index.initializers.get(name);
  if (tensor?.dataType !== DATA_TYPE.int64) return undefined;
  const values = readTensorData(model, tensor);
  return values.ok ? Array.from(values.value as BigInt64Array, Number) : undefined;
}
