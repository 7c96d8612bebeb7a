import type { ChannelLayout, IntegerRange } from '../../affine.ts';
import { qdqSettings } from '../../qdq-settings.ts';
import type { StaticRecipe } from '../../recipe.ts';
import type { TunedConstants } from '../../tuned-constants.ts';
import { anchorsOf, readAnchorConstants } from '../anchor-constants.ts';
import type { ChannelStatistics } from '../channel-statistics.ts';
import { type ConstantUse, productUse } from '../constant-use.ts';
import { type Draft, withConstants } from '../draft.ts';
import type { DraftStatistics } from '../draft-statistics.ts';
import type { TuningPass } from '../tuning-pass.ts';
import { bestScale } from './best-scale.ts';
import { latticeStep } from './lattice-step.ts';

/**
 * The mean square of what each weight of a channel is multiplied with, in the order of the channel's weights: all channels of a
 * group read the same.
 */
function inputImportance(
  { layout: { groups, readsPerGroup, kernel } }: ConstantUse,
  { meanSquare }: ChannelStatistics,
): readonly Float32Array[] {
  return Array.from({ length: groups }, (_, group) => {
    const importance = new Float32Array(readsPerGroup * kernel);
    for (let r = 0; r < readsPerGroup; r++) {
      importance.fill(meanSquare[group * readsPerGroup + r] as number, r * kernel, (r + 1) * kernel);
    }
    return importance;
  });
}

/** Channels that are looked at before a layer is taken for one whose weights lie on no lattice. */
const PROBED_CHANNELS = 4;

/**
 * Gives each output channel the weight scale that costs least instead of the one that holds its largest weight: the step of
 * the lattice that its weights lie on, with which nothing is lost, or else the one of the smallest squared error. The error
 * of a weight counts as much as the input that it is multiplied with is large on average, so that it is the layer's output that is
 * kept, as far as inputs vary by themselves.
 * Source: the search of Banner et al., «Post-training 4-bit quantization» (2019), without the assumption about the shape of
 * the distribution.
 */
export const weightScales: TuningPass = {
  name: 'weight-scales',
  run: async (draft, { recipe, statistics }) => {
    const { perTensor } = qdqSettings(recipe).weights;
    if (perTensor) return { changed: 0, reason: 'the recipe has one scale a tensor' };
    const { tuned, exact } = chooseWeightScales(draft, recipe, await statistics(draft));
    return {
      draft: withConstants(draft, tuned),
      changed: tuned.size,
      reason: `scales of ${tuned.size} layers, ${exact} of which have weights on a grid of their own already`,
    };
  },
};

/** The scales of all anchors of a draft, by what is known of their inputs. */
export function chooseWeightScales(draft: Draft, recipe: StaticRecipe, statistics: DraftStatistics) {
  const { grid } = qdqSettings(recipe).weights;
  const tuned = new Map<string, TunedConstants>();
  let exact = 0;
  for (const anchor of anchorsOf(draft)) {
    const { weights, layout } = readAnchorConstants(draft.view, anchor);
    const channels = channelValues(weights, layout);
    const steps = latticeSteps(channels, grid);
    if (steps !== undefined) exact += 1;
    const use = productUse(anchor.node, anchor.weights.tensor);
    const importance = inputImportance(use, statistics.get(anchor.node.input[0] ?? '') as ChannelStatistics);
    const scales = channels.map((values, channel) => {
      const group = Math.floor(channel / use.layout.makesPerGroup);
      return steps?.[channel] ?? searched(values, importance[group] as Float32Array, grid);
    });
    tuned.set(anchor.node.name ?? '', { weightScales: Float32Array.from(scales) });
  }
  return { tuned, exact };
}

/** A step for each channel that has one; undefined where the first channels have none. */
function latticeSteps(
  channels: readonly Float32Array[],
  grid: IntegerRange,
): readonly (number | undefined)[] | undefined {
  const stepOf = (values: Float32Array) => latticeStep(values, grid.max);
  const probed = channels.slice(0, PROBED_CHANNELS).map(stepOf);
  return probed.every((step) => step === undefined) ? undefined : channels.map(stepOf);
}

function searched(values: Float32Array, importance: Float32Array, grid: IntegerRange): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] as number));
  return largest > 0 ? bestScale(values, importance, largest, grid) : 1;
}

/** The weights of each channel. Where they lie one behind the other already, they are not copied. */
function channelValues(
  weights: Float32Array,
  { outer, channels, inner }: ChannelLayout,
): readonly Float32Array[] {
  const length = outer * inner;
  const sorted = outer === 1 ? weights : new Float32Array(weights.length);
  if (outer > 1) {
    for (let at = 0, o = 0; o < outer; o++) {
      for (let channel = 0; channel < channels; channel++) {
        const to = channel * length + o * inner;
        for (let i = 0; i < inner; i++, at++) sorted[to + i] = weights[at] as number;
      }
    }
  }
  return Array.from({ length: channels }, (_, channel) =>
    sorted.subarray(channel * length, (channel + 1) * length),
  );
}
