import { describe, expect, it } from 'vitest';
import { type NodeNoise, reasonFor } from '../../../../src/quantization/explain/reasons.ts';
import type {
  ChannelStatistics,
  GridStatistics,
  TensorStatistics,
} from '../../../../src/quantization/explain/tensor-statistics.ts';
import type { WeightStatistics } from '../../../../src/quantization/explain/weight-statistics.ts';

function tensor(
  grid: Partial<GridStatistics> = {},
  more: { readonly channels?: ChannelStatistics; readonly min?: number; readonly max?: number } = {},
) {
  const statistics: TensorStatistics = {
    values: 1000,
    signal: 1,
    accumulatedNoise: 0,
    min: -1,
    max: 1,
    channels: undefined,
    grid: {
      low: -1,
      high: 1,
      roundingNoise: 1e-4,
      clippingNoise: 0,
      clippedRatio: 0,
      usedCodes: 250,
      codes: 256,
      rangeOf999: 0.9,
      histogram: [],
      ...grid,
    },
    ...more,
  };
  return { name: 't', statistics };
}

function weights(more: Partial<WeightStatistics> = {}): WeightStatistics {
  return {
    elements: 100,
    bits: 8,
    scales: 'channel',
    noise: 1e-4,
    channelAbsMax: Float64Array.of(1, 1.1),
    channelNoise: Float64Array.of(1e-4, 1e-4),
    channelScales: undefined,
    deadChannels: 0,
    usedCodes: 200,
    codes: 256,
    cutOffRatio: 0,
    crest: 3,
    ...more,
  };
}

const NOTHING: NodeNoise = {
  weights: undefined,
  inputs: undefined,
  clipping: undefined,
  weightStatistics: undefined,
  inputTensors: [],
  outputTensor: undefined,
};
const channels = (...absMax: number[]): ChannelStatistics => ({
  absMax: Float64Array.from(absMax),
  noise: new Float64Array(absMax.length),
});
const ofWeights = (more: Partial<WeightStatistics>) =>
  reasonFor({ ...NOTHING, weights: 1e-3, weightStatistics: weights(more) });
const ofInput = (input: ReturnType<typeof tensor>) =>
  reasonFor({ ...NOTHING, inputs: 1e-3, inputTensors: [tensor({ roundingNoise: 0 }), input] });

describe('reasonFor', () => {
  it('says that nothing is lost', () => {
    expect(reasonFor({ ...NOTHING, weights: 0, weightStatistics: weights({ noise: 0 }) })).toEqual({
      cause: 'none',
      reason: 'it loses nothing: its weights lie on the grid already',
      advice: [],
    });
  });

  it('goes by what loses most', () => {
    const all = { ...NOTHING, weights: 1e-3, inputs: 2e-3, clipping: 1.5e-3, weightStatistics: weights() };
    expect(reasonFor({ ...all, inputTensors: [tensor()] }).cause).toBe('input-clipping');
    expect(reasonFor({ ...all, clipping: 0.5e-3 }).cause).toBe('input-rounding');
    expect(reasonFor({ ...all, weights: 1e-2 }).cause).toBe('weights');
    expect(reasonFor({ ...all, outputTensor: tensor({ roundingNoise: 0.1 }) }).cause).toBe('output-rounding');
    expect(reasonFor({ ...all, outputTensor: tensor({ clippingNoise: 0.1 }) }).cause).toBe('output-clipping');
  });

  it('tells weights of unlike channels that share a scale, and advises one for each', () => {
    const told = ofWeights({ scales: 'tensor', channelAbsMax: Float64Array.of(10, 9, 0.1, 0.2, 0) });
    expect(told.reason).toContain('all 5 channels share one scale, and 2 of them reach less than 1/16');
    expect(told.advice).toEqual([expect.stringContaining('--per-tensor')]);
  });

  it('tells few bits, weights that are cut off, single large ones, and ordinary ones apart', () => {
    expect(ofWeights({ bits: 4 }).reason).toBe('4 bits for its weights (40.0 dB between weights and codes)');
    expect(ofWeights({ cutOffRatio: 0.05 }).reason).toContain('5 % of its weights are cut off');
    expect(ofWeights({ crest: 12 }).reason).toContain('the largest is 12 times the root mean square');
    expect(ofWeights({}).reason).toContain('nothing unusual about them');
  });

  it('tells values beyond a range, with how far they reach', () => {
    const input = tensor({ clippingNoise: 0.02, clippedRatio: 0.004 }, { min: -1, max: 5 });
    const told = reasonFor({ ...NOTHING, inputs: 0.02, clipping: 0.019, inputTensors: [input] });
    expect(told.reason).toBe(
      "0.4 % of the values of 't' lie beyond its range [-1, 1]; they reach [-1, 5], and 2 % of the energy is cut off",
    );
    expect(told.advice[0]).toContain('--method minmax');
  });

  it('tells a few channels that set the scale for all', () => {
    const told = ofInput(tensor({ low: -40, high: 40 }, { channels: channels(1, 1, 1, 40, 30), max: 40 }));
    expect(told.reason).toBe(
      "2 of 5 channels of 't' need up to 40 times the scale of the median, and set it for all",
    );
    expect(told.advice[0]).toContain('--tune fast');
  });

  it('tells channels that are left few codes', () => {
    const told = ofInput(tensor({}, { channels: channels(1, 0.9, 0.2, 0.1, 0.05, 0.2) }));
    expect(told.reason).toContain('2 of 6 channels of');
    expect(told.reason).toContain('which leaves each fewer than 32 codes');
  });

  it('tells a range that one value in a thousand sets', () => {
    const told = ofInput(tensor({ rangeOf999: 0.1, usedCodes: 60 }));
    expect(told.reason).toBe(
      "the range [-1, 1] of 't' is set by one value in a thousand: 99.9 % lie within 1/10 of it; 60 of 256 codes are used",
    );
    expect(told.advice[0]).toContain('--method mse or percentile');
  });

  it('tells a range that was found on other data, few codes, and an ordinary range', () => {
    expect(ofInput(tensor({ low: -8, high: 8 })).reason).toContain(
      'is 8 times as wide as what these samples reach',
    );
    expect(ofInput(tensor({ usedCodes: 10 })).reason).toBe("only 10 of 256 codes of 't' are used");
    expect(ofInput(tensor()).reason).toContain('nothing unusual about it (40.0 dB)');
  });
});
