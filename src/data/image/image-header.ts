/** What the first bytes of a file say about the picture in it. */
export interface ImageHeader {
  /** The name of the format, as people know it; undefined where the bytes are none that are known. */
  readonly format: string | undefined;
  /** Of a JPEG; undefined where it has none. */
  readonly frame: JpegFrame | undefined;
  /** Whether a JPEG has application data of the kind that EXIF is, before its frame. */
  readonly hasExif: boolean;
}

/** What a frame header says (ITU-T T.81, B.2.2). */
export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  /** Colours: 1 is gray, 3 are colours of light, 4 are amounts of ink. */
  readonly components: number;
}

export const DECODED_FORMATS: readonly string[] = ['JPEG', 'PNG', 'WebP'];

/** First bytes by format; a dot stands for any byte. */
const SIGNATURES: readonly (readonly [format: string, signature: string])[] = [
  ['JPEG', '\xff\xd8\xff'],
  ['PNG', '\x89PNG\r\n\x1a\n'],
  ['WebP', 'RIFF....WEBP'],
  ['GIF', 'GIF8'],
  ['BMP', 'BM'],
  ['TIFF', 'II*\0'],
  ['TIFF', 'MM\0*'],
  ['HEIF or AVIF', '....ftyp'],
  ['JPEG XL', '\xff\x0a'],
  ['JPEG XL', '\0\0\0\x0cJXL '],
  ['JPEG 2000', '\0\0\0\x0cjP  '],
];

export function readImageHeader(bytes: Uint8Array): ImageHeader {
  const format = SIGNATURES.find(([, signature]) => startsWith(bytes, signature))?.[0];
  return { format, ...(format === 'JPEG' ? readJpegSegments(bytes) : { frame: undefined, hasExif: false }) };
}

function startsWith(bytes: Uint8Array, signature: string): boolean {
  for (let i = 0; i < signature.length; i += 1) {
    if (signature[i] !== '.' && bytes[i] !== signature.charCodeAt(i)) return false;
  }
  return true;
}

const APP1 = 0xe1;

/** Reads the segments up to the frame header. */
function readJpegSegments(bytes: Uint8Array): Pick<ImageHeader, 'frame' | 'hasExif'> {
  let hasExif = false;
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) break;
    const marker = bytes[at + 1] as number;
    // Any number of bytes 0xff may stand before a marker.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (isFrameHeader(marker)) {
      const frame = {
        height: uint16(bytes, at + 5),
        width: uint16(bytes, at + 7),
        components: bytes[at + 9] as number,
      };
      return { frame, hasExif };
    }
    if (marker === APP1) hasExif = true;
    at += 2 + uint16(bytes, at + 2);
  }
  return { frame: undefined, hasExif };
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function isFrameHeader(marker: number): boolean {
  // Three codes of the range define tables or are reserved.
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
