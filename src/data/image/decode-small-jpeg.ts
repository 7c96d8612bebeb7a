import type { ImageHeader } from './image-header.ts';
import type { PixelImage } from './pixel-image.ts';

/**
 * A picture of so many pixels is decoded faster here, one thread and no preparation, than by the library for all of them,
 * which takes half a millisecond before it decodes the first pixel and then half the time for each.
 */
const MAX_SMALL_PIXELS = 200_000;

/** Decodes what `isSmallJpeg` holds for; undefined where it finds anything wrong, which another decoder then has to judge. */
export type DecodeSmallJpeg = (bytes: Uint8Array) => PixelImage | undefined;

/** Three colours, upright as they are stored. */
export function isSmallJpeg({ format, frame, hasExif }: ImageHeader): boolean {
  if (format !== 'JPEG' || frame === undefined || hasExif) return false;
  return frame.components === 3 && frame.width * frame.height <= MAX_SMALL_PIXELS;
}

/**
 * libjpeg-turbo in WebAssembly. The pixels are those of the native library, but for damage that nothing detects: where it
 * makes coefficients that no encoder writes, the two overflow differently.
 */
export async function openSmallJpegDecoder(): Promise<DecodeSmallJpeg> {
  const { default: createCodec } = await import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
  const codec = await createCodec();
  const decoder = new codec.JPEGDecoder();
  return (bytes) => {
    try {
      decoder.getEncodedBuffer(bytes.byteLength).set(bytes);
      decoder.decode();
    } catch {
      return undefined;
    }
    const { width, height, componentCount } = decoder.getFrameInfo();
    const pixels = decoder.getDecodedBuffer();
    if (componentCount !== 3 || pixels.length !== width * height * 3) return undefined;
    return { width, height, channels: 3, data: new Uint8Array(pixels) };
  };
}
