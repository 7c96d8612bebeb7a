import { channelAbsMax, quantizeChannels, symmetricScale } from '../affine.ts';
import type { WeightSettings } from '../quantized-constants.ts';
import type { TunedConstants } from '../tuned-constants.ts';
import type { AnchorConstants } from './anchor-constants.ts';

/** The weights of an anchor as its int8 kernel has them, in real numbers. */
export function roundedWeights(
  { weights, layout }: AnchorConstants,
  tuned: TunedConstants | undefined,
  { grid, perTensor }: WeightSettings,
): Float32Array {
  const across = perTensor ? { outer: 1, channels: 1, inner: weights.length } : layout;
  const scales =
    tuned?.weightScales ??
    Float32Array.from(channelAbsMax(weights, across), (largest) => symmetricScale(largest, grid));
  const codes = tuned?.weightCodes ?? quantizeChannels(weights, across, scales, grid);
  const { channels, inner } = across;
  return Float32Array.from(
    codes,
    (code, element) => code * (scales[Math.floor(element / inner) % channels] as number),
  );
}
