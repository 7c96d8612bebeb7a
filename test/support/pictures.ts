import { createImageDecoder } from '../../src/data/image/decode-image.ts';
import type { ImageSize, ImageWindow } from '../../src/data/image/image-window.ts';
import type { PixelImage } from '../../src/data/image/pixel-image.ts';
import { createImagePreparer } from '../../src/data/image/preprocess-image.ts';
import { createResizer } from '../../src/data/image/resize-image.ts';

type Preparer = ReturnType<typeof createImagePreparer>;

// One picture at a time, each with nothing kept from those before.

export function decodeImage(
  encoded: string | Uint8Array,
  mode: 'rgb' | 'gray',
): ReturnType<ReturnType<typeof createImageDecoder>> {
  return createImageDecoder(mode)(encoded);
}

export function preprocessImage(
  image: PixelImage,
  spec: Parameters<typeof createImagePreparer>[0],
): ReturnType<Preparer> {
  return createImagePreparer(spec)(image);
}

export function resizeImage(
  image: PixelImage,
  size: ImageSize,
  filter?: Parameters<typeof createResizer>[0],
  window?: ImageWindow,
): PixelImage {
  return createResizer(filter)(image, size, window);
}
