import { describe, expect, it } from 'vitest';
import { fitChannels } from '../../../../src/quantization/explain/channel-fit.ts';
import { wave } from '../../../support/explained-models.ts';
import { node } from '../../../support/graph-builder.ts';

const PRODUCT = node('MatMul', ['x', 'w'], ['y']);
const STEP = 2 ** -6;
const rounded = (values: readonly number[]) => Float32Array.from(values, (w) => Math.round(w / STEP) * STEP);
const up = (channel: number) => 10 ** (channel % 3);
const down = (channel: number) => 1 / (1 + channel);

describe('fitChannels', () => {
  it('finds factors of up to a hundred on both sides of a product', () => {
    const float = Float32Array.from({ length: 24 * 16 }, (_, i) => Math.sin(i * i));
    const scaled = [...float].map((w, i) => w * up(i % 16) * down(Math.floor(i / 16)));
    const fit = fitChannels(PRODUCT, rounded(scaled), float, [24, 16]);
    expect(fit?.noise).toBeLessThan(1e-4);
    for (const [i, value] of (fit?.values ?? []).entries()) {
      expect(Math.abs(value - (scaled[i] as number))).toBeLessThan(0.01 * up(i % 16));
    }
  });

  it('knows the channels of a convolution in groups, and of a Gemm that lies across', () => {
    const conv = node('Conv', ['x', 'w'], ['y'], { group: 2 });
    // [4, 2, 3]: outputs 0 and 1 read inputs 0 and 1, outputs 2 and 3 read inputs 2 and 3.
    const float = Float32Array.from(wave(24, 2.1));
    const inputOf = (i: number) => (i < 12 ? 0 : 2) + (Math.floor(i / 3) % 2);
    const scaled = float.map((w, i) => w * up(Math.floor(i / 6)) * down(inputOf(i)));
    expect(fitChannels(conv, scaled, float, [4, 2, 3])?.noise).toBeLessThan(1e-9);
    const gemm = node('Gemm', ['x', 'w'], ['y'], { transB: 1 });
    const across = float.map((w, i) => w * up(Math.floor(i / 6)) * down(i % 6));
    expect(fitChannels(gemm, across, float, [4, 6])?.noise).toBeLessThan(1e-9);
  });

  it('does not make weights of another model fit', () => {
    const [float, other] = [Math.sin, Math.cos].map((of) =>
      Float32Array.from({ length: 384 }, (_, i) => of(i * i)),
    );
    expect(
      fitChannels(PRODUCT, other as Float32Array, float as Float32Array, [24, 16])?.noise,
    ).toBeGreaterThan(0.5);
  });

  it('leaves alone what has no such channels', () => {
    const ones = Float32Array.of(1, 1);
    expect(fitChannels(node('Add', ['x', 'w'], ['y']), ones, ones, [2])).toBeUndefined();
  });
});
