import { describe, expect, it } from 'vitest';
import { rangesOfScaled } from '../../../../src/quantization/tuning/kept-values.ts';

const MSE = { method: 'mse' } as const;

/** Two channels in turn, the second of which is ten times as large. */
function keptRun(phase: number) {
  const values = Float32Array.from(
    { length: 4000 },
    (_, i) => Math.sin(i * 1.7 + phase) * (i % 2 === 0 ? 1 : 10),
  );
  return { values, channels: Int32Array.from(values, (_, i) => i % 2) };
}

const KEPT = new Map([['h', [keptRun(0), keptRun(1)]]]);

describe('rangesOfScaled', () => {
  it('finds the range of the tensor that scaling makes of what was kept', () => {
    const { min, max } = rangesOfScaled(['h'], KEPT, () => Float64Array.of(1, 0.1), MSE).get('h') ?? {};
    expect(max).toBeGreaterThan(0.9);
    expect(max).toBeLessThanOrEqual(1.001);
    expect(min).toBeLessThan(-0.9);
    const asItWas = rangesOfScaled(['h'], KEPT, () => undefined, MSE).get('h');
    expect(asItWas?.max).toBeGreaterThan(9);
  });

  it('tells nothing of tensors that were not kept, nor where extremes are asked for', () => {
    expect([...rangesOfScaled(['h', 'other'], KEPT, () => undefined, MSE).keys()]).toEqual(['h']);
    expect(rangesOfScaled(['h'], KEPT, () => undefined, { method: 'minmax' }).size).toBe(0);
    expect(rangesOfScaled([], KEPT, () => undefined, MSE).size).toBe(0);
  });
});
