import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { pixelsOfTensor } from '../../../../src/data/image/pixels-of-tensor.ts';

function bytes(...dims: number[]): Tensor {
  return { type: 'uint8', dims, data: new Uint8Array(dims.reduce((count, dim) => count * dim, 1)) };
}

describe('pixelsOfTensor', () => {
  it('takes arrays of one and of three channels without copying them', () => {
    for (const [dims, channels] of [
      [[2, 4], 1],
      [[2, 4, 1], 1],
      [[2, 4, 3], 3],
    ] as const) {
      const tensor = bytes(...dims);
      const pixels = pixelsOfTensor(tensor);
      expect(pixels).toEqual({ ok: true, value: { width: 4, height: 2, channels, data: tensor.data } });
      expect(pixels.ok && pixels.value.data).toBe(tensor.data);
    }
  });

  it('refuses other elements, and says what to store', () => {
    const floats: Tensor = { type: 'float32', dims: [2, 2], data: new Float32Array(4) };
    expect(pixelsOfTensor(floats)).toMatchObject({
      error: { kind: 'preprocess-invalid', message: expect.stringContaining('float32') },
    });
    expect(pixelsOfTensor({ type: 'bool', dims: [2, 2], data: new Uint8Array(4) })).toMatchObject({
      ok: false,
    });
  });

  it.each([[[4]], [[2, 2, 2]], [[2, 2, 4]], [[1, 2, 2, 3]], [[2, 2, 3, 1]], [[0, 2]], [[2, 0, 3]]])(
    'refuses the shape [%s]',
    (dims) => {
      expect(pixelsOfTensor(bytes(...dims))).toMatchObject({
        error: { kind: 'preprocess-invalid', message: expect.stringContaining(`[${dims}]`) },
      });
    },
  );

  it('sees that channels come first, and says how to turn them', () => {
    expect(pixelsOfTensor(bytes(3, 32, 32))).toMatchObject({
      error: { hint: expect.stringContaining('transpose') },
    });
  });
});
