import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResampler, type Resampler } from '../../../../src/data/audio/resample.ts';

interface Recorded {
  readonly fromHz: number;
  readonly toHz: number;
  readonly input: readonly number[];
  readonly output: readonly number[];
}

const fixture = fileURLToPath(new URL('../../../fixtures/audio/audio.json', import.meta.url));
const { resamplings } = JSON.parse(readFileSync(fixture, 'utf8')) as { resamplings: readonly Recorded[] };

function resampler(fromHz: number, toHz: number): Resampler {
  const found = createResampler(fromHz, toHz);
  if (found === undefined) throw new Error(`no resampler from ${fromHz} to ${toHz}`);
  return found;
}

function resampleAll(input: Float32Array, fromHz: number, toHz: number): Float32Array {
  const by = resampler(fromHz, toHz);
  return by.resample(input, 0, { start: 0, end: by.outputLength(input.length) });
}

function sine(frequencyHz: number, rateHz: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * frequencyHz * i) / rateHz));
}

/** Without the ends, where the filter reaches over the edge. */
function inner(samples: Float32Array): Float32Array {
  return samples.subarray(Math.floor(samples.length / 4), Math.floor((samples.length * 3) / 4));
}

const rate = fc.integer({ min: 1, max: 300 });
const signal = fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 300 });

describe('createResampler', () => {
  it.each(resamplings)('evaluates the formula: $fromHz Hz to $toHz Hz', ({ fromHz, toHz, input, output }) => {
    const result = resampleAll(Float32Array.from(input), fromHz, toHz);
    expect(result).toHaveLength(output.length);
    for (const [m, expected] of output.entries())
      expect(Math.abs((result[m] ?? 0) - expected)).toBeLessThan(1e-5);
  });

  it('gives as many samples as the duration needs, rounded up', () => {
    expect(resampler(44_100, 16_000).outputLength(44_100)).toBe(16_000);
    expect(resampler(44_100, 16_000).outputLength(44_101)).toBe(16_001);
    expect(resampler(8000, 16_000).outputLength(3)).toBe(6);
    expect(resampler(48_000, 16_000).outputLength(1)).toBe(1);
    expect(resampler(48_000, 16_000).outputLength(0)).toBe(0);
  });

  it.each([
    [16_000, 8000],
    [44_100, 16_000],
    [16_000, 44_100],
    [15_999, 16_000],
  ])('keeps a constant: %i Hz to %i Hz', (fromHz, toHz) => {
    const constant = new Float32Array(2000).fill(1);
    for (const value of inner(resampleAll(constant, fromHz, toHz))) expect(value).toBeCloseTo(1, 2);
  });

  it.each([
    [16_000, 8000],
    [44_100, 16_000],
    [16_000, 44_100],
  ])('keeps a tone below both Nyquist frequencies: %i Hz to %i Hz', (fromHz, toHz) => {
    const result = resampleAll(sine(1000, fromHz, 4000), fromHz, toHz);
    const expected = sine(1000, toHz, result.length);
    const difference = inner(result).map((value, i) => Math.abs(value - (inner(expected)[i] ?? 0)));
    expect(Math.max(...difference)).toBeLessThan(0.01);
  });

  it('takes out a tone above the new Nyquist frequency', () => {
    const result = resampleAll(sine(6000, 16_000, 4000), 16_000, 8000);
    expect(Math.max(...inner(result))).toBeLessThan(0.01);
  });

  it('gives the same samples part by part, from no more input than it asks for', () => {
    fc.assert(
      fc.property(rate, rate, signal, fc.nat(100), fc.nat(100), (fromHz, toHz, values, a, b) => {
        const input = Float32Array.from(values);
        const by = resampler(fromHz, toHz);
        const all = resampleAll(input, fromHz, toHz);
        const start = Math.min(a, b, all.length);
        const end = Math.min(Math.max(a, b), all.length);
        const needed = by.inputRange({ start, end });
        const inputStart = Math.max(0, needed.start);
        const part = input.slice(inputStart, Math.max(inputStart, needed.end));
        expect(by.resample(part, inputStart, { start, end })).toEqual(all.slice(start, end));
      }),
      { numRuns: 300 },
    );
  });

  it('depends on the ratio of the rates alone', () => {
    const input = Float32Array.from({ length: 100 }, (_, i) => (i * 37) % 11);
    expect(resampleAll(input, 44_100, 16_000)).toEqual(resampleAll(input, 441, 160));
  });

  it('stays exact far behind the start of a long recording', () => {
    const by = resampler(44_100, 16_000);
    const period = Float32Array.from({ length: 441 }, (_, i) => Math.sin(i));
    const input = Float32Array.from({ length: 2000 }, (_, i) => period[i % 441] ?? 0);
    const far = 441 * 1_000_000_000;
    const near = by.resample(input, 0, { start: 160, end: 320 });
    const output = { start: 160 * 1_000_000_000 + 160, end: 160 * 1_000_000_000 + 320 };
    expect(by.resample(input, far, output)).toEqual(near);
  });

  it('is none where the filters of all phases would not fit into memory', () => {
    expect(createResampler(4_294_967_295, 16_001)).toBeUndefined();
    expect(createResampler(16_000, 4_294_967_291)).toBeUndefined();
    expect(createResampler(44_099, 48_000)).toBeDefined();
  });

  it('refuses rates that are none', () => {
    for (const wrong of [0, -1, 0.5, Number.NaN]) {
      expect(() => createResampler(wrong, 16_000)).toThrow(RangeError);
      expect(() => createResampler(16_000, wrong)).toThrow(RangeError);
    }
  });
});
