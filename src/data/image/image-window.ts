import type { PixelImage } from './pixel-image.ts';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** A part of a picture, in pixels from its left upper corner. */
export interface ImageWindow extends ImageSize {
  readonly x: number;
  readonly y: number;
}

export function wholeOf({ width, height }: ImageSize): ImageWindow {
  return { x: 0, y: 0, width, height };
}

/** The part of a picture; the picture itself, not copied, where that is all of it. */
export function cropImage(image: PixelImage, { x, y, width, height }: ImageWindow): PixelImage {
  if (width === image.width) {
    if (height === image.height) return image;
    const rowLength = width * image.channels;
    return { ...image, height, data: image.data.subarray(y * rowLength, (y + height) * rowLength) };
  }
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row += 1) {
    const from = ((y + row) * image.width + x) * channels;
    data.set(image.data.subarray(from, from + width * channels), row * width * channels);
  }
  return { width, height, channels, data };
}
