import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/benchmark/random.ts';
import { keepOutputs } from '../../../src/jobs/kept-outputs.ts';

const outputs = (...values: number[]) => ({
  y: new Tensor('float32', Float32Array.from(values), [values.length]),
});

describe('keepOutputs', () => {
  it('keeps sixteen runs, each with the same chance', () => {
    const chosen = new Map<number, number>();
    const random = seededRandom(3);
    for (let trial = 0; trial < 2_000; trial++) {
      const kept = keepOutputs(random);
      for (let run = 0; run < 64; run++) kept.offer(run, outputs(run));
      const report = kept.check((sample) => {
        chosen.set(sample, (chosen.get(sample) ?? 0) + 1);
        return outputs(sample);
      });
      expect(report).toMatchObject({ compared: 16, equalBits: 16, mismatches: [] });
    }
    // 500 of 2,000 are expected, with a standard deviation of 19.
    expect(chosen.size).toBe(64);
    for (const count of chosen.values()) expect(Math.abs(count - 500)).toBeLessThan(90);
  });

  it('names the sample whose outputs are others', () => {
    const kept = keepOutputs(seededRandom(1));
    for (let run = 0; run < 5; run++) kept.offer(run, outputs(run));
    const report = kept.check((sample) => outputs(sample === 3 ? 7 : sample));
    expect(report.mismatches).toMatchObject([{ sample: 3, output: 'y' }]);
  });

  it('keeps fewer of large outputs, but one', () => {
    const kept = keepOutputs(seededRandom(1));
    const large = outputs(...new Array<number>(16).fill(0));
    const huge = { y: new Tensor('float32', new Float32Array(3 * 2 ** 20), [3 * 2 ** 20]) };
    kept.offer(0, huge);
    for (let run = 1; run < 9; run++) kept.offer(run, large);
    expect(kept.check(() => huge).compared).toBe(2);
  });
});
