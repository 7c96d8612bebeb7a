import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { createImageDecoder } from '../../../../src/data/image/decode-image.ts';
import { isSmallJpeg, openSmallJpegDecoder } from '../../../../src/data/image/decode-small-jpeg.ts';
import { readImageHeader } from '../../../../src/data/image/image-header.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { encodedCase } from './image-vectors.ts';

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels?: 1 | 3;
}

/** A gradient with stripes: smooth and sharp areas, and colours that subsampling blurs. */
function drawn({ width, height, channels = 3 }: Picture): Sharp {
  const pixels = Uint8Array.from(
    { length: width * height * channels },
    (_, i) => (i * 7 + (i % 5) * 40) % 256,
  );
  return sharp(pixels, { raw: { width, height, channels } });
}

async function nativePixels(encoded: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await sharp(encoded).raw().toBuffer());
}

const SIZES = [
  [1, 1],
  [1, 9],
  [17, 33],
  [64, 64],
  [333, 227],
] as const;
const ENCODINGS = [
  { chromaSubsampling: '4:4:4', progressive: false },
  { chromaSubsampling: '4:2:0', progressive: false },
  { chromaSubsampling: '4:4:4', progressive: true },
  { chromaSubsampling: '4:2:0', progressive: true },
];

describe('openSmallJpegDecoder', () => {
  it.each(ENCODINGS)('gives the pixels of the native library, of every size: %o', async (encoding) => {
    const decode = await openSmallJpegDecoder();
    for (const [width, height] of SIZES) {
      const encoded = await drawn({ width, height })
        .jpeg({ quality: 75, ...encoding })
        .toBuffer();
      const data = await nativePixels(encoded);
      expect(decode(encoded)).toEqual({ width, height, channels: 3, data });
    }
  });

  it('gives nothing for a picture that is cut short, and leaves it to the library that names the reason', async () => {
    const decode = await openSmallJpegDecoder();
    const encoded = await drawn({ width: 64, height: 64 }).jpeg().toBuffer();
    expect(decode(encoded.subarray(0, encoded.length / 2))).toBeUndefined();
    expect(decode(encoded)).toBeDefined();
  });

  it('outlives any number of pictures that it cannot decode', async () => {
    const decode = createImageDecoder('rgb');
    const encoded = await drawn({ width: 333, height: 227 }).jpeg().toBuffer();
    for (let i = 0; i < 100; i += 1) {
      expect((await decode(encoded.subarray(0, encoded.length / 2))).ok).toBe(false);
    }
    expect(unwrap(await decode(encoded)).data).toEqual(await nativePixels(encoded));
  });
});

describe('isSmallJpeg', () => {
  const isTaken = (encoded: Uint8Array) => isSmallJpeg(readImageHeader(encoded));

  it('takes the photographs that a classifier is shown', async () => {
    expect(isTaken(await drawn({ width: 500, height: 375 }).jpeg().toBuffer())).toBe(true);
  });

  it.each([
    ['one that is large enough to be faster elsewhere', drawn({ width: 640, height: 480 }).jpeg()],
    ['gray', drawn({ width: 32, height: 32, channels: 1 }).toColourspace('b-w').jpeg()],
    [
      'one that may be stored on its side',
      drawn({ width: 32, height: 32 }).withMetadata({ orientation: 6 }).jpeg(),
    ],
    ['another format', drawn({ width: 32, height: 32 }).png()],
  ])('leaves alone %s', async (_, picture) => {
    expect(isTaken(await picture.toBuffer())).toBe(false);
  });

  it('leaves alone the inks of a CMYK picture', () => {
    expect(isTaken(encodedCase('JPEG, CMYK'))).toBe(false);
  });
});
