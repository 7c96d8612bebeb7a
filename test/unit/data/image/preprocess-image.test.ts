import { describe, expect, it } from 'vitest';
import type { InputSpec } from '../../../../src/core/data-spec.ts';
import type { PixelImage } from '../../../../src/data/image/pixel-image.ts';
import { createImagePreparer } from '../../../../src/data/image/preprocess-image.ts';
import { preprocessImage } from '../../../support/pictures.ts';
import { floatsOf, imageOf, vectors } from './image-vectors.ts';

/** Two pixels: red-ish and blue-ish. */
const TWO: PixelImage = { width: 2, height: 1, channels: 3, data: new Uint8Array([100, 20, 30, 1, 2, 200]) };

function numbersOf(image: PixelImage, spec: InputSpec): number[] {
  return [...(preprocessImage(image, spec).tensor.data as Float32Array)];
}

describe('createImagePreparer', () => {
  it('feeds the pixels of each channel together, or the channels of each pixel', () => {
    expect(preprocessImage(TWO, {}).tensor).toEqual({
      type: 'float32',
      dims: [3, 1, 2],
      data: new Float32Array([100, 1, 20, 2, 30, 200]),
    });
    expect(preprocessImage(TWO, { image: { layout: 'nhwc' } }).tensor).toEqual({
      type: 'float32',
      dims: [1, 2, 3],
      data: new Float32Array([100, 20, 30, 1, 2, 200]),
    });
  });

  it('crops the centre of gray and of colour pictures', () => {
    const gray: PixelImage = { width: 4, height: 1, channels: 1, data: new Uint8Array([1, 2, 3, 4]) };
    const crop = { width: 2, height: 1 };
    expect(numbersOf(gray, { image: { crop, channels: 'gray' } })).toEqual([2, 3]);
    expect(numbersOf(gray, { image: { crop } })).toEqual([2, 3, 2, 3, 2, 3]);
  });

  it('puts blue first, with mean and std in the order that is fed', () => {
    const spec: InputSpec = {
      image: { channels: 'bgr', layout: 'nhwc' },
      mean: [10, 20, 30],
      std: [1, 2, 4],
    };
    expect(numbersOf(TWO, spec)).toEqual([20, 0, 17.5, 190, -9, -7.25]);
  });

  it('makes a colour picture gray, and a gray picture three equal channels', () => {
    // 0.299 · 100 + 0.587 · 20 + 0.114 · 30 = 45.06, and 0.299 · 1 + 0.587 · 2 + 0.114 · 200 = 24.27.
    expect(preprocessImage(TWO, { image: { channels: 'gray' } }).tensor).toEqual({
      type: 'float32',
      dims: [1, 1, 2],
      data: new Float32Array([45, 24]),
    });
    const gray: PixelImage = { width: 2, height: 1, channels: 1, data: new Uint8Array([7, 9]) };
    expect(numbersOf(gray, {})).toEqual([7, 9, 7, 9, 7, 9]);
    expect(numbersOf(gray, { image: { channels: 'bgr', layout: 'nhwc' } })).toEqual([7, 7, 7, 9, 9, 9]);
  });

  it('normalizes as torchvision does, every step in float32', () => {
    const data = new Uint8Array(256).map((_, i) => i);
    const ramp: PixelImage = { width: 256, height: 1, channels: 1, data };
    const spec: InputSpec = { image: { channels: 'gray' }, scale: 1 / 255, mean: 0.485, std: 0.229 };
    const mean = Math.fround(0.485);
    const std = Math.fround(0.229);
    const expected = Array.from(data, (x) => Math.fround(Math.fround(Math.fround(x / 255) - mean) / std));
    expect(numbersOf(ramp, spec)).toEqual(expected);
  });

  it('fills a letterbox with its value and what a crop adds with zeros, both of them normalized', () => {
    const pixel: PixelImage = { width: 2, height: 1, channels: 1, data: new Uint8Array([50, 60]) };
    const spec: InputSpec = {
      image: {
        resize: { letterbox: { width: 2, height: 3 }, fill: 9 },
        crop: { width: 4, height: 3 },
        channels: 'gray',
      },
      mean: 1,
    };
    expect(numbersOf(pixel, spec)).toEqual([-1, 8, 8, -1, -1, 49, 59, -1, -1, 8, 8, -1]);
  });

  it('feeds the letterbox alone where a crop leaves nothing of the picture', () => {
    // Four columns and the first line of the letterbox are picture.
    const image: PixelImage = { width: 8, height: 2, channels: 1, data: new Uint8Array(16) };
    const letterbox = { width: 4, height: 4 };
    const spec: InputSpec = {
      image: {
        resize: { letterbox, align: 'top-left', fill: 6 },
        crop: { width: 2, height: 2 },
        channels: 'gray',
      },
    };
    expect(numbersOf(image, spec)).toEqual([6, 6, 6, 6]);
  });

  it('fills a letterbox with 114 unless told otherwise', () => {
    const pixel: PixelImage = { width: 1, height: 1, channels: 1, data: new Uint8Array([5]) };
    const spec: InputSpec = {
      image: { resize: { letterbox: { width: 2, height: 1 }, align: 'top-left' }, channels: 'gray' },
    };
    expect(numbersOf(pixel, spec)).toEqual([5, 114]);
  });

  it('gives what Pillow and NumPy give, bit for bit', () => {
    for (const { source, spec, dims, float32 } of vectors.prepare) {
      const { tensor } = preprocessImage(imageOf(source), spec);
      expect(tensor, JSON.stringify(spec)).toEqual({ type: 'float32', dims, data: floatsOf(float32) });
    }
  });

  it('tells how original pixels map to fed ones', () => {
    const image: PixelImage = { width: 40, height: 20, channels: 1, data: new Uint8Array(800) };
    const spec: InputSpec = { image: { resize: { shortSide: 10 }, crop: { width: 8, height: 8 } } };
    expect(preprocessImage(image, spec).geometry).toEqual({
      width: 40,
      height: 20,
      fedWidth: 8,
      fedHeight: 8,
      scale: [0.5, 0.5],
      offset: [-6, -1],
    });
  });

  it('refuses a picture so long that resizing it would take all memory, unless a crop bounds it', () => {
    const line: PixelImage = {
      width: 100_000,
      height: 1,
      channels: 1,
      data: new Uint8Array(100_000).fill(3),
    };
    expect(() => preprocessImage(line, { image: { resize: { shortSide: 256 } } })).toThrow(
      /would be resized to 25600000 by 256/,
    );
    const { tensor } = preprocessImage(line, {
      image: { resize: { shortSide: 256 }, crop: { width: 4, height: 4 }, channels: 'gray' },
    });
    expect(tensor.data).toEqual(new Float32Array(16).fill(3));
  });
});

describe('a preparer that is used again and again', () => {
  it('prepares pictures of many sizes as it does each alone, and changes none of them', () => {
    const spec: InputSpec = {
      image: { resize: { shortSide: 6 }, crop: { width: 5, height: 5 } },
      scale: 0.5,
    };
    const prepare = createImagePreparer(spec);
    const images = vectors.prepare.map(({ source }) => imageOf(source));
    for (const image of [...images, ...images]) {
      const before = image.data.slice();
      expect(prepare(image)).toEqual(preprocessImage(image, spec));
      expect(image.data).toEqual(before);
    }
  });
});
