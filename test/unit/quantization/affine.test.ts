import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../../src/onnx/model-file.ts';
import {
  type AffineParameters,
  asymmetricParameters,
  channelAbsMax,
  channelLayout,
  INT8_REDUCED,
  INT8_SYMMETRIC,
  quantizeChannels,
  quantizeValues,
  symmetricScale,
} from '../../../src/quantization/affine.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { unwrap } from '../../support/unwrap.ts';

const UINT8 = { min: 0, max: 255 };
const uint8Codes = (values: Float32Array, parameters: AffineParameters) =>
  quantizeValues(values, parameters, UINT8, new Uint8Array(values.length));

const bound = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const range = fc.tuple(bound, bound).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));

describe('asymmetricParameters', () => {
  // Figures of onnxruntime.quantization 1.30, quant_utils.compute_scale_zp.
  it.each([
    [-1, 1, 0.007843137718737125, 128],
    [0, 6, 0.0235294122248888, 0],
    [0.5, 3, 0.0117647061124444, 0],
    [-4, -1, 0.01568627543747425, 255],
    [-0.37, 2.91, 0.012862744741141796, 29],
    [0, 0, 1, 0],
    [-25.5, 25.5, 0.20000000298023224, 128],
    [-1e38, 3e38, 1.5686274561334927e36, 64],
    [-1000, 0.001, 3.92157244682312, 255],
    [-0.001, 1000, 3.92157244682312, 0],
    // Here the width of the range, rounded to float32, gives another scale than the exact one.
    [-0.23899999260902405, 1.2059999704360962, 0.0056666661985218525, 42],
    [-3, 1, 0.01568627543747425, 191],
  ])('of the range %d to %d are those of onnxruntime.quantization', (min, max, scale, zeroPoint) => {
    expect(asymmetricParameters({ min, max }, UINT8)).toEqual({ scale, zeroPoint });
  });

  it('have a finite scale for a range whose width float32 cannot hold', () => {
    const { scale, zeroPoint } = asymmetricParameters({ min: -3e38, max: 3e38 }, UINT8);
    expect(scale).toBeCloseTo(6e38 / 255, -31);
    expect(zeroPoint).toBe(128);
  });

  it('take scale 1 where the scale would be too small for a float32', () => {
    expect(asymmetricParameters({ min: 0, max: 1e-37 }, UINT8)).toEqual({ scale: 1, zeroPoint: 0 });
  });

  it('hold 0 exactly, with a zero point on the grid and a scale that is a float32', () => {
    fc.assert(
      fc.property(range, (given) => {
        const { scale, zeroPoint } = asymmetricParameters(given, UINT8);
        expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
        expect(Math.fround(scale)).toBe(scale);
        const [code] = uint8Codes(Float32Array.of(0), { scale, zeroPoint });
        expect(code).toBe(zeroPoint);
      }),
    );
  });
});

describe('quantizeValues', () => {
  it('is at most half a step away from every value of the range', () => {
    fc.assert(
      fc.property(range, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const parameters = asymmetricParameters(given, UINT8);
        const real = Math.fround(given.min + share * (given.max - given.min));
        const [code = Number.NaN] = uint8Codes(Float32Array.of(real), parameters);
        const error = Math.abs((code - parameters.zeroPoint) * parameters.scale - real);
        // The zero point is rounded, which can push one end of the range half a step off the grid; scale 1 stands
        // for ranges that are nearly 0.
        expect(error).toBeLessThanOrEqual(1.0001 * parameters.scale);
        const isInside = code > 0 && code < 255;
        if (isInside) expect(error).toBeLessThanOrEqual(0.5001 * parameters.scale);
      }),
    );
  });

  it('gives the codes of the runtime, ties included', async () => {
    const parameters = { scale: Math.fround(0.1), zeroPoint: 7 };
    const values = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) * 0.0125);
    const session = await InferenceSession.create(
      unwrap(
        encodeModel(
          model(
            graph({
              inputs: [value('x', 'float', ['n'])],
              nodes: [node('QuantizeLinear', ['x', 's', 'z'], ['q'])],
              outputs: [value('q', 'uint8')],
              initializers: [
                tensor('s', [], [parameters.scale]),
                tensor('z', [], [parameters.zeroPoint], 'uint8'),
              ],
            }),
          ),
        ),
      ),
    );
    const { q } = await session.run({ x: new Tensor('float32', values, [values.length]) });
    await session.release();
    expect(uint8Codes(values, parameters)).toEqual(q?.data);
  });
});

describe('a symmetric grid', () => {
  it('reaches the largest weight with its last code and leaves -128 unused', () => {
    const weights = Float32Array.of(-2.54, 2.54, 1.27, -0.01);
    const scale = symmetricScale(Math.fround(2.54), INT8_SYMMETRIC);
    expect(scale).toBeCloseTo(0.02, 8);
    const codes = quantizeChannels(
      weights,
      { outer: 1, channels: 1, inner: 4 },
      Float32Array.of(scale),
      INT8_SYMMETRIC,
    );
    // 1.27 lies on a tie, and so does -0.01: both go to the even code.
    expect([...codes]).toEqual([-127, 127, 64, 0]);
  });

  it('has 129 codes when it is reduced, so that two products fit into 16 bits', () => {
    const scale = symmetricScale(1, INT8_REDUCED);
    expect(scale).toBe(1 / 64);
    const codes = quantizeChannels(
      Float32Array.of(-1, 1, 0.5),
      { outer: 1, channels: 1, inner: 3 },
      Float32Array.of(scale),
      INT8_REDUCED,
    );
    expect([...codes]).toEqual([-64, 64, 32]);
    expect(2 * 64 * 255).toBeLessThan(2 ** 15);
  });

  it('takes scale 1 for weights that are 0 or too small for a float32 scale', () => {
    expect(symmetricScale(0, INT8_SYMMETRIC)).toBe(1);
    expect(symmetricScale(1e-37, INT8_SYMMETRIC)).toBe(1);
  });
});

describe('channels of a weight tensor', () => {
  it('lie along the axis that the operator says', () => {
    expect(channelLayout([8, 3, 5, 5], 0)).toEqual({ outer: 1, channels: 8, inner: 75 });
    expect(channelLayout([6, 4], 1)).toEqual({ outer: 6, channels: 4, inner: 1 });
    expect(channelLayout([2, 3, 4], 1)).toEqual({ outer: 2, channels: 3, inner: 4 });
  });

  it('have a largest magnitude and codes of their own', () => {
    const layout = channelLayout([2, 3], 1);
    const weights = Float32Array.of(1, -10, 0, -2, 5, 0);
    expect([...channelAbsMax(weights, layout)]).toEqual([2, 10, 0]);
    const codes = quantizeChannels(weights, layout, Float32Array.of(1, 2, 1), INT8_SYMMETRIC);
    expect([...codes]).toEqual([1, -5, 0, -2, 2, 0]);
  });

  it('have NaN for a magnitude as soon as one weight is NaN, wherever it stands', () => {
    const layout = { outer: 1, channels: 2, inner: 3 };
    for (let at = 0; at < 3; at++) {
      const weights = Float32Array.of(1, 2, 3, 4, 5, 6);
      weights[at] = Number.NaN;
      expect([...channelAbsMax(weights, layout)]).toEqual([Number.NaN, 6]);
    }
  });
});
