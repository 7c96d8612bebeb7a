import { qdqSettings } from '../../qdq-settings.ts';
import { withConstants } from '../draft.ts';
import type { DraftStatistics } from '../draft-statistics.ts';
import type { TuningPass } from '../tuning-pass.ts';
import { chooseWeightScales } from '../weight-scales/weight-scales.ts';
import { type ChannelGroups, findChannelGroups } from './channel-groups.ts';
import { chooseScales } from './choose-scales.ts';
import { rescale } from './rescale.ts';

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
  run: async (draft, { recipe, statistics, settle }) => {
    const groups = findChannelGroups(draft.view);
    const edges = new Set(draft.placement.edges.keys());
    if (!hasFreeChannels(groups, edges)) return { changed: 0, reason: 'no channels that could be scaled' };
    const seen = await statistics(draft);
    const chosen = chooseScales(draft.view, groups, edges, seen, qdqSettings(recipe));
    if (chosen.parts === 0) {
      return { changed: 0, reason: 'the channels that share a range are alike enough' };
    }
    const scalesOf = (tensor: string) => {
      const scales = groups.channelsOf.get(tensor)?.groups;
      return scales && Float64Array.from(scales, chosen.scaleOf);
    };
    const isSame = (tensor: string) => scalesOf(tensor)?.every((scale) => scale === 1) ?? true;
    const known = new Map([...draft.ranges].filter(([tensor]) => isSame(tensor)));
    const rewritten = rescale(draft.view, groups, chosen.scaleOf);
    const settled = await settle(rewritten, known, { from: draft.view, scalesOf });
    // Of other weights other scales are best: the two passes are judged together.
    const rescaled =
      draft.constants.size > 0
        ? withConstants(
            settled,
            chooseWeightScales(settled, recipe, scaledStatistics(seen, groups, chosen.scaleOf)).tuned,
          )
        : settled;
    return {
      draft: rescaled,
      changed: chosen.channels,
      reason: `${chosen.channels} channels in ${chosen.parts} parts of the model, by up to ${Math.round(chosen.largest)} times`,
    };
  },
};

function hasFreeChannels({ channelsOf, isFixed }: ChannelGroups, edges: ReadonlySet<string>): boolean {
  return [...edges].some((tensor) => channelsOf.get(tensor)?.groups.some((group) => !isFixed(group)));
}

/** What was seen of the model, as it is seen after scaling. */
function scaledStatistics(
  statistics: DraftStatistics,
  { channelsOf }: ChannelGroups,
  scaleOf: (group: number) => number,
): DraftStatistics {
  return new Map(
    [...statistics].map(([tensor, { max, min, meanSquare }]) => {
      const groups = channelsOf.get(tensor)?.groups;
      const scale = (channel: number) => (groups === undefined ? 1 : scaleOf(groups[channel] as number));
      const scaled = {
        max: max.map((value, channel) => value * scale(channel)),
        min: min.map((value, channel) => value * scale(channel)),
        meanSquare: meanSquare.map((value, channel) => value * scale(channel) ** 2),
      };
      return [tensor, scaled];
    }),
  );
}
