import type { IntegerRange } from '../../affine.ts';
import { qdqSettings } from '../../qdq-settings.ts';
import type { TunedConstants } from '../../tuned-constants.ts';
import { anchorsOf, readAnchorConstants } from '../anchor-constants.ts';
import { withConstants } from '../draft.ts';
import type { TuningPass } from '../tuning-pass.ts';
import { bestScale } from './best-scale.ts';
import { latticeStep } from './lattice-step.ts';

/** Channels that are looked at before a layer is taken for one whose weights lie on no lattice. */
const PROBED_CHANNELS = 4;

/**
 * Gives each output channel the weight scale that costs least instead of the one that holds its largest weight: the step of
 * the lattice that its weights lie on, with which nothing is lost, or else the one of the smallest squared error.
 * Source: the search of Banner et al., «Post-training 4-bit quantization» (2019), without the assumption about the shape of
 * the distribution.
 */
export const weightScales: TuningPass = {
  name: 'weight-scales',
  run: async (draft, { recipe }) => {
    const { grid, perTensor } = qdqSettings(recipe).weights;
    if (perTensor) return { changed: 0, reason: 'the recipe has one scale a tensor' };
    const tuned = new Map<string, TunedConstants>();
    let exact = 0;
    for (const anchor of anchorsOf(draft)) {
      const { weights, layout } = readAnchorConstants(draft.view, anchor);
      const channels = Array.from({ length: layout.channels }, (_, channel) =>
        channelValues(weights, layout, channel),
      );
      const steps = latticeSteps(channels, grid);
      if (steps !== undefined) exact += 1;
      const scales = channels.map((values, channel) => steps?.[channel] ?? searched(values, grid));
      tuned.set(anchor.node.name ?? '', { weightScales: Float32Array.from(scales) });
    }
    return {
      draft: withConstants(draft, tuned),
      changed: tuned.size,
      reason: `scales of ${tuned.size} layers, ${exact} of which have weights on a grid of their own already`,
    };
  },
};

/** A step for each channel that has one; undefined where the first channels have none. */
function latticeSteps(
  channels: readonly Float32Array[],
  grid: IntegerRange,
): readonly (number | undefined)[] | undefined {
  const stepOf = (values: Float32Array) => latticeStep(values, grid.max);
  const probed = channels.slice(0, PROBED_CHANNELS).map(stepOf);
  return probed.every((step) => step === undefined) ? undefined : channels.map(stepOf);
}

function searched(values: Float32Array, grid: IntegerRange): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest > 0 ? bestScale(values, undefined, largest, grid) : 1;
}

function channelValues(
  weights: Float32Array,
  { outer, channels, inner }: { readonly outer: number; readonly channels: number; readonly inner: number },
  channel: number,
): Float32Array {
  const values = new Float32Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    const start = (o * channels + channel) * inner;
    values.set(weights.subarray(start, start + inner), o * inner);
  }
  return values;
}
