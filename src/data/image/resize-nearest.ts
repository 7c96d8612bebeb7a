import { cropImage, type ImageSize, type ImageWindow, wholeOf } from './image-window.ts';
import type { PixelImage } from './pixel-image.ts';

/** Takes for every resized pixel the one source pixel that its centre lies in. */
export function resizeNearest(
  image: PixelImage,
  size: ImageSize,
  window: ImageWindow = wholeOf(size),
): PixelImage {
  if (size.width === image.width && size.height === image.height) return cropImage(image, window);
  const { channels, data } = image;
  const columns = nearestPixels(image.width, size.width, window.x, window.x + window.width);
  const rows = nearestPixels(image.height, size.height, window.y, window.y + window.height);
  const resized = new Uint8Array(window.width * window.height * channels);
  let to = 0;
  for (let y = 0; y < window.height; y += 1) {
    const rowStart = (rows[y] as number) * image.width;
    for (let x = 0; x < window.width; x += 1) {
      const from = (rowStart + (columns[x] as number)) * channels;
      for (let c = 0; c < channels; c += 1) resized[to + c] = data[from + c] as number;
      to += channels;
    }
  }
  return { width: window.width, height: window.height, channels, data: resized };
}

/**
 * The source pixel of each resized one from `start` up to and without `end`. The position is summed up step by step from
 * the first, as Pillow does it, since the sum rounds otherwise than a product.
 */
function nearestPixels(from: number, to: number, start: number, end: number): Int32Array {
  const step = from / to;
  const pixels = new Int32Array(end - start);
  let position = step * 0.5;
  for (let i = 0; i < end; i += 1) {
    if (i >= start) pixels[i - start] = Math.min(from - 1, Math.trunc(position));
    position += step;
  }
  return pixels;
}
