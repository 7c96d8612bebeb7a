import type { TensorStatistics } from './tensor-statistics.ts';
import { toDecibels } from './tensor-statistics.ts';
import { median, type WeightStatistics } from './weight-statistics.ts';

/** What is behind most of a node's own error. */
export type Cause =
  | 'none'
  | 'weights'
  | 'input-rounding'
  | 'input-clipping'
  | 'output-rounding'
  | 'output-clipping';

export interface Reason {
  readonly cause: Cause;
  /** A sentence with figures. */
  readonly reason: string;
  /** What can be done about it. */
  readonly advice: readonly string[];
}

/** A tensor with its name in the float32 model. */
export interface NamedStatistics {
  readonly name: string;
  readonly statistics: TensorStatistics;
}

/** What is known of one node; noise is energy over that of the node's result. */
export interface NodeNoise {
  readonly weights: number | undefined;
  /** Of rounding and cutting off the inputs, together. */
  readonly inputs: number | undefined;
  readonly clipping: number | undefined;
  readonly weightStatistics: WeightStatistics | undefined;
  readonly inputTensors: readonly NamedStatistics[];
  readonly outputTensor: NamedStatistics | undefined;
}

/** Errors below −90 dB are those of float32 arithmetic. */
const NOTHING = 1e-9;
/** A channel of this many times the median magnitude has taken three of eight bits from it. */
const WIDE = 8;
/** A channel that reaches less than this part of the range has lost three bits to the others. */
const NARROW_CHANNEL = 8;
const NARROW_RANGE = 0.25;
const FEW_CODES = 0.25;
/** The range of a grid beyond this many times what was seen was found on other data. */
const TOO_WIDE = 2;

/** Why a node loses what it loses, in words with figures, and what to do. */
export function reasonFor(noise: NodeNoise): Reason {
  const { weights = 0, inputs = 0, clipping = 0, outputTensor } = noise;
  const grid = outputTensor?.statistics.grid;
  const shares: readonly (readonly [Cause, number])[] = [
    ['weights', weights],
    ['input-clipping', Math.min(clipping, inputs)],
    ['input-rounding', Math.max(0, inputs - clipping)],
    ['output-clipping', grid?.clippingNoise ?? 0],
    ['output-rounding', grid?.roundingNoise ?? 0],
  ];
  const [cause, most] = shares.reduce((largest, each) => (each[1] > largest[1] ? each : largest));
  if (most < NOTHING) return { cause: 'none', reason: nothingLost(noise), advice: [] };
  switch (cause) {
    case 'weights':
      return { cause, ...weightReason(noise.weightStatistics) };
    case 'input-clipping':
      return { cause, ...clippingReason(worst(noise.inputTensors, 'clippingNoise')) };
    case 'output-clipping':
      return { cause, ...clippingReason(outputTensor) };
    case 'output-rounding':
      return { cause, ...roundingReason(outputTensor) };
    default:
      return { cause, ...roundingReason(worst(noise.inputTensors, 'roundingNoise')) };
  }
}

type Said = Omit<Reason, 'cause'>;

function nothingLost({ weightStatistics }: NodeNoise): string {
  return weightStatistics === undefined
    ? 'it loses nothing: what it reads and gives lies on the grid already'
    : 'it loses nothing: its weights lie on the grid already';
}

function worst(
  tensors: readonly NamedStatistics[],
  by: 'roundingNoise' | 'clippingNoise',
): NamedStatistics | undefined {
  const of = ({ statistics }: NamedStatistics) => statistics.grid?.[by] ?? 0;
  return [...tensors].sort((a, b) => of(b) - of(a))[0];
}

function weightReason(weights: WeightStatistics | undefined): Said {
  if (weights === undefined) return { reason: 'rounding of its weights', advice: [] };
  const { bits, scales, channelAbsMax, crest, noise, cutOffRatio } = weights;
  const sqnr = `${decibels(noise)} between weights and codes`;
  const alive = channelAbsMax.filter((largest) => largest > 0);
  const largest = Math.max(...alive);
  const small = alive.filter((of) => of < largest / 16).length;
  if (scales === 'tensor' && small > 0) {
    return {
      reason: `all ${channelAbsMax.length} channels share one scale, and ${small} of them reach less than 1/16 of the largest weight, which leaves them fewer than 16 codes (${sqnr})`,
      advice: ['give every channel a scale of its own: leave out --per-tensor'],
    };
  }
  if (bits < 8) {
    return {
      reason: `${bits} bits for its weights (${sqnr})`,
      advice: ['smaller --block-size, --algorithm hqq or gptq, or 8 bits for this node'],
    };
  }
  if (cutOffRatio > 0.01) {
    return {
      reason: `${percentage(cutOffRatio)} of its weights are cut off at the ends of the grid (${sqnr})`,
      advice: ['a larger scale of the weights; --tune fast finds those of the smallest error'],
    };
  }
  if (crest > 8) {
    return {
      reason: `single weights set the scale: at the median channel the largest is ${times(crest)} the root mean square (${sqnr})`,
      advice: ['--tune fast, which chooses scales by their error and rounds weights together'],
    };
  }
  return {
    reason: `rounding of its weights to ${bits} bits, with nothing unusual about them (${sqnr})`,
    advice: ['--tune fast, which rounds the weights of a channel together'],
  };
}

