import type { PixelImage } from './pixel-image.ts';
import { PRECISION_BITS, type ResampleWeights } from './resample-weights.ts';

/** Half a unit, so that cutting the bits behind the point rounds. */
const HALF = 1 << (PRECISION_BITS - 1);

/** Makes rows shorter or longer, those from `firstRow` up to and without `endRow`. */
export function resampleRows(
  image: PixelImage,
  columns: ResampleWeights,
  firstRow: number,
  endRow: number,
): PixelImage {
  const width = columns.first.length;
  const height = endRow - firstRow;
  // Storing into it clamps to 0 and 255, which overshooting kernels need.
  const data = new Uint8ClampedArray(width * height * image.channels);
  const into = image.channels === 1 ? resampleGrayRow : resampleColorRow;
  const rowLength = image.width * image.channels;
  for (let row = 0; row < height; row += 1) {
    into(image.data, (firstRow + row) * rowLength, columns, data, row * width * image.channels);
  }
  return { width, height, channels: image.channels, data: new Uint8Array(data.buffer) };
}

function resampleGrayRow(
  source: Uint8Array,
  rowStart: number,
  { first, taps, weights, stride }: ResampleWeights,
  target: Uint8ClampedArray,
  targetStart: number,
): void {
  for (let x = 0; x < first.length; x += 1) {
    const from = rowStart + (first[x] as number);
    const weightStart = x * stride;
    const count = taps[x] as number;
    let sum = HALF;
    for (let k = 0; k < count; k += 1) {
      sum = (sum + Math.imul(source[from + k] as number, weights[weightStart + k] as number)) | 0;
    }
    target[targetStart + x] = sum >> PRECISION_BITS;
  }
}

function resampleColorRow(
  source: Uint8Array,
  rowStart: number,
  { first, taps, weights, stride }: ResampleWeights,
  target: Uint8ClampedArray,
  targetStart: number,
): void {
  let to = targetStart;
  for (let x = 0; x < first.length; x += 1) {
    let from = rowStart + (first[x] as number) * 3;
    const weightEnd = x * stride + (taps[x] as number);
    let red = HALF;
    let green = HALF;
    let blue = HALF;
    for (let k = x * stride; k < weightEnd; k += 1) {
      const weight = weights[k] as number;
      red = (red + Math.imul(source[from] as number, weight)) | 0;
      green = (green + Math.imul(source[from + 1] as number, weight)) | 0;
      blue = (blue + Math.imul(source[from + 2] as number, weight)) | 0;
      from += 3;
    }
    target[to] = red >> PRECISION_BITS;
    target[to + 1] = green >> PRECISION_BITS;
    target[to + 2] = blue >> PRECISION_BITS;
    to += 3;
  }
}

/** Makes columns shorter or longer. The rows of `source` begin with row `firstRow` of the picture. */
export function resampleColumns(
  source: Uint8Array,
  rowLength: number,
  { first, taps, weights, stride }: ResampleWeights,
  firstRow: number,
): Uint8Array {
  const data = new Uint8ClampedArray(first.length * rowLength);
  const tail = rowLength - (rowLength % 4);
  for (let y = 0; y < first.length; y += 1) {
    const sourceStart = ((first[y] as number) - firstRow) * rowLength;
    const weightStart = y * stride;
    const weightEnd = weightStart + (taps[y] as number);
    const targetStart = y * rowLength;
    // Four columns at a time keep the sums in registers and read each weight once for all of them.
    for (let x = 0; x < tail; x += 4) {
      let a = HALF;
      let b = HALF;
      let c = HALF;
      let d = HALF;
      let from = sourceStart + x;
      for (let k = weightStart; k < weightEnd; k += 1) {
        const weight = weights[k] as number;
        a = (a + Math.imul(source[from] as number, weight)) | 0;
        b = (b + Math.imul(source[from + 1] as number, weight)) | 0;
        c = (c + Math.imul(source[from + 2] as number, weight)) | 0;
        d = (d + Math.imul(source[from + 3] as number, weight)) | 0;
        from += rowLength;
      }
      const to = targetStart + x;
      data[to] = a >> PRECISION_BITS;
      data[to + 1] = b >> PRECISION_BITS;
      data[to + 2] = c >> PRECISION_BITS;
      data[to + 3] = d >> PRECISION_BITS;
    }
    for (let x = tail; x < rowLength; x += 1) {
      let sum = HALF;
      let from = sourceStart + x;
      for (let k = weightStart; k < weightEnd; k += 1) {
        sum = (sum + Math.imul(source[from] as number, weights[k] as number)) | 0;
        from += rowLength;
      }
      data[targetStart + x] = sum >> PRECISION_BITS;
    }
  }
  return new Uint8Array(data.buffer);
}
