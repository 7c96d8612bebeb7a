import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResizeFilter } from '../../../../src/core/data-spec.ts';
import { cropImage } from '../../../../src/data/image/image-window.ts';
import type { PixelImage } from '../../../../src/data/image/pixel-image.ts';
import { createResizer } from '../../../../src/data/image/resize-image.ts';
import { resizeImage } from '../../../support/pictures.ts';
import { imageOf, vectors } from './image-vectors.ts';

const FILTERS: readonly ResizeFilter[] = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'];

const anyFilter = fc.constantFrom(...FILTERS);
const anySide = fc.integer({ min: 1, max: 40 });
const anyImage = fc
  .tuple(anySide, anySide, fc.constantFrom(1 as const, 3 as const))
  .chain(([width, height, channels]) => {
    const length = width * height * channels;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((data): PixelImage => ({ width, height, channels, data }));
  });

function gray(width: number, height: number, ...values: number[]): PixelImage {
  return { width, height, channels: 1, data: new Uint8Array(values) };
}

describe('createResizer', () => {
  it('takes the mean where two pixels become one', () => {
    expect(resizeImage(gray(2, 1, 0, 100), { width: 1, height: 1 })).toEqual(gray(1, 1, 50));
    expect(resizeImage(gray(1, 2, 0, 100), { width: 1, height: 1 }, 'box')).toEqual(gray(1, 1, 50));
  });

  it('takes pairs together with the box filter', () => {
    const resized = resizeImage(gray(4, 1, 10, 20, 30, 40), { width: 2, height: 1 }, 'box');
    expect(resized).toEqual(gray(2, 1, 15, 35));
  });

  it('takes the pixel under the centre with the nearest filter', () => {
    const resized = resizeImage(gray(4, 1, 10, 20, 30, 40), { width: 2, height: 1 }, 'nearest');
    expect(resized).toEqual(gray(2, 1, 20, 40));
  });

  it('goes from one pixel to the other between their centres', () => {
    const resized = resizeImage(gray(2, 1, 0, 100), { width: 4, height: 1 }, 'bilinear');
    expect(resized).toEqual(gray(4, 1, 0, 25, 75, 100));
  });

  it('stays between 0 and 255 where a kernel overshoots', () => {
    const { data } = resizeImage(gray(4, 1, 0, 0, 255, 255), { width: 12, height: 1 }, 'lanczos');
    expect([data[4], data[7]]).toEqual([0, 255]);
  });

  it('gives the pixels that Pillow gives', () => {
    for (const { source, filter, resized } of vectors.resize) {
      const image = imageOf(vectors.resizeSources[source] as (typeof vectors.resizeSources)[string]);
      expect(resizeImage(image, resized, filter), `${source} by ${filter} to ${resized.width}`).toEqual(
        imageOf(resized),
      );
    }
  });

  it('gives the same picture for its own size', () => {
    fc.assert(
      fc.property(anyImage, anyFilter, (image, filter) => {
        expect(resizeImage(image, image, filter)).toEqual(image);
      }),
    );
  });

  it('leaves a picture of one colour as it is, whatever its size', () => {
    const settings = fc.tuple(
      anySide,
      anySide,
      anySide,
      anySide,
      fc.integer({ min: 0, max: 255 }),
      anyFilter,
    );
    fc.assert(
      fc.property(settings, ([fromWidth, fromHeight, width, height, value, filter]) => {
        const data = new Uint8Array(fromWidth * fromHeight).fill(value);
        const image: PixelImage = { width: fromWidth, height: fromHeight, channels: 1, data };
        const resized = resizeImage(image, { width, height }, filter);
        expect(new Set(resized.data)).toEqual(new Set([value]));
      }),
    );
  });

  it('computes a part of the picture as it is in the whole', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        anyImage,
        anySide,
        anySide,
        anyFilter,
        fc.tuple(share, share, share, share),
        (image, width, height, filter, [left, top, right, bottom]) => {
          const x = Math.floor(left * (width - 1));
          const y = Math.floor(top * (height - 1));
          const window = {
            x,
            y,
            width: 1 + Math.floor(right * (width - 1 - x)),
            height: 1 + Math.floor(bottom * (height - 1 - y)),
          };
          const whole = resizeImage(image, { width, height }, filter);
          expect(resizeImage(image, { width, height }, filter, window)).toEqual(cropImage(whole, window));
        },
      ),
    );
  });

  it('does not write into the picture that it is given', () => {
    const image = gray(3, 2, 1, 2, 3, 4, 5, 6);
    for (const filter of FILTERS) resizeImage(image, { width: 2, height: 5 }, filter);
    expect(image).toEqual(gray(3, 2, 1, 2, 3, 4, 5, 6));
  });
});

describe('a resizer that is used again and again', () => {
  it('gives the same for pictures of many sizes one after the other', () => {
    const resizer = createResizer('bicubic');
    for (let round = 0; round < 2; round += 1) {
      for (let side = 1; side < 40; side += 1) {
        const data = new Uint8Array(side * side).map((_, i) => (i * 37) % 256);
        const image: PixelImage = { width: side, height: side, channels: 1, data };
        const size = { width: 12, height: 7 };
        expect(resizer(image, size)).toEqual(resizeImage(image, size, 'bicubic'));
      }
    }
  });

  it('gives parts of one picture that begin alike and end differently', () => {
    const image: PixelImage = {
      width: 9,
      height: 9,
      channels: 1,
      data: new Uint8Array(81).map((_, i) => i * 3),
    };
    const size = { width: 6, height: 6 };
    const resizer = createResizer('bilinear');
    for (const side of [2, 6, 4]) {
      const window = { x: 0, y: 0, width: side, height: side };
      expect(resizer(image, size, window)).toEqual(cropImage(resizeImage(image, size), window));
    }
  });
});
