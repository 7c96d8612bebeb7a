import { crc32, deflateSync } from 'node:zlib';

/** Parts of a PNG to write it from, right or wrong. */
export interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly bitDepth?: number;
  /** 0: gray, 2: colour, 3: palette, 4: gray with transparency. */
  readonly colorType?: number;
  /** Lines with their filter byte, before compression. */
  readonly lines?: Uint8Array;
  /** Instead of `lines`: the content of the IDAT chunk as it stands in the file. */
  readonly compressed?: Uint8Array;
}

export function writePng({
  width,
  height,
  bitDepth = 8,
  colorType = 0,
  lines = new Uint8Array(),
  compressed = deflateSync(lines),
}: PngParts): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = bitDepth;
  header[9] = colorType;
  return new Uint8Array(
    Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', header),
      chunk('IDAT', compressed),
      chunk('IEND', new Uint8Array()),
    ]),
  );
}

function chunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(content.length, 0);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
