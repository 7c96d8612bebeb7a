import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageSpec } from '../../../../src/core/data-spec.ts';
import { imageGeometry, placeImage } from '../../../../src/data/image/place-image.ts';

function placed(width: number, height: number, spec: ImageSpec) {
  const { fed, picture } = placeImage({ width, height }, spec);
  return { fed, picture };
}

describe('placeImage', () => {
  it('feeds a picture as it is where nothing is asked for', () => {
    expect(placed(5, 3, {})).toEqual({
      fed: { width: 5, height: 3 },
      picture: { x: 0, y: 0, width: 5, height: 3 },
    });
  });

  it('cuts what is behind the point off the longer side, as torchvision does', () => {
    // 256 · 500 / 375 = 341.33, and 10 · 199 / 100 = 19.9.
    expect(placed(500, 375, { resize: { shortSide: 256 } }).fed).toEqual({ width: 341, height: 256 });
    expect(placed(100, 199, { resize: { shortSide: 10 } }).fed).toEqual({ width: 10, height: 19 });
  });

  it('rounds where the centre crop begins to the even pixel, as torchvision does', () => {
    const begin = (side: number) => placed(side, side, { crop: { width: 10, height: 10 } }).picture.x;
    // (side − 10) / 2 is 0.5, 1, 1.5 and 2.5.
    expect([11, 12, 13, 15].map(begin)).toEqual([0, -1, -2, -2]);
  });

  it('puts one zero more behind a picture than before it where their number is odd', () => {
    expect(placed(7, 12, { crop: { width: 10, height: 10 } }).picture).toEqual({
      x: 1,
      y: -1,
      width: 7,
      height: 12,
    });
  });

  it('fits a picture into a letterbox and centres it', () => {
    const spec: ImageSpec = { resize: { letterbox: { width: 640, height: 640 } } };
    expect(placed(1280, 720, spec)).toEqual({
      fed: { width: 640, height: 640 },
      picture: { x: 0, y: 140, width: 640, height: 360 },
    });
    // Of five columns to fill, three come to the right.
    const square: ImageSpec = { resize: { letterbox: { width: 10, height: 10 } } };
    expect(placed(50, 100, square).picture).toEqual({ x: 2, y: 0, width: 5, height: 10 });
  });

  it('puts the picture into the corner of a letterbox where that is asked for', () => {
    const spec: ImageSpec = { resize: { letterbox: { width: 100, height: 100 }, align: 'top-left' } };
    expect(placed(50, 25, spec).picture).toEqual({ x: 0, y: 0, width: 100, height: 50 });
  });

  it('leaves a line of a picture that is a thousand times as long as it is high', () => {
    const spec: ImageSpec = { resize: { letterbox: { width: 100, height: 100 } } };
    expect(placed(1000, 1, spec).picture).toEqual({ x: 0, y: 49, width: 100, height: 1 });
  });

  it('crops the letterbox, not the picture in it', () => {
    const spec: ImageSpec = {
      resize: { letterbox: { width: 10, height: 10 } },
      crop: { width: 20, height: 6 },
    };
    const { fed, picture, frame } = placeImage({ width: 10, height: 5 }, spec);
    expect(fed).toEqual({ width: 20, height: 6 });
    expect(frame).toEqual({ x: 5, y: -2, width: 10, height: 10 });
    expect(picture).toEqual({ x: 5, y: 0, width: 10, height: 5 });
  });
});

describe('imageGeometry', () => {
  it('maps the corners of the picture to its corners in what is fed', () => {
    const side = fc.integer({ min: 1, max: 3000 });
    const specs = fc.oneof(
      fc.record({ resize: fc.record({ shortSide: side }), crop: fc.record({ width: side, height: side }) }),
      fc.record({ resize: fc.record({ width: side, height: side }) }),
      fc.record({ resize: fc.record({ letterbox: fc.record({ width: side, height: side }) }) }),
    );
    fc.assert(
      fc.property(side, side, specs, (width, height, spec) => {
        const placement = placeImage({ width, height }, spec);
        const { scale, offset, ...sizes } = imageGeometry({ width, height }, placement);
        const { picture, fed } = placement;
        expect(sizes).toEqual({ width, height, fedWidth: fed.width, fedHeight: fed.height });
        expect(offset).toEqual([picture.x, picture.y]);
        expect(width * scale[0] + offset[0]).toBeCloseTo(picture.x + picture.width, 6);
        expect(height * scale[1] + offset[1]).toBeCloseTo(picture.y + picture.height, 6);
      }),
    );
  });
});
