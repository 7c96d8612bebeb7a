/** What the first bytes of a file say about the picture in it. */
export interface ImageHeader {
  /** The name of the format, as people know it; undefined where the bytes are none that are known. */
  readonly format: string | undefined;
  /** Whether colours are stored as amounts of ink: cyan, magenta, yellow, black. */
  readonly isCmyk: boolean;
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
  return { format, isCmyk: format === 'JPEG' && jpegComponents(bytes) === 4 };
}

function startsWith(bytes: Uint8Array, signature: string): boolean {
  for (let i = 0; i < signature.length; i += 1) {
    if (signature[i] !== '.' && bytes[i] !== signature.charCodeAt(i)) return false;
  }
  return true;
}

/** Number of colour components by the frame header (ITU-T T.81, B.2.2); undefined where there is none. */
function jpegComponents(bytes: Uint8Array): number | undefined {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] as number;
    // Any number of bytes 0xff may stand before a marker.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (isFrameHeader(marker)) return bytes[at + 9];
    at += 2 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
  }
  return undefined;
}

function isFrameHeader(marker: number): boolean {
  // Three codes of the range define tables or are reserved.
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
