import { attemptAsync, type ProblemPlace } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type DecodeSmallJpeg, isSmallJpeg, openSmallJpegDecoder } from './decode-small-jpeg.ts';
import { DECODED_FORMATS, type ImageHeader, readImageHeader } from './image-header.ts';
import { MAX_PIXELS, type PixelImage, toGray } from './pixel-image.ts';
import { type ImageProblem, readImageFile, reasonOf, unreadable, unsupported } from './read-image-file.ts';

/**
 * Decodes JPEG, PNG and WebP into 8 bits a channel, upright as their EXIF data say. Colours are taken as they are stored:
 * colour profiles are not applied, transparency is dropped, 16 bits are cut to the upper 8, CMYK is mixed without a
 * profile. `gray` is the luma of those colours. This is what Pillow's `convert("RGB")` and `convert("L")` give behind
 * `ImageOps.exif_transpose`, except that Pillow clips gray of 16 bits. Of an animation it is the first picture.
 * What decoders need is loaded once; it is given a path, or the bytes of the file.
 * @returns `image-unreadable` for a file that is missing, broken, cut short or too large; `image-unsupported` for another
 * format
 */
export function createImageDecoder(
  mode: 'rgb' | 'gray',
): (encoded: string | Uint8Array) => Promise<Result<PixelImage, ImageProblem>> {
  let small: Promise<DecodeSmallJpeg> | undefined;
  const decodeSmall = async (bytes: Uint8Array, header: ImageHeader): Promise<PixelImage | undefined> => {
    if (!isSmallJpeg(header)) return undefined;
    small ??= openSmallJpegDecoder();
    const image = (await small)(bytes);
    // A decoder never gives back the memory of a picture that it refused. A new one takes milliseconds.
    if (image === undefined) small = undefined;
    return image;
  };
  return (encoded) =>
    attemptAsync(async () => {
      const { bytes, place } = await readImageFile(encoded);
      const header = readImageHeader(bytes);
      const { format, frame } = header;
      if (format === undefined) throw unreadable('it is no image file, or its beginning is broken', place);
      if (!DECODED_FORMATS.includes(format)) {
        throw unsupported(`it is ${format}`, 'save it as PNG or JPEG', place);
      }
      const image =
        (await decodeSmall(bytes, header)) ?? (await decodePixels(bytes, frame?.components === 4, place));
      return mode === 'gray' ? toGray(image) : toColor(image);
    });
}

async function decodePixels(bytes: Uint8Array, isCmyk: boolean, place: ProblemPlace): Promise<PixelImage> {
  // Loaded on first use: a process that reads no pictures need not load a native library.
  const { default: sharp } = await import('sharp');
  // The library keeps these for the whole process. Nothing is decoded twice, so there is nothing to keep; and several
  // pictures are decoded at once, which uses the cores better than several threads for one.
  sharp.cache(false);
  sharp.concurrency(1);
  const upright = sharp(bytes, {
    // Files that break off are problems, as they are to Pillow; what a decoder merely warns of is none.
    failOn: 'error',
    limitInputPixels: MAX_PIXELS,
    autoOrient: true,
    ignoreIcc: true,
  }).removeAlpha();
  const colors = isCmyk
    ? upright.pipelineColourspace('cmyk').toColourspace('cmyk')
    : upright.toColourspace('srgb');
  const decoded = colors.raw().toBuffer({ resolveWithObject: true });
  const { data, info } = await decoded.catch((error: unknown) => {
    // The library has no words for a file that ends in the middle of its pixels.
    const reason = reasonOf(error);
    throw unreadable(reason === 'Unknown error' ? 'the file is damaged or cut short' : reason, place);
  });
  const { width, height, channels } = info;
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (channels === 4) return { width, height, channels: 3, data: mixInks(pixels) };
  if (channels === 1 || channels === 3) return { width, height, channels, data: pixels };
  throw unreadable(`it has ${channels} channels`, place);
}

/** What light is left of each colour behind its ink and the black one. Rounds as Pillow does. */
function mixInks(inks: Uint8Array): Uint8Array {
  const colors = new Uint8Array((inks.length / 4) * 3);
  for (let from = 0, to = 0; from < inks.length; from += 4, to += 3) {
    const light = 255 - (inks[from + 3] as number);
    for (let c = 0; c < 3; c += 1) {
      const product = (inks[from + c] as number) * light + 128;
      colors[to + c] = light - (((product >> 8) + product) >> 8);
    }
  }
  return colors;
}

function toColor(image: PixelImage): PixelImage {
  const { width, height, channels, data } = image;
  if (channels === 3) return image;
  const colors = new Uint8Array(data.length * 3);
  for (let i = 0, to = 0; i < data.length; i += 1, to += 3) colors.fill(data[i] as number, to, to + 3);
  return { width, height, channels: 3, data: colors };
}
