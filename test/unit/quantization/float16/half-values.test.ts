import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFloat16, encodeFloat16 } from '../../../../src/core/float16.ts';
import { DATA_TYPE } from '../../../../src/onnx/messages.ts';
import { readTensorData } from '../../../../src/onnx/tensor-data.ts';
import {
  halfTensor,
  halfValues,
  tooLargeForFloat16,
  tooSmallForFloat16,
} from '../../../../src/quantization/float16/half-values.ts';
import { graph, model, tensor } from '../../../support/graph-builder.ts';
import { unwrap } from '../../../support/unwrap.ts';

function float32(bits: number): number {
  const [value] = new Float32Array(Uint32Array.of(bits).buffer);
  return value as number;
}

/** Every bit pattern, and as often those from 2^-28 to 2^17, between which float16 starts and ends. */
const anyFloat32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }).map(float32),
  fc.integer({ min: 0x31800000, max: 0x48000000 }).map(float32),
  fc.integer({ min: 0x31800000, max: 0x48000000 }).map((bits) => -float32(bits)),
);

function halves(...values: number[]): number[] {
  return Array.from(halfValues(Float32Array.from(values)).bits, decodeFloat16);
}

describe('halfValues', () => {
  it('rounds as IEEE 754 does wherever float16 has a finite value other than 0', () => {
    fc.assert(
      fc.property(anyFloat32, (value) => {
        const expected = encodeFloat16(value);
        fc.pre(Number.isFinite(decodeFloat16(expected)) && (decodeFloat16(expected) !== 0 || value === 0));
        expect(halfValues(Float32Array.of(value))).toEqual({
          bits: Uint16Array.of(expected),
          clamped: 0,
          raised: 0,
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('gives back every value that float16 holds', () => {
    const all = Array.from({ length: 0x7c00 }, (_, bits) => bits);
    expect(Array.from(halfValues(Float32Array.from(all, decodeFloat16)).bits)).toEqual(all);
  });

  it('rounds ties to even', () => {
    const step = 2 ** -10;
    expect(halves(1 + step / 2, 1 + 1.5 * step, 2.5 * 2 ** -24, 3.5 * 2 ** -24)).toEqual([
      1,
      1 + 2 * step,
      2 * 2 ** -24,
      4 * 2 ** -24,
    ]);
  });

  it('keeps sign, finiteness and being zero of every value', () => {
    fc.assert(
      fc.property(anyFloat32, (value) => {
        const [half] = halves(value);
        expect(Number.isFinite(half)).toBe(Number.isFinite(value));
        expect(Math.sign(half as number)).toBe(Math.sign(value));
      }),
    );
  });

  it('is monotonic', () => {
    fc.assert(
      fc.property(anyFloat32, anyFloat32, (a, b) => {
        fc.pre(a <= b);
        const [halfA, halfB] = halves(a, b);
        expect(halfA).toBeLessThanOrEqual(halfB as number);
      }),
    );
  });

  it('limits what is too large and counts it, and rounds what lies just above the largest', () => {
    const made = halfValues(Float32Array.of(1e9, -3.4e38, 65519, 65520, 7));
    expect(Array.from(made.bits, decodeFloat16)).toEqual([65504, -65504, 65504, 65504, 7]);
    expect(made.clamped).toBe(3);
  });

  it('raises what would vanish to the smallest value and counts it', () => {
    const made = halfValues(Float32Array.of(1e-12, -1e-12, 2 ** -25, 2 ** -24, 0, -0));
    const tiny = 2 ** -24;
    expect(Array.from(made.bits, decodeFloat16)).toEqual([tiny, -tiny, tiny, tiny, 0, -0]);
    expect(made.raised).toBe(3);
  });

  it('reads a view into a larger buffer where it lies', () => {
    const values = Float32Array.of(9, 1, 2).subarray(1);
    expect(Array.from(halfValues(values).bits, decodeFloat16)).toEqual([1, 2]);
  });
});

describe('halfTensor', () => {
  it('has the shape and the notes of the constant under the name given', () => {
    const constant = { ...tensor('w', [2, 1], [1.5, -2]), docString: 'trained' };
    const made = halfTensor(constant, 'w_float16', halfValues(Float32Array.of(1.5, -2)));
    expect(made).toMatchObject({
      name: 'w_float16',
      dims: [2, 1],
      dataType: DATA_TYPE.float16,
      docString: 'trained',
    });
    const data = unwrap(readTensorData(model(graph({ nodes: [], outputs: [] })), made));
    expect(Array.from(data as Uint16Array, decodeFloat16)).toEqual([1.5, -2]);
  });
});

describe('tooLargeForFloat16', () => {
  it('says nothing of values that fit, infinities among them', () => {
    expect(tooLargeForFloat16(Float32Array.of(0, 1, -65504, Number.POSITIVE_INFINITY))).toBeUndefined();
  });

  it('counts values that are too large', () => {
    expect(tooLargeForFloat16(Float32Array.of(1, 70_000, -1e9))).toBe('2 of 3 values');
  });
});

describe('tooSmallForFloat16', () => {
  it('says nothing of zeros, nor of small values beside larger ones', () => {
    expect(tooSmallForFloat16(Float32Array.of(0))).toBeUndefined();
    expect(tooSmallForFloat16(Float32Array.of(0, 0))).toBeUndefined();
    expect(tooSmallForFloat16(Float32Array.of(1e-9, 2 ** -21))).toBeUndefined();
    expect(tooSmallForFloat16(Float32Array.of(Number.NaN, 1e-9))).toBeUndefined();
  });

  it('names a single value that is too small to keep its digits', () => {
    expect(tooSmallForFloat16(Float32Array.of(2 ** -20))).toBe(`${2 ** -20}`);
  });

  it('tells of many that are all too small', () => {
    expect(tooSmallForFloat16(Float32Array.of(0, -(2 ** -22), 2 ** -30))).toBe(
      `3 values of at most ${2 ** -22}`,
    );
  });
});
