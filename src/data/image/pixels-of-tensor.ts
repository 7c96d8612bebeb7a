import { problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { PreprocessProblem } from './check-image-spec.ts';
import type { PixelImage } from './pixel-image.ts';

/** A uint8 array [height, width], [height, width, 1] or [height, width, 3] as a picture; its bytes are not copied. */
export function pixelsOfTensor({ type, dims, data }: Tensor): Result<PixelImage, PreprocessProblem> {
  if (type !== 'uint8' || !(data instanceof Uint8Array)) {
    return invalid(`an array of ${type} is not taken for a picture`, 'store pixels as uint8: 0 to 255');
  }
  const [height, width, channels = 1] = dims;
  const hint = 'pictures are [height, width], or [height, width, channels] with 1 or 3 channels';
  if (height === undefined || width === undefined || dims.length > 3) {
    return invalid(`an array of the shape [${dims}] is not taken for a picture`, hint);
  }
  if (channels !== 1 && channels !== 3) {
    const leads = height === 1 || height === 3;
    return invalid(
      `an array of the shape [${dims}] would be a picture of ${channels} channels`,
      leads ? `${hint}; if its channels come first, save \`array.transpose(0, 2, 3, 1)\`` : hint,
    );
  }
  if (height === 0 || width === 0) return invalid(`a picture of the shape [${dims}] has no pixels`, hint);
  return ok({ width, height, channels, data });
}

function invalid(message: string, hint: string): Result<never, PreprocessProblem> {
  return err(problem('preprocess-invalid', message, { hint }));
}
