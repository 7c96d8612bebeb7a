import { floatAttribute, intAttribute } from '../attributes.ts';
import type { NodeProto } from '../messages.ts';
import type { FloatConstants } from './float-constants.ts';

/** What a BatchNormalization does to each channel: (x - mean) * factor + bias. */
export interface NormAffine {
  readonly factor: Float64Array;
  readonly mean: Float32Array;
  readonly bias: Float32Array;
}

/** Undefined where a parameter is no float32 constant, the node trains, or a channel has no finite factor. */
export function normAffine(
  norm: NodeProto,
  count: number,
  constants: FloatConstants,
): NormAffine | undefined {
  const onlyInfers =
    norm.output.slice(1).every((name) => name === '') &&
    (intAttribute(norm, 'training_mode') ?? 0) === 0 &&
    intAttribute(norm, 'spatial') !== 0;
  if (!onlyInfers) return undefined;
  const [scale, bias, mean, variance] = norm.input.slice(1, 5).map((name) => constants.read(name)?.data);
  if (scale === undefined || bias === undefined || mean === undefined || variance === undefined)
    return undefined;
  if ([scale, bias, mean, variance].some((data) => data.length !== count)) return undefined;
  const epsilon = floatAttribute(norm, 'epsilon') ?? Math.fround(1e-5);
  const factor = Float64Array.from(
    scale,
    (value, channel) => value / Math.sqrt((variance[channel] as number) + epsilon),
  );
  // A variance of zero without epsilon, or a negative one, has no factor that could be folded.
  return factor.every(Number.isFinite) ? { factor, mean, bias } : undefined;
}