function clippingReason(tensor: NamedStatistics | undefined): Said {
  const { grid, min, max } = tensor?.statistics ?? {};
  if (tensor === undefined || grid === undefined) {
    return { reason: 'values are cut off at the ends of a range', advice: [] };
  }
  return {
    reason: `${percentage(grid.clippedRatio)} of the values of '${tensor.name}' lie beyond its range ${range(grid.low, grid.high)}; they reach ${range(min ?? 0, max ?? 0)}, and ${percentage(grid.clippingNoise)} of the energy is cut off`,
    advice: ['a wider range: --method minmax or mse, or calibration samples that are more like these'],
  };
}

function roundingReason(tensor: NamedStatistics | undefined): Said {
  if (tensor === undefined) return { reason: 'rounding of its inputs', advice: [] };
  const { grid, channels, min, max } = tensor.statistics;
  if (grid === undefined) {
    return {
      reason: `rounding of '${tensor.name}', whose range is found anew for each input`,
      advice: [],
    };
  }
  const where = `the range ${range(grid.low, grid.high)} of '${tensor.name}'`;
  const seen = Math.max(Math.abs(min), Math.abs(max));
  const farther = Math.max(Math.abs(grid.low), Math.abs(grid.high));
  if (seen > 0 && farther > TOO_WIDE * seen) {
    return {
      reason: `${where} is ${times(farther / seen)} as wide as what these samples reach, ${range(min, max)}${codesUsed(grid)}`,
      advice: ['calibrate with samples that are more like these, or --method mse'],
    };
  }
  const alive = [...(channels?.absMax ?? [])].filter((of) => of > 0);
  const middle = median(alive);
  const largest = Math.max(0, ...alive);
  if (alive.length > 1 && largest > WIDE * middle) {
    const wide = alive.filter((of) => of > WIDE * middle).length;
    return {
      reason: `${wide} of ${channels?.absMax.length} channels of '${tensor.name}' need up to ${times(largest / middle)} the scale of the median, and set it for all`,
      advice: ['--tune fast, which gives channels that share a range more alike magnitudes'],
    };
  }
  const narrow = alive.filter((of) => of * NARROW_CHANNEL < farther).length;
  if (narrow * 4 > alive.length && alive.length > 1) {
    return {
      reason: `${narrow} of ${channels?.absMax.length} channels of '${tensor.name}' reach less than 1/${NARROW_CHANNEL} of its range ${range(grid.low, grid.high)}, which leaves each fewer than ${Math.ceil(grid.codes / NARROW_CHANNEL)} codes`,
      advice: ['--tune fast, which gives channels that share a range more alike magnitudes'],
    };
  }
  if (grid.rangeOf999 < NARROW_RANGE) {
    return {
      reason: `${where} is set by one value in a thousand: 99.9 % lie within ${times(1 / grid.rangeOf999, 'th')} of it${codesUsed(grid)}`,
      advice: ['a narrower range: --method mse or percentile'],
    };
  }
  if (grid.usedCodes !== undefined && grid.usedCodes < FEW_CODES * grid.codes) {
    return {
      reason: `only ${grid.usedCodes} of ${grid.codes} codes of '${tensor.name}' are used`,
      advice: ['a narrower range: --method mse or percentile'],
    };
  }
  return {
    reason: `rounding within ${where}, with nothing unusual about it (${decibels(grid.roundingNoise)})`,
    advice: [],
  };
}

function codesUsed({ usedCodes, codes }: { readonly usedCodes: number | undefined; readonly codes: number }) {
  return usedCodes === undefined || usedCodes > codes / 2 ? '' : `; ${usedCodes} of ${codes} codes are used`;
}

function decibels(noise: number): string {
  const db = toDecibels(noise);
  return db === null ? 'no error' : `${db.toFixed(1)} dB`;
}

/** 0.0123 → `1.23 %`, 0.00001 → `0.001 %`. */
function percentage(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))} %`;
}

function times(factor: number, ending?: 'th'): string {
  const text = factor >= 10 ? factor.toFixed(0) : String(Number(factor.toPrecision(2)));
  return ending === undefined ? `${text} times` : `1/${text}`;
}

function range(low: number, high: number): string {
  return `[${short(low)}, ${short(high)}]`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
