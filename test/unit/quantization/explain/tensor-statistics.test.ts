import { describe, expect, it } from 'vitest';
import { DATA_TYPE } from '../../../../src/onnx/messages.ts';
import { accumulateTensor, BINS_OVER_RANGE } from '../../../../src/quantization/explain/tensor-statistics.ts';

/** Codes 0 to 255 for 0 to 2.55. */
const GRID = { scale: 0.01, zeroPoint: 0, codes: { min: 0, max: 255 }, dataType: DATA_TYPE.uint8 };

describe('accumulateTensor', () => {
  it('tells rounding from cutting off', () => {
    const accumulator = accumulateTensor(GRID);
    accumulator.add(Float32Array.of(1, 1.004, 3.55, 0), [1, 4], undefined);
    const { grid, signal, accumulatedNoise } = accumulator.result();
    expect(signal).toBeCloseTo(1 + 1.004 ** 2 + 3.55 ** 2, 4);
    expect((grid?.roundingNoise ?? 0) * signal).toBeCloseTo(0.004 ** 2, 6);
    expect((grid?.clippingNoise ?? 0) * signal).toBeCloseTo(1, 4);
    expect(grid).toMatchObject({ clippedRatio: 0.25, usedCodes: 3, codes: 256, low: 0 });
    expect(accumulatedNoise).toBeUndefined();
  });

  it('tells how much of the range nearly all values take', () => {
    const accumulator = accumulateTensor(GRID);
    const values = new Float32Array(10_000).fill(0.2);
    values[0] = 2.5;
    accumulator.add(values, [1, 10_000], undefined);
    // Magnitudes are counted by eighths of an octave.
    expect(accumulator.result().grid?.rangeOf999).toBeCloseTo(0.2 / 2.55, 1);
  });

  it('counts values before, within and behind the range', () => {
    const accumulator = accumulateTensor(GRID);
    accumulator.add(Float32Array.of(-1, 0.01, 2.54, 4, 100), [1, 5], undefined);
    const histogram = accumulator.result().grid?.histogram ?? [];
    const sum = (from: number) => histogram.slice(from, from + BINS_OVER_RANGE).reduce((a, b) => a + b, 0);
    expect([0, BINS_OVER_RANGE, 2 * BINS_OVER_RANGE].map(sum)).toEqual([1, 2, 2]);
  });

  it('compares with the values of the quantized model, unless one run did not tell them', () => {
    const accumulator = accumulateTensor(undefined);
    accumulator.add(Float32Array.of(3, 4), [1, 2], Float32Array.of(3, 5));
    expect(accumulator.result()).toMatchObject({ accumulatedNoise: 1 / 25, grid: undefined });
    accumulator.add(Float32Array.of(3, 4), [1, 2], undefined);
    expect(accumulator.result().accumulatedNoise).toBeUndefined();
  });

  it('keeps channels apart: along axis 1 of feature maps, the last axis of all else', () => {
    const map = accumulateTensor(GRID);
    map.add(Float32Array.of(1, 2, 0, 0, 0.5, 0.25), [1, 3, 1, 2], undefined);
    expect([...(map.result().channels?.absMax ?? [])]).toEqual([2, 0, 0.5]);
    const rows = accumulateTensor(GRID);
    rows.add(Float32Array.of(1, 2, 0, 3), [1, 2, 2], undefined);
    expect([...(rows.result().channels?.absMax ?? [])]).toEqual([1, 3]);
  });

  it('gives the same in whatever parts values come', () => {
    const values = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i) * 3);
    const once = accumulateTensor(GRID);
    once.add(values, [6, 10], values);
    const often = accumulateTensor(GRID);
    for (let at = 0; at < 60; at += 10)
      often.add(values.subarray(at, at + 10), [1, 10], values.subarray(at, at + 10));
    expect(often.result()).toEqual(once.result());
  });
});
