import type { IntegerRange } from '../../affine.ts';
import { qdqSettings } from '../../qdq-settings.ts';
import type { StaticRecipe } from '../../recipe.ts';
import type { TunedConstants } from '../../tuned-constants.ts';
import { anchorsOf, readAnchorConstants } from '../anchor-constants.ts';
import type { ChannelStatistics } from '../channel-statistics.ts';
import { productUse } from '../constant-use.ts';
import { type Draft, withConstants } from '../draft.ts';
import type { DraftStatistics } from '../draft-statistics.ts';
import type { TuningPass } from '../tuning-pass.ts';
import { bestScale } from './best-scale.ts';
import { latticeStep } from './lattice-step.ts';

/** The mean square of what each weight of an anchor is multiplied with. */
function inputImportance(
  { node, weights }: ReturnType<typeof anchorsOf>[number],
  statistics: DraftStatistics,
): Float32Array {
  const { readBy } = productUse(node, weights.tensor);
  const { meanSquare } = statistics.get(node.input[0] ?? '') as ChannelStatistics;
  const count = weights.tensor.dims.reduce((product, dim) => product * dim, 1);
  return Float32Array.from({ length: count }, (_, element) => meanSquare[readBy(element)] as number);
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
    const byChannel = (values: Float32Array) =>
      Array.from({ length: layout.channels }, (_, channel) => channelValues(values, layout, channel));
    const channels = byChannel(weights);
    const steps = latticeSteps(channels, grid);
    if (steps !== undefined) exact += 1;
    // Where every channel has a step there is nothing to search by it.
    const importance = steps?.every((step) => step !== undefined)
      ? []
      : byChannel(inputImportance(anchor, statistics));
    const scales = channels.map(
      (values, channel) => steps?.[channel] ?? searched(values, importance[channel], grid),
    );
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

function searched(values: Float32Array, importance: Float32Array | undefined, grid: IntegerRange): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest > 0 ? bestScale(values, importance, largest, grid) : 1;
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
