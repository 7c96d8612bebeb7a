import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantizeBias, scalesThatHoldBias } from '../../../src/quantization/bias.ts';

const LARGEST = 2 ** 30;

describe('scalesThatHoldBias', () => {
  it('leaves scales alone whose step is fine enough', () => {
    const scales = Float32Array.of(0.01, 0.02);
    const held = scalesThatHoldBias(scales, Float64Array.of(1.27, 2.54), 0.05, Float32Array.of(3, -100));
    expect(held).toEqual(scales);
  });

  it('raises the scale of a channel of tiny weights, whose bias would not fit into int32', () => {
    const bias = Float32Array.of(0.5, 100);
    const [ordinary = 0, raised = 0] = scalesThatHoldBias(
      Float32Array.of(0.01, 1e-8),
      Float64Array.of(1.27, 1.27e-6),
      0.01,
      bias,
    );
    expect(ordinary).toBe(Math.fround(0.01));
    expect(raised).toBeGreaterThan(1e-8);
    const { codes } = quantizeBias(bias, 0.01, Float32Array.of(ordinary, raised));
    expect(codes[1]).toBeGreaterThan(0.99 * LARGEST);
    expect(codes[1]).toBeLessThanOrEqual(1.0001 * LARGEST);
  });

  it('gives a channel without weights the scale that is best for its bias', () => {
    const held = scalesThatHoldBias(Float32Array.of(1), Float64Array.of(0), 0.1, Float32Array.of(0.25));
    const { codes, scales } = quantizeBias(Float32Array.of(0.25), 0.1, held);
    expect((codes[0] as number) * (scales[0] as number)).toBeCloseTo(0.25, 7);
  });

  it('does the same for weights below what a float32 scale can hold', () => {
    const held = scalesThatHoldBias(Float32Array.of(1), Float64Array.of(1e-37), 0.1, Float32Array.of(0.25));
    const { codes, scales } = quantizeBias(Float32Array.of(0.25), 0.1, held);
    expect((codes[0] as number) * (scales[0] as number)).toBeCloseTo(0.25, 7);
  });

  it('keeps scale 1 for a channel that has neither weights nor bias', () => {
    expect(scalesThatHoldBias(Float32Array.of(1), Float64Array.of(0), 0.1, Float32Array.of(0))).toEqual(
      Float32Array.of(1),
    );
  });

  it('looks at the largest bias where one scale serves all channels', () => {
    const bias = Float32Array.of(0, -2000, 1);
    const held = scalesThatHoldBias(Float32Array.of(1e-6), Float64Array.of(1.27e-4), 1e-3, bias);
    expect(held).toHaveLength(1);
    const { codes, scales } = quantizeBias(bias, 1e-3, held);
    expect(scales).toHaveLength(1);
    expect(codes.map((code) => Math.round(code * (scales[0] as number)))).toEqual(Int32Array.of(0, -2000, 1));
  });

  it('never yields a scale of 0, not even for a bias of almost nothing', () => {
    const held = scalesThatHoldBias(Float32Array.of(1), Float64Array.of(0), 1, Float32Array.of(1e-35));
    expect(held[0]).toBeGreaterThan(0);
  });
});

describe('quantizeBias', () => {
  it('has the step of input scale times weight scale, and rounds half to even', () => {
    const { codes, scales } = quantizeBias(
      Float32Array.of(1.25, -1.25, 0.75),
      0.5,
      Float32Array.of(1, 1, 0.25),
    );
    expect([...codes]).toEqual([2, -2, 6]);
    expect([...scales]).toEqual([0.5, 0.5, 0.125]);
  });

  it('rounds on the step that is stated in float32, as the reader of the file multiplies with that', () => {
    // The exact product is larger than what float32 states, by so much that the code would be one less.
    const inputScale = Math.fround(0.1);
    const weightScale = Math.fround(0.3);
    const stated = Math.fround(inputScale * weightScale);
    const bias = Float32Array.of(stated * 2 ** 26);
    const { codes, scales } = quantizeBias(bias, inputScale, Float32Array.of(weightScale));
    expect(scales[0]).toBe(stated);
    expect(codes[0]).toBe(2 ** 26);
  });

  it('keeps a step that float32 can only state with few digits', () => {
    const { codes } = quantizeBias(Float32Array.of(1e-37), 1e-8, Float32Array.of(1e-34));
    expect(codes[0]).toBe(100_000);
  });

  it('is at most half a step away once the scales hold it, and leaves half of int32 to the products', () => {
    const magnitude = fc.double({ min: 1e-12, max: 1e6, noNaN: true });
    const sign = fc.constantFrom(-1, 1);
    fc.assert(
      fc.property(magnitude, sign, magnitude, magnitude, (size, direction, inputScale, absMax) => {
        const bias = Float32Array.of(direction * size);
        const scale = Math.fround(inputScale);
        const held = scalesThatHoldBias(Float32Array.of(absMax / 127), Float64Array.of(absMax), scale, bias);
        const { codes, scales } = quantizeBias(bias, scale, held);
        const step = scales[0] as number;
        expect(Math.abs((codes[0] as number) * step - (bias[0] as number))).toBeLessThanOrEqual(
          0.5001 * step,
        );
        expect(Math.abs(codes[0] as number)).toBeLessThanOrEqual(1.0001 * LARGEST);
      }),
    );
  });
});
