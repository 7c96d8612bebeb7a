import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../../src/core/tensor.ts';
import { createOutputError } from '../../../../src/quantization/tuning/output-error.ts';

const outputs = (tensors: Readonly<Record<string, readonly number[]>>): NamedTensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, data]) => [
      name,
      { type: 'float32', dims: [data.length], data: Float32Array.from(data) },
    ]),
  );

describe('createOutputError', () => {
  it('is the ratio of signal to noise over all samples', () => {
    const error = createOutputError();
    error.add(outputs({ y: [3, 4] }), outputs({ y: [3, 5] }));
    error.add(outputs({ y: [5, 5] }), outputs({ y: [5, 5] }));
    expect(error.sqnrDb()).toBeCloseTo(10 * Math.log10(75), 10);
    expect(error.shares()).toEqual([1 / 75, 0]);
  });

  it('weighs outputs alike, however large their numbers are', () => {
    const error = createOutputError();
    error.add(outputs({ box: [1000], score: [1] }), outputs({ box: [1000], score: [0.8] }));
    expect(error.sqnrDb()).toBeCloseTo(-10 * Math.log10(0.04 / 2), 5);
  });

  it('is infinite where nothing differs, and the lowest where the candidate is not finite', () => {
    const error = createOutputError();
    error.add(outputs({ y: [1, 2], z: [0] }), outputs({ y: [1, 2], z: [0] }));
    expect(error.sqnrDb()).toBe(Number.POSITIVE_INFINITY);
    error.add(outputs({ y: [1, 2] }), outputs({ y: [1, Number.NaN] }));
    expect(error.sqnrDb()).toBe(Number.NEGATIVE_INFINITY);
  });

  it('leaves out what is not float32', () => {
    const error = createOutputError();
    const classes = (value: bigint): NamedTensors => ({
      y: { type: 'float32', dims: [1], data: Float32Array.of(2) },
      class: { type: 'int64', dims: [1], data: BigInt64Array.of(value) },
    });
    error.add(classes(1n), classes(2n));
    expect(error.sqnrDb()).toBe(Number.POSITIVE_INFINITY);
  });
});
