import type { ImageSpec, InputSpec } from '../../core/data-spec.ts';
import type { ImageGeometry } from '../../core/item.ts';
import { ProblemError, problem } from '../../core/problem.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { PreprocessProblem } from './check-image-spec.ts';
import { type ImageWindow, wholeOf } from './image-window.ts';
import { MAX_PIXELS, type PixelImage, toGray } from './pixel-image.ts';
import { type ImagePlacement, imageGeometry, placeImage } from './place-image.ts';
import { createResizer } from './resize-image.ts';
import { valueTables } from './value-tables.ts';
import { type FedPixels, fillWindow, writePixels } from './write-pixels.ts';

export interface PreparedImage {
  /** float32, without a leading axis: [channels, height, width], or [height, width, channels] for NHWC. */
  readonly tensor: Tensor;
  readonly geometry: ImageGeometry;
}

/** What the rest of a letterbox is filled with where the settings name nothing. */
const DEFAULT_FILL = 114;

/**
 * Turns pictures into what a model is fed: made gray where that is asked for, resized, cropped, their channels put in
 * order, then ((x · scale) − mean) / std. Numbers equal those of torchvision's `ToTensor` and `Normalize` for a scale of
 * 1/255.
 * @param spec one for which `checkImageSpec` finds no problem; its `dims` are left to the caller
 * @throws ProblemError of a `PreprocessProblem` where a picture would be resized to more than `MAX_PIXELS`
 */
export function createImagePreparer(spec: InputSpec): (image: PixelImage) => PreparedImage {
  const imageSpec = spec.image ?? {};
  const { resize, channels = 'rgb', layout = 'nchw' } = imageSpec;
  const resizer = createResizer(resize?.filter);
  const tables = valueTables(spec, channels === 'gray' ? 1 : 3);
  const fill = fillOf(resize);

  return (source) => {
    const image = channels === 'gray' ? toGray(source) : source;
    const placement = placeImage(image, imageSpec);
    const { resized, fed } = placement;
    refuseHuge(image, placement);
    const target: FedPixels = {
      data: new Float32Array(tables.length * fed.height * fed.width),
      width: fed.width,
      pixelStep: layout === 'nchw' ? 1 : tables.length,
      channelStep: layout === 'nchw' ? fed.height * fed.width : 1,
    };
    fillBehind(target, placement, tables, fill);
    const { ofPicture, inFed } = visiblePart(placement);
    // A crop of a letterbox may leave nothing of a picture in the corner.
    if (inFed.width > 0 && inFed.height > 0) {
      const isSame = resized.width === image.width && resized.height === image.height;
      const shown = isSame ? image : resizer(image, resized, ofPicture);
      const from = isSame ? ofPicture : wholeOf(ofPicture);
      writePixels(target, inFed, shown, from, tables, channels === 'bgr');
    }
    const dims =
      layout === 'nchw' ? [tables.length, fed.height, fed.width] : [fed.height, fed.width, tables.length];
    return {
      tensor: { type: 'float32', dims, data: target.data },
      geometry: imageGeometry(source, placement),
    };
  };
}

function fillOf(resize: ImageSpec['resize']): number {
  return resize !== undefined && 'letterbox' in resize ? (resize.fill ?? DEFAULT_FILL) : 0;
}

function refuseHuge({ width, height }: PixelImage, { fed }: ImagePlacement): void {
  if (fed.width * fed.height <= MAX_PIXELS) return;
  const refusal: PreprocessProblem = problem(
    'preprocess-invalid',
    `a picture of ${width} by ${height} pixels would be resized to ${fed.width} by ${fed.height}, more than ${MAX_PIXELS} pixels`,
    { hint: 'give `width` and `height`, a `letterbox` or a `crop`, which bound the size' },
  );
  throw new ProblemError(refusal);
}

/** The part of the resized picture that is fed, in its own pixels and in fed ones. */
function visiblePart({ fed, picture }: ImagePlacement): {
  readonly ofPicture: ImageWindow;
  readonly inFed: ImageWindow;
} {
  const inFed = clip(picture, fed.width, fed.height);
  return { ofPicture: { ...inFed, x: inFed.x - picture.x, y: inFed.y - picture.y }, inFed };
}

function clip({ x, y, width, height }: ImageWindow, endX: number, endY: number): ImageWindow {
  const left = Math.max(0, x);
  const top = Math.max(0, y);
  return {
    x: left,
    y: top,
    width: Math.max(0, Math.min(endX, x + width) - left),
    height: Math.max(0, Math.min(endY, y + height) - top),
  };
}

/** Fills what the picture leaves free: the letterbox with its fill value, what lies outside of that with 0. */
function fillBehind(
  target: FedPixels,
  { fed, picture, frame }: ImagePlacement,
  tables: readonly Float32Array[],
  fill: number,
): void {
  const whole = wholeOf(fed);
  const framed = clip(frame, fed.width, fed.height);
  const pictured = clip(picture, fed.width, fed.height);
  if (!isEqual(framed, whole)) fillWindow(target, whole, tables, 0);
  if (!isEqual(pictured, framed)) fillWindow(target, framed, tables, fill);
}

function isEqual(a: ImageWindow, b: ImageWindow): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
