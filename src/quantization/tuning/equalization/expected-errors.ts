import type { GraphView } from '../../graph-view.ts';
import type { QdqSettings } from '../../insert-qdq.ts';
import type { ChannelStatistics } from '../channel-statistics.ts';
import { latticeStep } from '../weight-scales/lattice-step.ts';
import type { ChannelGroups } from './channel-groups.ts';

/** Estimates what rounding costs where channels are scaled. */
export interface ExpectedErrors {
  /** Whether weights read the groups at all. */
  readonly areRead: (groups: readonly number[]) => boolean;
  /** Whether each channel of the groups is read alone, so that no weights are rounded together that are scaled apart. */
  readonly isReadOneToOne: (groups: readonly number[]) => boolean;
  /** Whether weights that lie on a grid of their own already, and would leave it, read the groups. */
  readonly leavesLattice: (groups: readonly number[]) => boolean;
  /** The largest weight that reads a group, over the largest of its layer: the most over all layers. */
  readonly weightShare: (group: number) => number;
  /** The sum over all that reads the groups: the energy of the errors over the energy of what is computed. */
  readonly of: (groups: readonly number[], scaleOf: (group: number) => number) => number;
}

type Use = ChannelGroups['uses'][number];

interface Reader {
  readonly use: Use;
  readonly weights: Float32Array;
  readonly statistics: ChannelStatistics;
  readonly isRounded: boolean;
  readonly isOnLattice: boolean;
}

/**
 * A rounding to a step is taken as noise of the variance step²/12, without regard to what else is rounded.
 * Source: Widrow, «A study of rough amplitude quantization by means of Nyquist sampling theory» (1956).
 */
export function expectedErrors(
  view: GraphView,
  groups: ChannelGroups,
  edges: ReadonlySet<string>,
  statistics: ReadonlyMap<string, ChannelStatistics>,
  { activations, weights: { grid, perTensor } }: QdqSettings,
): ExpectedErrors {
  const steps = activations.codes.max - activations.codes.min;
  const readersOf = new Map<number, Set<Reader>>();
  for (const use of groups.uses) {
    const [tensor = ''] = use.node.input;
    const seen = statistics.get(tensor);
    if (use.readGroups === undefined || seen === undefined) continue;
    const weights = view.readFloats(use.tensor);
    const isOnLattice = latticeStep(weights.subarray(0, Math.min(weights.length, 1024)), 254) !== undefined;
    const reader = { use, weights, statistics: seen, isRounded: edges.has(tensor), isOnLattice };
    for (const group of new Set(use.readGroups)) {
      const known = readersOf.get(group);
      if (known === undefined) readersOf.set(group, new Set([reader]));
      else known.add(reader);
    }
  }
  const errorOf = (
    { use, weights, statistics: seen, isRounded, isOnLattice }: Reader,
    scaleOf: (group: number) => number,
  ) => {
    const { readGroups = new Int32Array(0), readBy, makesAt, makes, isOneToOne } = use;
    const scales = Float64Array.from(readGroups, scaleOf);
    const isSame = scales.every((scale) => scale === 1);
    let max = 0;
    let min = 0;
    scales.forEach((scale, channel) => {
      max = Math.max(max, scale * (seen.max[channel] as number));
      min = Math.min(min, scale * (seen.min[channel] as number));
    });
    const activationNoise = isRounded ? ((max - min) / steps) ** 2 / 12 : 0;
    const largest = new Float64Array(perTensor ? 1 : makes);
    const inputEnergy = new Float64Array(makes);
    let gain = 0;
    let energy = 0;
    for (let element = 0; element < weights.length; element++) {
      const channel = readBy(element);
      const made = makesAt(element);
      const scale = scales[channel] as number;
      const value = weights[element] as number;
      const meanSquare = seen.meanSquare[channel] as number;
      const scaled = value / scale;
      const at = perTensor ? 0 : made;
      largest[at] = Math.max(largest[at] as number, Math.abs(scaled));
      inputEnergy[made] = (inputEnergy[made] as number) + meanSquare * scale * scale;
      gain += scaled * scaled;
      energy += value * value * meanSquare;
    }
    const staysExact = isOnLattice && (isSame || isOneToOne) && !perTensor;
    let weightNoise = 0;
    if (!staysExact) {
      inputEnergy.forEach((of, made) => {
        weightNoise += (((largest[perTensor ? 0 : made] as number) / grid.max) ** 2 / 12) * of;
      });
    }
    return energy > 0 ? (activationNoise * gain + weightNoise) / energy : 0;
  };
  const readers = (part: readonly number[]) =>
    new Set(part.flatMap((group) => [...(readersOf.get(group) ?? [])]));
  const shares = weightShares(new Set([...readersOf.values()].flatMap((of) => [...of])));
  return {
    areRead: (part) => readers(part).size > 0,
    isReadOneToOne: (part) => [...readers(part)].every(({ use }) => use.isOneToOne),
    leavesLattice: (part) =>
      [...readers(part)].some(({ use, isOnLattice }) => isOnLattice && !use.isOneToOne),
    weightShare: (group) => shares.get(group) ?? 1,
    of: (part, scaleOf) => {
      let sum = 0;
      for (const reader of readers(part)) sum += errorOf(reader, scaleOf);
      return sum;
    },
  };
}

function weightShares(readers: ReadonlySet<Reader>): ReadonlyMap<number, number> {
  const shares = new Map<number, number>();
  for (const { use, weights } of readers) {
    const { readGroups = new Int32Array(0), readBy } = use;
    const largest = new Float64Array(readGroups.length);
    weights.forEach((weight, element) => {
      const channel = readBy(element);
      largest[channel] = Math.max(largest[channel] as number, Math.abs(weight));
    });
    const all = largest.reduce((most, of) => Math.max(most, of), 0);
    readGroups.forEach((group, channel) => {
      const share = all > 0 ? (largest[channel] as number) / all : 1;
      shares.set(group, Math.max(shares.get(group) ?? 0, share));
    });
  }
  return shares;
}
