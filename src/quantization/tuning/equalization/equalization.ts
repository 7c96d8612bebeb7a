import { findNonNegative } from '../../calibration/non-negative.ts';
import { qdqSettings } from '../../qdq-settings.ts';
import { channelStatistics } from '../channel-statistics.ts';
import type { TuningPass } from '../tuning-pass.ts';
import { weightScales } from '../weight-scales/weight-scales.ts';
import { type ChannelGroups, findChannelGroups } from './channel-groups.ts';
import { chooseScales } from './choose-scales.ts';
import { rescale } from './rescale.ts';

/** So many samples tell the extremes of channels well enough: what goes beyond them is clipped. */
const SAMPLES = 64;

/**
 * Gives channels that share a range more alike magnitudes: what makes a channel is multiplied, what reads it is divided, and
 * the float model computes what it did. Unlike equalization of weights alone, it goes by the activations too, as weights
 * with one scale a channel suffer little and activations have one in all. How far it goes is chosen for each part of
 * the model by the errors that are to be expected of the roundings of activations and weights.
 * Sources: Nagel et al., «Data-Free Quantization Through Weight Equalization and Bias Correction» (2019); Xiao et al.,
 * «SmoothQuant» (2023), of which the migration strength is what is searched.
 */
export const equalization: TuningPass = {
  name: 'equalization',
  run: async (draft, tools) => {
    const { recipe, learn, settle } = tools;
    const groups = findChannelGroups(draft.view);
    const edges = new Set(draft.placement.edges.keys());
    const observed = tensorsToObserve(groups, edges);
    if (observed.length === 0) return { changed: 0, reason: 'no channels that could be scaled' };
    const nonNegative = findNonNegative(draft.view);
    const statistics = await channelStatistics(
      draft.view.model,
      observed.map((of) => ({ ...of, isNonNegative: nonNegative.has(of.tensor) })),
      { learn },
      SAMPLES,
    );
    const chosen = chooseScales(draft.view, groups, edges, statistics, qdqSettings(recipe));
    if (chosen.parts === 0) {
      return { changed: 0, reason: 'the channels that share a range are alike enough' };
    }
    const settled = await settle(rescale(draft.view, groups, chosen.scaleOf));
    // Of other weights other scales are best: the two passes are judged together.
    const rescaled = draft.constants.size > 0 ? (await weightScales.run(settled, tools)).draft : undefined;
    return {
      draft: rescaled ?? settled,
      changed: chosen.channels,
      reason: `${chosen.channels} channels in ${chosen.parts} parts of the model, by up to ${Math.round(chosen.largest)} times`,
    };
  },
};

function tensorsToObserve({ channelsOf, clipped, isFixed }: ChannelGroups, edges: ReadonlySet<string>) {
  const wanted = new Set([...edges, ...clipped.map(({ tensor }) => tensor)]);
  return [...wanted].flatMap((tensor) => {
    const channels = channelsOf.get(tensor);
    if (channels === undefined || channels.groups.every(isFixed)) return [];
    return [{ tensor, axis: channels.axis, channels: channels.groups.length }];
  });
}
