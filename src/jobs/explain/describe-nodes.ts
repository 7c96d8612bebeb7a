import { nodeLabel } from '../../onnx/make-node.ts';
import type { PairedNode } from '../../quantization/explain/pair-graphs.ts';
import { type NamedStatistics, reasonFor } from '../../quantization/explain/reasons.ts';
import { type GridStatistics, toDecibels } from '../../quantization/explain/tensor-statistics.ts';
import {
  median,
  type WeightStatistics,
  weightStatistics,
} from '../../quantization/explain/weight-statistics.ts';
import { MOST_LISTED_CHANNELS, rounded } from './describe-tensors.ts';
import type { ExplainedNode, ExplainedWeights, OutputCost } from './explanation.ts';
import type { CostWithout } from './measure-gates.ts';
import type { LocalError } from './measure-local.ts';
import type { NodeFindings } from './node-findings.ts';

/** What nodes do to the outputs. */
export interface OutputFindings {
  readonly alone: ReadonlyMap<PairedNode, OutputCost>;
  readonly without: ReadonlyMap<PairedNode, CostWithout>;
  readonly leftFloat: ReadonlyMap<PairedNode, CostWithout>;
}

/** An advice to leave a node float32 has to gain so much. */
const WORTH_LEAVING_DB = 0.3;

/** Costliest first. Throws `ProblemError` when weights cannot be read. */
export function describeNodes(findings: NodeFindings, outputs: OutputFindings): readonly ExplainedNode[] {
  const { float, pairing, errors } = findings;
  const depths = new Map(float.graph.node.map((node, depth) => [node, depth]));
  const work = new Map(pairing.nodes.map((node) => [node, multiplications(node, errors.get(node))]));
  const allWork = [...work.values()].reduce((sum, of) => sum + of, 0);
  const described = pairing.nodes.map((pair) =>
    describeNode(pair, findings, outputs, {
      depth: depths.get(pair.float) ?? 0,
      workRatio: allWork === 0 ? 0 : (work.get(pair) ?? 0) / allWork,
    }),
  );
  return described.sort((a, b) => rank(a) - rank(b));
}

/** Those that were not measured at the outputs lie behind all that were. */
function rank({ alone, own }: ExplainedNode): number {
  if (alone === undefined) return 1e6 + (own.sqnrDb ?? 1e6);
  return alone.notFinite === true ? -1e6 : (alone.sqnrDb ?? 1e5);
}

function describeNode(
  pair: PairedNode,
  { float: view, pairing, statistics, errors }: NodeFindings,
  { alone, without, leftFloat }: OutputFindings,
  { depth, workRatio }: { readonly depth: number; readonly workRatio: number },
): ExplainedNode {
  const { float, output, weights } = pair;
  const error = errors.get(pair);
  const weighed = weights === undefined ? undefined : weightStatistics({ ...pair, weights }, view);
  const named = (name: string): NamedStatistics | undefined => {
    const of = statistics.get(name);
    return of === undefined || !pairing.rounded.has(name) ? undefined : { name, statistics: of };
  };
  const inputs = [...new Set(float.input)].filter((name) => pairing.rounded.has(name));
  const outputTensor = named(output);
  const { cause, reason, advice } = reasonFor({
    weights: error?.weights,
    inputs: error?.inputs,
    clipping: error?.clipping,
    weightStatistics: weighed,
    inputTensors: inputs.flatMap((name) => named(name) ?? []),
    outputTensor,
  });
  const grid = outputTensor?.statistics.grid;
  const accumulated = statistics.get(output)?.accumulatedNoise;
  const cost = alone.get(pair);
  const gained = (of: CostWithout | undefined) =>
    of === undefined ? undefined : { ...of.cost, gainDb: gainOver(of.ofAll, of.cost) };
  const [removed, left] = [gained(without.get(pair)), gained(leftFloat.get(pair))];
  const gainDb = left?.gainDb === null ? Number.POSITIVE_INFINITY : (left?.gainDb ?? 0);
  return {
    node: nodeLabel(float),
    op: float.opType ?? '',
    depth,
    output,
    inputs,
    ...(cost === undefined ? {} : { alone: cost }),
    ...(removed === undefined ? {} : { without: removed }),
    ...(left === undefined ? {} : { leftFloat: left }),
    own: describeOwn(error, grid),
    ...(accumulated === undefined ? {} : { accumulatedSqnrDb: toDecibels(accumulated) }),
    ...(weighed === undefined ? {} : { weights: describeWeights(weighed) }),
    ...(weighed === undefined ? {} : { workRatio }),
    cause,
    reason,
    advice: [
      ...advice,
      ...(gainDb >= WORTH_LEAVING_DB
        ? [
            `leave it float32 (--exclude '${nodeLabel(float)}'): gains ${Number.isFinite(gainDb) ? `${gainDb.toFixed(1)} dB` : 'all that is lost'} for ${(workRatio * 100).toFixed(1)} % of the multiplications`,
          ]
        : []),
    ],
  };
}

