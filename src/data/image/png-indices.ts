import { crc32, inflateSync } from 'node:zlib';
import type { ProblemPlace } from '../../core/problem.ts';
import { MAX_PIXELS } from './pixel-image.ts';
import { reasonOf, unreadable, unsupported } from './read-image-file.ts';

/** The stored numbers of a PNG with one channel: palette indices, or gray values that are not scaled to 8 bits. */
export interface PngIndices {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly isInterlaced: boolean;
}

const SIGNATURE_BYTES = 8;

/** Adam7: first column, first row, and steps between columns and rows of each pass. */
const INTERLACED_PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

const WHOLE_PASS = [[0, 0, 1, 1]] as const;

/**
 * Decodes palette and gray PNGs of up to 8 bits into their stored numbers, which general decoders turn into colours.
 * Source: Portable Network Graphics specification, third edition.
 * @throws ProblemError of an `ImageProblem`
 */
export function decodePngIndices(bytes: Uint8Array, place: ProblemPlace): PngIndices {
  const { header, compressed } = readChunks(bytes, place);
  const { width, height, bitDepth, isInterlaced } = header;
  const passes = (isInterlaced ? INTERLACED_PASSES : WHOLE_PASS)
    .map(([x, y, stepX, stepY]) => ({
      x,
      y,
      stepX,
      stepY,
      columns: Math.ceil((width - x) / stepX),
      rows: Math.ceil((height - y) / stepY),
    }))
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const sizeBytes = passes.reduce(
    (sum, { columns, rows }) => sum + rows * (1 + rowBytes(columns, bitDepth)),
    0,
  );
  const lines = inflate(compressed, sizeBytes, place);

  const data = new Uint8Array(width * height);
  let start = 0;
  for (const pass of passes) {
    const lineBytes = rowBytes(pass.columns, bitDepth);
    let above: Uint8Array = new Uint8Array(lineBytes);
    for (let row = 0; row < pass.rows; row += 1) {
      const line = lines.subarray(start + 1, start + 1 + lineBytes);
      unfilter(lines[start] as number, line, above, place);
      const to = (pass.y + row * pass.stepY) * width + pass.x;
      unpack(line, bitDepth, pass.columns, data, to, pass.stepX);
      above = line;
      start += 1 + lineBytes;
    }
  }
  return { width, height, data };
}

function readChunks(
  bytes: Uint8Array,
  place: ProblemPlace,
): { readonly header: PngHeader; readonly compressed: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let header: PngHeader | undefined;
  for (let at = SIGNATURE_BYTES; ; ) {
    if (at + 12 > bytes.length) throw unreadable('the file is cut short', place);
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw unreadable('the file is cut short', place);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, end);
    if (view.getUint32(end) !== crc32(bytes.subarray(at + 4, end))) {
      throw unreadable(`the checksum of its ${type} chunk is wrong`, place);
    }
    if (type === 'IHDR') header = readHeader(content, place);
    else if (type === 'IDAT') parts.push(content);
    else if (type === 'IEND') break;
    at = end + 4;
  }
  if (header === undefined) throw unreadable('it has no header', place);
  return { header, compressed: Buffer.concat(parts) };
}

function readHeader(content: Uint8Array, place: ProblemPlace): PngHeader {
  if (content.length !== 13) throw unreadable('its header is not 13 bytes long', place);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  const bitDepth = view.getUint8(8);
  const colorType = view.getUint8(9);
  if (width === 0 || height === 0) throw unreadable('it has no pixels', place);
  if (width * height > MAX_PIXELS) {
    throw unreadable(`it claims ${width} by ${height} pixels, more than ${MAX_PIXELS}`, place);
  }
  // Bit 0 is set where there is a palette, bit 1 where there is colour, bit 2 where there is transparency.
  if (colorType !== 0 && colorType !== 3) {
    throw unsupported(
      colorType === 4 ? 'the mask has transparency' : 'the mask holds colours instead of class numbers',
      'save class numbers as gray values or palette indices',
      place,
    );
  }
  if (bitDepth === 16) {
    throw unsupported('the values of the mask have 16 bits', 'save class numbers with 8 bits', place);
  }
  if (![1, 2, 4, 8].includes(bitDepth)) throw unreadable(`it claims ${bitDepth} bits a pixel`, place);
  return { width, height, bitDepth, isInterlaced: view.getUint8(12) === 1 };
}

function inflate(compressed: Uint8Array, sizeBytes: number, place: ProblemPlace): Uint8Array {
  let lines: Uint8Array;
  try {
    lines = inflateSync(compressed, { maxOutputLength: sizeBytes });
  } catch (error) {
    throw unreadable(`its pixels cannot be unpacked (${reasonOf(error)})`, place);
  }
  if (lines.length < sizeBytes) throw unreadable('pixels are missing', place);
  return lines;
}

function rowBytes(columns: number, bitDepth: number): number {
  return Math.ceil((columns * bitDepth) / 8);
}

/** Undoes the filter of a line in place. A pixel is at most one byte, so the neighbour to the left is the byte before. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, place: ProblemPlace): void {
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = 1; i < line.length; i += 1) line[i] = (line[i] as number) + (line[i - 1] as number);
      return;
    case 2:
      for (let i = 0; i < line.length; i += 1) line[i] = (line[i] as number) + (above[i] as number);
      return;
    case 3:
      for (let i = 0; i < line.length; i += 1) {
        const left = i === 0 ? 0 : (line[i - 1] as number);
        line[i] = (line[i] as number) + ((left + (above[i] as number)) >> 1);
      }
      return;
    case 4:
      for (let i = 0; i < line.length; i += 1) {
        const left = i === 0 ? 0 : (line[i - 1] as number);
        const corner = i === 0 ? 0 : (above[i - 1] as number);
        line[i] = (line[i] as number) + paeth(left, above[i] as number, corner);
      }
      return;
    default:
      throw unreadable(`a line claims the filter ${filter}, which does not exist`, place);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function unpack(
  line: Uint8Array,
  bitDepth: number,
  columns: number,
  target: Uint8Array,
  start: number,
  step: number,
): void {
  const perByte = 8 / bitDepth;
  const mask = (1 << bitDepth) - 1;
  for (let i = 0, to = start; i < columns; i += 1, to += step) {
    const shift = 8 - bitDepth - (i % perByte) * bitDepth;
    target[to] = ((line[Math.floor(i / perByte)] as number) >> shift) & mask;
  }
}
