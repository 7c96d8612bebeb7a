import type { InputSpec } from '../../core/data-spec.ts';

/**
 * What each of the 256 pixel values is fed as, one table a fed channel: ((x · scale) − mean) / std with every step
 * rounded to float32. `scale` itself keeps its 53 bits, so that x · (1/255) comes out as the float32 quotient x / 255.
 */
export function valueTables(
  { scale = 1, mean = 0, std = 1 }: Pick<InputSpec, 'scale' | 'mean' | 'std'>,
  channels: number,
): readonly Float32Array[] {
  return Array.from({ length: channels }, (_, channel) => {
    const subtracted = Math.fround(ofChannel(mean, channel));
    const divisor = Math.fround(ofChannel(std, channel));
    return Float32Array.from({ length: 256 }, (_, pixel) => {
      const scaled = Math.fround(pixel * scale);
      return Math.fround(scaled - subtracted) / divisor;
    });
  });
}

function ofChannel(setting: number | readonly number[], channel: number): number {
  if (typeof setting === 'number') return setting;
  const value = setting[channel];
  if (value === undefined) throw new RangeError(`there is no number for channel ${channel}`);
  return value;
}
