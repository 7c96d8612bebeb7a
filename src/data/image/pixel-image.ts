/** A decoded picture of 8 bits a channel, row by row from the top, the channels of a pixel side by side. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  /** 1: gray. 3: red, green, blue. */
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/**
 * The most pixels that a picture may have, decoded or resized: a file of a few kilobytes can claim billions. It is the
 * limit at which Pillow refuses a file.
 */
export const MAX_PIXELS = 178_956_970;

/**
 * The luma of a colour picture by ITU-R 601-2, in 16 bits of fixed point as Pillow's `convert("L")` rounds it. A gray
 * picture is given back as it is.
 */
export function toGray(image: PixelImage): PixelImage {
  const { width, height, channels, data } = image;
  if (channels === 1) return image;
  const gray = new Uint8Array(width * height);
  for (let i = 0, from = 0; i < gray.length; i += 1, from += 3) {
    const red = data[from] as number;
    const green = data[from + 1] as number;
    const blue = data[from + 2] as number;
    gray[i] = (red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: gray };
}
