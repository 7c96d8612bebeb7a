import type { GraphView } from '../../graph-view.ts';
import type { QdqSettings } from '../../insert-qdq.ts';
import type { ChannelStatistics } from '../channel-statistics.ts';
import type { ChannelGroups } from './channel-groups.ts';
import { type ExpectedErrors, expectedErrors } from './expected-errors.ts';
import { createUnions } from './unions.ts';

export interface ChosenScales {
  /** 1 for groups that stay as they are. */
  readonly scaleOf: (group: number) => number;
  /** Parts of the model and channels that are scaled. */
  readonly parts: number;
  readonly channels: number;
  /** The ratio of the largest and the smallest scale in one part. */
  readonly largest: number;
}

/**
 * How much of the differences between activations is moved into the weights. Between 0 and 1 channels become alike not in
 * their extremes but in what lies below, which ranges that may clip go by. A channel that is read alone costs its weights
 * nothing; where several are rounded together, the weights have to bear it. Found on MobileNetV2 and SqueezeNet.
 */
const STRENGTH_ONE_TO_ONE = 0.75;
const STRENGTH = 0.25;
/** Where channels differ so much that the error falls to this share, the expected errors choose the strength. */
const GREAT_GAIN = 0.01;
const STRENGTHS = [0.25, 0.5, 0.75, 1];
/** A channel that hardly ever differs from 0 is not blown up without end. */
const LARGEST_SCALE = 1e4;
const SMALLEST_SHARE = 1e-4;

/** Chooses for each part of the model, the channels that share ranges, how far to equalize them. */
export function chooseScales(
  view: GraphView,
  groups: ChannelGroups,
  edges: ReadonlySet<string>,
  statistics: ReadonlyMap<string, ChannelStatistics>,
  settings: QdqSettings,
): ChosenScales {
  const magnitudes = channelMagnitudes(groups, edges, statistics);
  const limits = clipLimits(groups, statistics);
  const errors = expectedErrors(view, groups, edges, statistics, settings);
  const scales = new Map<number, number>();
  const scaleOf = (group: number) => scales.get(group) ?? 1;
  let parts = 0;
  let largest = 1;
  for (const part of partsOf(groups, edges)) {
    const free = part.filter((group) => !groups.isFixed(group) && (magnitudes.get(group) ?? 0) > 0);
    if (free.length < 2 || !errors.areRead(part)) continue;
    const set = (of: ReadonlyMap<number, number> | undefined) => {
      for (const group of free) scales.set(group, of?.get(group) ?? 1);
    };
    const best = bestScales(free, { magnitudes, limits, errors, part, set, scaleOf });
    set(best);
    if (best === undefined) continue;
    parts += 1;
    const used = [...best.values()];
    largest = Math.max(largest, Math.max(...used) / Math.min(...used));
  }
  const channels = [...scales.values()].filter((scale) => scale !== 1).length;
  return { scaleOf, parts, channels, largest };
}

interface Search {
  readonly magnitudes: ReadonlyMap<number, number>;
  readonly limits: ReadonlyMap<number, number>;
  readonly errors: ExpectedErrors;
  readonly part: readonly number[];
  readonly set: (scales: ReadonlyMap<number, number> | undefined) => void;
  readonly scaleOf: (group: number) => number;
}

function bestScales(
  free: readonly number[],
  { magnitudes, limits, errors, part, set, scaleOf }: Search,
): ReadonlyMap<number, number> | undefined {
  const scales = (strength: number, balanced: boolean) =>
    new Map(
      free.map((group) => {
        const limit = limits.get(group);
        // What a Clip cuts may grow as far as its bound, and not shrink.
        if (limit !== undefined) return [group, Math.max(1, limit) ** strength];
        const weight = balanced ? Math.max(SMALLEST_SHARE, errors.weightShare(group)) : 1;
        const scale = weight ** (1 - strength) / (magnitudes.get(group) as number) ** strength;
        return [group, Math.min(LARGEST_SCALE, scale)];
      }),
    );
  set(undefined);
  let lowest = errors.of(part, scaleOf) * GREAT_GAIN;
  let best: ReadonlyMap<number, number> | undefined;
  for (const strength of STRENGTHS) {
    const candidate = scales(strength, true);
    set(candidate);
    const expected = errors.of(part, scaleOf, lowest);
    if (expected >= lowest) continue;
    lowest = expected;
    best = candidate;
  }
  if (best !== undefined) return best;
  if (errors.isReadOneToOne(part)) return scales(STRENGTH_ONE_TO_ONE, false);
  return errors.leavesLattice(part) ? undefined : scales(STRENGTH, false);
}

/** The largest share that a group's channels have of the range of a tensor that they lie in. */
function channelMagnitudes(
  { channelsOf }: ChannelGroups,
  edges: ReadonlySet<string>,
  statistics: ReadonlyMap<string, ChannelStatistics>,
): ReadonlyMap<number, number> {
  const magnitudes = new Map<number, number>();
  for (const [tensor, { max, min }] of statistics) {
    const { groups } = channelsOf.get(tensor) ?? {};
    if (groups === undefined || !edges.has(tensor)) continue;
    const own = max.map((value, channel) => Math.max(value, -(min[channel] as number)));
    const range = own.reduce((most, value) => Math.max(most, value), 0);
    groups.forEach((group, channel) => {
      const share = range > 0 ? (own[channel] as number) / range : 0;
      magnitudes.set(group, Math.max(magnitudes.get(group) ?? 0, share));
    });
  }
  return magnitudes;
}

/** How far a group's channels can be scaled before a Clip cuts what it did not cut. */
function clipLimits(
  { channelsOf, clipped }: ChannelGroups,
  statistics: ReadonlyMap<string, ChannelStatistics>,
): ReadonlyMap<number, number> {
  const limits = new Map<number, number>();
  for (const { tensor, bound } of clipped) {
    const { max } = statistics.get(tensor) ?? {};
    channelsOf.get(tensor)?.groups.forEach((group, channel) => {
      const seen = max?.[channel] ?? bound;
      const limit = seen > 0 ? bound / seen : 1;
      limits.set(group, Math.min(limits.get(group) ?? Number.POSITIVE_INFINITY, limit));
    });
  }
  return limits;
}

/** Groups that lie in one tensor share its range, and so does whatever is connected by tensors. */
function partsOf({ channelsOf }: ChannelGroups, edges: ReadonlySet<string>): readonly (readonly number[])[] {
  const unions = createUnions();
  const numbers = new Map<number, number>();
  const numberOf = (group: number) => {
    const known = numbers.get(group) ?? unions.fresh();
    numbers.set(group, known);
    return known;
  };
  for (const [tensor, { groups }] of channelsOf) {
    if (!edges.has(tensor)) continue;
    const first = groups[0];
    for (const group of groups) unions.unite(numberOf(group), numberOf(first ?? group));
  }
  const parts = new Map<number, number[]>();
  for (const [group, number] of numbers) {
    const root = unions.root(number);
    const part = parts.get(root);
    if (part === undefined) parts.set(root, [group]);
    else part.push(group);
  }
  return [...parts.values()];
}
