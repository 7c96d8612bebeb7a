import { findFeatureMaps } from '../calibration/feature-maps.ts';
import { findNonNegative } from '../calibration/non-negative.ts';
import { strideOver } from '../calibration/observation.ts';
import type { GraphView } from '../graph-view.ts';
import { anchorsOf } from './anchor-constants.ts';
import { type ChannelStatistics, channelStatistics, type ObservedChannels } from './channel-statistics.ts';
import { productUse } from './constant-use.ts';
import type { Draft } from './draft.ts';
import { findChannelGroups } from './equalization/channel-groups.ts';
import type { KeptValues } from './kept-values.ts';
import type { Learn } from './learning-run.ts';

/** By tensor. */
export type DraftStatistics = ReadonlyMap<string, ChannelStatistics>;

/** What was seen already, and the float model that it holds for. */
export interface FoundStatistics {
  readonly view: GraphView;
  readonly statistics: DraftStatistics;
  readonly kept: KeptValues;
}

/** So many samples tell the extremes of channels well enough: what goes beyond them is clipped. */
const STATISTIC_SAMPLES = 64;

const FIGURES = ['max', 'min', 'meanSquare'] as const;

/**
 * Gives the statistics of the channels of all that passes look at: what layers multiply, what is rounded, and what a Clip
 * gives. They hold for the float model, which several passes share, so that for each one the samples are run once.
 */
export function createDraftStatistics(
  learn: Learn,
  given?: Omit<FoundStatistics, 'kept'>,
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
        channelStatistics(draft.view.model, observed, { learn, figures: FIGURES }, STATISTIC_SAMPLES));

    known.set(draft.view, found);
    return found;
  };
}

/**
 * What is to be seen of a draft's float model: what layers read, what channels share a range in, and what a Clip gives. Of tensors
 * that share a range the one that it is found on tells of the channels of all.
 */
export function channelsToObserve(draft: Pick<Draft, 'view' | 'placement'>): readonly ObservedChannels[] {
  const { view, placement } = draft;
  const nonNegative = findNonNegative(view);
  const { channelsOf, uses, clipped, isFixed } = findChannelGroups(view);
  const observed = new Map<string, ObservedChannels>();
  const featureMaps = findFeatureMaps(view);
  const observe = (of: ObservedChannels) => {
    const sizes = of.axis === 'second' ? featureMaps.get(of.tensor) : undefined;
    const strides = sizes === undefined ? {} : { strides: sizes.map(strideOver) };
    const isNonNegative = nonNegative.has(of.tensor);
    observed.set(of.tensor, { ...observed.get(of.tensor), ...of, isNonNegative, ...strides });
  };
  for (const { node, weights } of anchorsOf(draft)) {
    const { reads, axis } = productUse(node, weights.tensor);
    observe({ tensor: node.input[0] ?? '', axis, channels: reads });
  }
  const observeScalable = (tensor: string, more: Partial<ObservedChannels> = {}) => {
    const of = channelsOf.get(tensor);
    if (of === undefined || of.groups.every(isFixed)) return;
    observe({ tensor, axis: of.axis, channels: of.groups.length, ...more });
  };
  for (const [edge, source] of placement.edges) {
    const told = new Set(channelsOf.get(source)?.groups);
    const isTold = channelsOf.get(edge)?.groups.every((group) => told.has(group)) ?? false;
    observeScalable(isTold ? source : edge, { isScalable: true });
  }
  for (const { node, readGroups } of uses) {
    const [tensor = ''] = node.input;
    if (readGroups !== undefined && placement.edges.has(tensor)) observeScalable(tensor);
  }
  for (const { tensor } of clipped) observeScalable(tensor, { isClipped: true });
  return [...observed.values()];
}
