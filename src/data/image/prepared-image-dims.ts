import type { InputSpec } from '../../core/data-spec.ts';
import { placeImage } from './place-image.ts';

/**
 * Dimensions of the tensor that `createImagePreparer` gives, as far as they are known before a picture is read: those of the
 * crop, the letterbox or the exact size. Undefined where they follow from each picture.
 * @param sourceDims of arrays that are all alike: [height, width] or [height, width, channels]
 */
export function preparedImageDims(
  spec: InputSpec,
  sourceDims?: readonly number[],
): readonly number[] | undefined {
  const { resize, crop, channels = 'rgb', layout = 'nchw' } = spec.image ?? {};
  const followsFromSource = crop === undefined && (resize === undefined || 'shortSide' in resize);
  const [height, width] = followsFromSource ? (sourceDims ?? []) : [1, 1];
  if (height === undefined || width === undefined || height * width === 0) return undefined;
  const { fed } = placeImage({ width, height }, spec.image ?? {});
  const count = channels === 'gray' ? 1 : 3;
  return layout === 'nchw' ? [count, fed.height, fed.width] : [fed.height, fed.width, count];
}
