import type { ImageSpec } from '../../core/data-spec.ts';
import type { ImageGeometry } from '../../core/item.ts';
import type { ImageSize, ImageWindow } from './image-window.ts';

/** Where a picture of a known size comes to lie in what is fed. */
export interface ImagePlacement {
  /** Of the whole picture after resizing, before anything is cut off. */
  readonly resized: ImageSize;
  readonly fed: ImageSize;
  /** The whole resized picture in fed pixels; it begins left of or above 0 where it is cut. */
  readonly picture: ImageWindow;
  /** The letterbox in fed pixels: what of it is not picture has the fill value. What lies outside both is 0. */
  readonly frame: ImageWindow;
}

/**
 * Sizes and positions by the rules of the libraries that models are trained with: the shorter side as torchvision's
 * `Resize(int)` rounds it, the crop as its `CenterCrop`, the letterbox as YOLO's loaders place it.
 */
export function placeImage({ width, height }: ImageSize, spec: ImageSpec): ImagePlacement {
  const { frame, picture } = resizedPlace({ width, height }, spec.resize);
  const resized = { width: picture.width, height: picture.height };
  const { crop } = spec;
  if (crop === undefined) return { resized, fed: sizeOf(frame), picture, frame };
  const x = cropOffset(frame.width, crop.width);
  const y = cropOffset(frame.height, crop.height);
  return { resized, fed: crop, picture: moved(picture, x, y), frame: moved(frame, x, y) };
}

/** How original pixels map to fed ones, after a placement. */
export function imageGeometry(original: ImageSize, { resized, fed, picture }: ImagePlacement): ImageGeometry {
  return {
    width: original.width,
    height: original.height,
    fedWidth: fed.width,
    fedHeight: fed.height,
    scale: [resized.width / original.width, resized.height / original.height],
    offset: [picture.x, picture.y],
  };
}

function resizedPlace(
  { width, height }: ImageSize,
  resize: ImageSpec['resize'],
): { readonly frame: ImageWindow; readonly picture: ImageWindow } {
  if (resize === undefined) return filling({ width, height });
  if ('shortSide' in resize) {
    const { shortSide } = resize;
    const longSide = Math.trunc((shortSide * Math.max(width, height)) / Math.min(width, height));
    return filling(
      width <= height ? { width: shortSide, height: longSide } : { width: longSide, height: shortSide },
    );
  }
  if (!('letterbox' in resize)) return filling(resize);
  const frame = { x: 0, y: 0, width: resize.letterbox.width, height: resize.letterbox.height };
  const scale = Math.min(frame.width / width, frame.height / height);
  const inner = {
    width: Math.max(1, roundHalfEven(width * scale)),
    height: Math.max(1, roundHalfEven(height * scale)),
  };
  const centered = resize.align !== 'top-left';
  // Of an odd number of pixels to fill, the one more comes to the right and below.
  const x = centered ? Math.floor((frame.width - inner.width) / 2) : 0;
  const y = centered ? Math.floor((frame.height - inner.height) / 2) : 0;
  return { frame, picture: { x, y, ...inner } };
}

/** Where a side begins in its centre crop: negative where it is cut, positive where zeros are put before it. */
function cropOffset(side: number, crop: number): number {
  return crop > side ? Math.floor((crop - side) / 2) : -roundHalfEven((side - crop) / 2);
}

/** As Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function filling({ width, height }: ImageSize): {
  readonly frame: ImageWindow;
  readonly picture: ImageWindow;
} {
  const whole = { x: 0, y: 0, width, height };
  return { frame: whole, picture: whole };
}

function sizeOf({ width, height }: ImageSize): ImageSize {
  return { width, height };
}

function moved(window: ImageWindow, x: number, y: number): ImageWindow {
  return { ...window, x: window.x + x, y: window.y + y };
}
