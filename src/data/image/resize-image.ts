import type { ResizeFilter } from '../../core/data-spec.ts';
import { cropImage, type ImageSize, type ImageWindow, wholeOf } from './image-window.ts';
import type { PixelImage } from './pixel-image.ts';
import { resampleColumns, resampleRows } from './resample-passes.ts';
import { type ResampleWeights, resampleWeights } from './resample-weights.ts';
import { resizeNearest } from './resize-nearest.ts';

/** Enough for the usual sizes of a set of photos; each table takes some ten kilobytes. */
const MAX_TABLES = 32;

/**
 * Resizes as Pillow does 8-bit pictures, bit for bit (`Image.resize`, and thereby torchvision on such
 * pictures): with antialiasing, first along rows, then along columns, rounding to 8 bits between the two. Checked against
 * Pillow 12. Tables are kept for the sizes that were seen last.
 * @returns of the resized picture only `window`, all of it unless given, is computed and given
 */
export function createResizer(
  filter: ResizeFilter = 'bilinear',
): (image: PixelImage, size: ImageSize, window?: ImageWindow) => PixelImage {
  if (filter === 'nearest') return resizeNearest;
  const tables = new Map<string, ResampleWeights>();
  const weigh: Weigh = (from, to, start, end) => {
    const key = `${from} ${to} ${start} ${end}`;
    const known = tables.get(key);
    if (known !== undefined) return known;
    if (tables.size >= MAX_TABLES) tables.clear();
    const made = resampleWeights(filter, from, to, start, end);
    tables.set(key, made);
    return made;
  };
  return (image, size, window = wholeOf(size)) => {
    if (!isColumnsFirst(image, size)) return resample(image, size, window, weigh);
    const { x, width, ...along } = window;
    const lower = { width: image.width, height: size.height };
    const lowered = resample(image, lower, { x: 0, width: image.width, ...along }, weigh);
    const narrow = { width: size.width, height: window.height };
    return resample(lowered, narrow, { x, y: 0, width, height: window.height }, weigh);
  };
}

/** Pillow shortens very high and narrow pictures first along their columns, which rounds otherwise. */
function isColumnsFirst(image: ImageSize, size: ImageSize): boolean {
  return image.height > image.width * 100 && size.height < image.height;
}

type Weigh = (from: number, to: number, start: number, end: number) => ResampleWeights;

function resample(image: PixelImage, size: ImageSize, window: ImageWindow, weigh: Weigh): PixelImage {
  const { width, height, channels } = image;
  const columns =
    size.width === width ? undefined : weigh(width, size.width, window.x, window.x + window.width);
  const rows =
    size.height === height ? undefined : weigh(height, size.height, window.y, window.y + window.height);
  const firstRow = rows === undefined ? window.y : (rows.first[0] as number);
  const last = window.height - 1;
  const endRow =
    rows === undefined
      ? window.y + window.height
      : (rows.first[last] as number) + (rows.taps[last] as number);

  const narrowed =
    columns === undefined
      ? cropImage(image, { x: window.x, y: firstRow, width: window.width, height: endRow - firstRow })
      : resampleRows(image, columns, firstRow, endRow);
  const data =
    rows === undefined
      ? narrowed.data
      : resampleColumns(narrowed.data, window.width * channels, rows, firstRow);
  return { width: window.width, height: window.height, channels, data };
}
