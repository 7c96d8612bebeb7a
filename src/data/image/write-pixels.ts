import type { ImageWindow } from './image-window.ts';
import type { PixelImage } from './pixel-image.ts';

/** The fed numbers, and how far a pixel lies from the next and a channel from the next. */
export interface FedPixels {
  readonly data: Float32Array;
  /** Of a row, in pixels. */
  readonly width: number;
  readonly pixelStep: number;
  readonly channelStep: number;
}

export function fillWindow(
  { data, width, pixelStep, channelStep }: FedPixels,
  window: ImageWindow,
  tables: readonly Float32Array[],
  pixel: number,
): void {
  for (const [channel, table] of tables.entries()) {
    const value = table[pixel] as number;
    for (let y = window.y; y < window.y + window.height; y += 1) {
      let to = (y * width + window.x) * pixelStep + channel * channelStep;
      for (let x = 0; x < window.width; x += 1, to += pixelStep) data[to] = value;
    }
  }
}

/**
 * Writes a part of a picture, `from` of it, to the fed pixels `at`, which are as many, through a table for each fed
 * channel.
 */
export function writePixels(
  target: FedPixels,
  at: ImageWindow,
  image: PixelImage,
  from: ImageWindow,
  tables: readonly Float32Array[],
  blueFirst: boolean,
): void {
  const [first, second, third] = tables as readonly [Float32Array, Float32Array?, Float32Array?];
  if (second === undefined || third === undefined) writeGray(target, at, image, from, first);
  else writeColor(target, at, image, from, [first, second, third], blueFirst);
}

function writeGray(
  { data, width }: FedPixels,
  at: ImageWindow,
  image: PixelImage,
  from: ImageWindow,
  table: Float32Array,
): void {
  const pixels = image.data;
  for (let y = 0; y < at.height; y += 1) {
    const start = (from.y + y) * image.width + from.x;
    const to = (at.y + y) * width + at.x;
    for (let x = 0; x < at.width; x += 1) data[to + x] = table[pixels[start + x] as number] as number;
  }
}

function writeColor(
  { data, width, pixelStep, channelStep }: FedPixels,
  at: ImageWindow,
  image: PixelImage,
  from: ImageWindow,
  [first, second, third]: readonly [Float32Array, Float32Array, Float32Array],
  blueFirst: boolean,
): void {
  const { channels } = image;
  const pixels = image.data;
  // A gray picture has one value for all three.
  const middle = channels === 1 ? 0 : 1;
  const start = blueFirst ? 2 * middle : 0;
  const end = blueFirst ? 0 : 2 * middle;
  for (let y = 0; y < at.height; y += 1) {
    let pixel = ((from.y + y) * image.width + from.x) * channels;
    let to = ((at.y + y) * width + at.x) * pixelStep;
    for (let x = 0; x < at.width; x += 1) {
      data[to] = first[pixels[pixel + start] as number] as number;
      data[to + channelStep] = second[pixels[pixel + middle] as number] as number;
      data[to + 2 * channelStep] = third[pixels[pixel + end] as number] as number;
      pixel += channels;
      to += pixelStep;
    }
  }
}
