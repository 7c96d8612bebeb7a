import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACTIVATION_TYPES,
  activationCodes,
  activationGrid,
  activationParameters,
} from '../../../src/quantization/activation-grid.ts';

describe('activationGrid', () => {
  it.each([
    ['uint8', false, 0, 255],
    ['int8', false, -128, 127],
    ['int8', true, -127, 127],
    ['uint16', false, 0, 65535],
    ['int16', false, -32768, 32767],
    ['int16', true, -32767, 32767],
  ] as const)('of %s, symmetric %s, reaches from %d to %d', (type, symmetric, min, max) => {
    expect(activationGrid(type, symmetric)).toEqual({ type, symmetric, codes: { min, max } });
  });

  it('knows no symmetric grid without negative codes', () => {
    expect(() => activationGrid('uint8', true)).toThrow('uint8 codes cannot be symmetric');
  });
});

// Scale and zero point of onnxruntime.quantization 1.30, quant_utils.compute_scale_zp, for the range −0.37 to 2.91.
describe('activationParameters', () => {
  it.each([
    ['uint8', false, 0.012862744741141796, 29],
    ['int8', false, 0.012862744741141796, -99],
    ['int8', true, 0.022913385182619095, 0],
    ['uint16', false, 5.004959166399203e-5, 7393],
    ['int16', false, 5.004959166399203e-5, -25375],
    ['int16', true, 8.880886161932722e-5, 0],
  ] as const)(
    'are those of onnxruntime.quantization: %s, symmetric %s',
    (type, symmetric, scale, zeroPoint) => {
      const grid = activationGrid(type, symmetric);
      expect(activationParameters({ min: -0.37, max: 2.91 }, grid)).toEqual({ scale, zeroPoint });
    },
  );
});

describe('activationCodes', () => {
  it.each(ACTIVATION_TYPES)('of %s are at most a step from the value, in the array of the type', (type) => {
    const grid = activationGrid(type);
    const value = fc.double({ min: -3, max: 5, noNaN: true });
    fc.assert(
      fc.property(value, (given) => {
        const parameters = activationParameters({ min: -3, max: 5 }, grid);
        const codes = activationCodes(Float32Array.of(given), parameters, grid);
        expect(codes.constructor.name.toLowerCase()).toBe(`${type}array`);
        const back = (Number(codes[0]) - parameters.zeroPoint) * parameters.scale;
        expect(Math.abs(back - given)).toBeLessThanOrEqual(parameters.scale * 1.01);
      }),
    );
  });
});
