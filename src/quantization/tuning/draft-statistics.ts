import { findFeatureMaps } from '../calibration/feature-maps.ts';
import { findNonNegative } from '../calibration/non-negative.ts';
import { strideOver } from '../calibration/observation.ts';
import type { GraphView } from '../graph-view.ts';
import { anchorsOf } from './anchor-constants.ts';
import { type ChannelStatistics, channelStatistics, type ObservedChannels } from './channel-statistics.ts';
import { productUse } from './constant-use.ts';
import type { Draft } from './draft.ts';
import { findChannelGroups } from './equalization/channel-groups.ts';
import type { Learn } from './learning-run.ts';

/** By tensor. */
export type DraftStatistics = ReadonlyMap<string, ChannelStatistics>;

/** Statistics that were found already, and the float model that they hold for. */
export interface FoundStatistics {
  readonly view: GraphView;
  readonly statistics: DraftStatistics;
}

/** So many samples tell the extremes of channels well enough: what goes beyond them is clipped. */
export const STATISTIC_SAMPLES = 64;

/**
 * Gives the statistics of the channels of all that passes look at: what layers multiply, what is rounded, and what a Clip
 * gives. They hold for the float model, which several passes share, so that for each one the samples are run once.
 */
export function createDraftStatistics(
  learn: Learn,
  given?: FoundStatistics,
): (draft: Draft) => Promise<DraftStatistics> {
  const known = new WeakMap<GraphView, Promise<DraftStatistics>>();
  return (draft) => {
    const observed = channelsToObserve(draft);
    // What the latency gate leaves float may have changed what is rounded.
    const isGiven =
      given?.view === draft.view && observed.every(({ tensor }) => given.statistics.has(tensor));
    const found = isGiven
      ? Promise.resolve(given.statistics)
      : (known.get(draft.view) ??
        channelStatistics(draft.view.model, observed, { learn }, STATISTIC_SAMPLES));
    known.set(draft.view, found);
    return found;
  };
}

/** What is to be seen of a draft's float model. */
export function channelsToObserve(draft: Pick<Draft, 'view' | 'placement'>): readonly ObservedChannels[] {
  const { view, placement } = draft;
  const nonNegative = findNonNegative(view);
  const { channelsOf, clipped, isFixed } = findChannelGroups(view);
  const observed = new Map<string, ObservedChannels>();
  const featureMaps = findFeatureMaps(view);
  const observe = (of: ObservedChannels) => {
    const sizes = of.axis === 'second' ? featureMaps.get(of.tensor) : undefined;
    const strides = sizes === undefined ? {} : { strides: sizes.map(strideOver) };
    observed.set(of.tensor, { ...of, isNonNegative: nonNegative.has(of.tensor), ...strides });
  };
  for (const { node, weights } of anchorsOf(draft)) {
    const { reads, axis } = productUse(node, weights.tensor);
    observe({ tensor: node.input[0] ?? '', axis, channels: reads });
  }
  for (const tensor of [...placement.edges.keys(), ...clipped.map((clip) => clip.tensor)]) {
    const channels = channelsOf.get(tensor);
    if (channels === undefined || channels.groups.every(isFixed)) continue;
    observe({ tensor, axis: channels.axis, channels: channels.groups.length });
  }
  return [...observed.values()];
}