function describeOwn(error: LocalError | undefined, grid: GridStatistics | undefined): ExplainedNode['own'] {
  const { weights, inputs, clipping } = error ?? {};
  const all = (weights ?? 0) + (inputs ?? 0) + (grid?.roundingNoise ?? 0) + (grid?.clippingNoise ?? 0);
  return {
    sqnrDb: toDecibels(all),
    ...(weights === undefined ? {} : { weightsSqnrDb: toDecibels(weights) }),
    ...(inputs === undefined ? {} : { inputsSqnrDb: toDecibels(inputs) }),
    ...(clipping === undefined ? {} : { inputClippingSqnrDb: toDecibels(clipping) }),
    ...(grid === undefined
      ? {}
      : {
          outputRoundingSqnrDb: toDecibels(grid.roundingNoise),
          outputClippingSqnrDb: toDecibels(grid.clippingNoise),
        }),
  };
}

function gainOver(ofAll: OutputCost, without: OutputCost): number | null {
  if (ofAll.sqnrDb === null || without.notFinite === true) return 0;
  return without.sqnrDb === null ? null : without.sqnrDb - ofAll.sqnrDb;
}

function describeWeights(weights: WeightStatistics): ExplainedWeights {
  const { channelAbsMax, channelScales, usedCodes } = weights;
  const alive = [...channelAbsMax].filter((largest) => largest > 0);
  const isListed = channelAbsMax.length <= MOST_LISTED_CHANNELS;
  return {
    elements: weights.elements,
    bits: weights.bits,
    scales: weights.scales,
    sqnrDb: toDecibels(weights.noise),
    channels: channelAbsMax.length,
    deadChannels: weights.deadChannels,
    ...(usedCodes === undefined ? {} : { usedCodes }),
    codes: weights.codes,
    cutOffRatio: weights.cutOffRatio,
    spread: alive.length === 0 ? 1 : Math.max(...alive) / median(alive),
    ...(isListed ? { channelAbsMax: rounded(channelAbsMax) } : {}),
    ...(isListed && channelScales !== undefined ? { channelScales: rounded(channelScales) } : {}),
  };
}

/** Of one sample: every value of the result is a sum over the weights of its channel. */
function multiplications({ float, weights }: PairedNode, error: LocalError | undefined): number {
  if (weights === undefined || error === undefined) return 0;
  const { dims } = weights.float;
  const elements = dims.reduce((product, dim) => product * dim, 1);
  if (float.opType === 'Conv') return (error.size * elements) / (dims[0] ?? 1);
  if (dims.length < 2) return 0;
  const isAcross =
    float.opType === 'Gemm' && float.attribute.some(({ name, i }) => name === 'transB' && i === 1n);
  return error.size * ((isAcross ? dims.at(-1) : dims.at(-2)) ?? 1);
}
