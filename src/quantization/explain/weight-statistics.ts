import { channelAbsMax, channelLayout } from '../affine.ts';
import type { GraphView } from '../graph-view.ts';
import { floatWeights, transposed, type WeightsPair } from './compare-weights.ts';
import type { PairedNode } from './pair-graphs.ts';
import { over } from './tensor-statistics.ts';

/** What codes make of the weights of one node. */
export interface WeightStatistics {
  readonly elements: number;
  readonly bits: number;
  readonly scales: 'tensor' | 'channel' | 'block';
  /** Energy of the rounding over that of the weights. */
  readonly noise: number;
  /** Of each output channel: its largest magnitude, and its noise over its signal. */
  readonly channelAbsMax: Float64Array;
  readonly channelNoise: Float64Array;
  /** The scale that each output channel has, where channels have one. */
  readonly channelScales: Float64Array | undefined;
  readonly deadChannels: number;
  /** Codes that some weight takes, of all there are. */
  readonly usedCodes: number | undefined;
  readonly codes: number;
  /** Weights that lie beyond an end of the grid. */
  readonly cutOffRatio: number;
  /** The largest magnitude of a channel over its root mean square, at the median channel. */
  readonly crest: number;
}

/** Throws `ProblemError` when weights cannot be read. */
export function weightStatistics(
  { float, weights }: PairedNode & { readonly weights: WeightsPair },
  view: GraphView,
): WeightStatistics {
  const { coded, isTransposed, inputIndex } = weights;
  const original = floatWeights(float, weights.float, view);
  const values = isTransposed ? transposed(coded.values(), coded.dims) : coded.values();
  const axis = outputAxis(float.opType ?? '', weights.float.dims.length, float, inputIndex);
  const layout = channelLayout(weights.float.dims, axis);
  const { channels, inner } = layout;
  const signal = new Float64Array(channels);
  const noise = new Float64Array(channels);
  for (let i = 0; i < original.length; i++) {
    const channel = Math.floor(i / inner) % channels;
    const value = original[i] as number;
    signal[channel] = (signal[channel] as number) + value * value;
    noise[channel] = (noise[channel] as number) + (value - (values[i] as number)) ** 2;
  }
  const absMax = channelAbsMax(original, layout);
  const perChannel = original.length / channels;
  const crests = [...absMax]
    .map((largest, channel) => largest / Math.sqrt((signal[channel] as number) / perChannel))
    .filter(Number.isFinite);
  const scaleOf = (element: number) =>
    coded.scales[coded.scales.length === 1 ? 0 : Math.floor(element / inner) % channels] as number;
  const isByChannel = coded.scales.length === channels && coded.scales.length > 1;
  return {
    elements: original.length,
    bits: coded.range === undefined ? 32 : Math.round(Math.log2(coded.range.max - coded.range.min + 1)),
    scales: coded.scales.length === 1 ? 'tensor' : isByChannel ? 'channel' : 'block',
    noise: over(sum(noise), sum(signal)),
    channelAbsMax: absMax,
    channelNoise: noise.map((of, channel) => over(of, signal[channel] as number)),
    channelScales: isByChannel ? Float64Array.from(coded.scales) : undefined,
    deadChannels: absMax.filter((largest) => largest === 0).length,
    ...codeUse(weights),
    cutOffRatio: isByChannel || coded.scales.length === 1 ? cutOff(original, values, scaleOf) : 0,
    crest: median(crests),
  };
}

/** Rounding moves a weight by half a step, learned rounding by nearly a whole one; what moves further towards 0 was cut off. */
function cutOff(original: Float32Array, values: Float32Array, scaleOf: (element: number) => number): number {
  let count = 0;
  for (let i = 0; i < original.length; i++) {
    const lost = Math.abs(original[i] as number) - Math.abs(values[i] as number);
    if (lost > scaleOf(i)) count += 1;
  }
  return original.length === 0 ? 0 : count / original.length;
}

function codeUse({ coded }: WeightsPair): Pick<WeightStatistics, 'usedCodes' | 'codes'> {
  const { range } = coded;
  if (range === undefined) return { usedCodes: undefined, codes: 0 };
  const count = range.max - range.min + 1;
  if (count > 256) return { usedCodes: undefined, codes: count };
  const read = coded.codes();
  const used = new Uint8Array(count);
  for (let i = 0; i < read.length; i++) used[(read[i] as number) - range.min] = 1;
  return { usedCodes: sum(used), codes: count };
}

/** The axis of the channels that a node gives. */
function outputAxis(
  op: string,
  rank: number,
  { attribute }: PairedNode['float'],
  inputIndex: number,
): number {
  if (op === 'Conv') return 0;
  if (op === 'ConvTranspose') return 1;
  if (op === 'Gemm') return attribute.some(({ name, i }) => name === 'transB' && i === 1n) ? 0 : 1;
  // Of a product whose constant comes first, the rows go on.
  return Math.max(0, inputIndex === 0 ? rank - 2 : rank - 1);
}

export function median(values: readonly number[] | Float64Array): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

function sum(values: Float64Array | Uint8Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
