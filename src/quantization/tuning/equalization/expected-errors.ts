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
  /**
   * The sum over all that reads the groups: the energy of the errors over the energy of what is computed; or a part of it that
   * is no less than `enough`, where there is one.
   */
  readonly of: (groups: readonly number[], scaleOf: (group: number) => number, enough?: number) => number;
}

type Use = ChannelGroups['uses'][number];

interface Reader {
  readonly use: Use;
  readonly weights: WeightSums;
  readonly statistics: ChannelStatistics;
  readonly isRounded: boolean;
  readonly isOnLattice: boolean;
}

/** What is to be known of weights, so that they need not be gone through for each scale that is tried. */
interface WeightSums {
  /** The largest magnitude of each pair of channels: all that a made channel reads, one behind the other. */
  readonly largest: Float32Array;
  /** The sum of squares of what reads a channel. */
  readonly squares: Float64Array;
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
    const isRounded = edges.has(tensor);
    const reader = { use, weights: sumUp(weights, use), statistics: seen, isRounded, isOnLattice };
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
    const { readGroups = new Int32Array(0), isOneToOne } = use;
    const scales = new Float64Array(readGroups.length);
    let isSame = true;
    let max = 0;
    let min = 0;
    for (let channel = 0; channel < scales.length; channel++) {
      const scale = scaleOf(readGroups[channel] as number);
      scales[channel] = scale;
      isSame &&= scale === 1;
      max = Math.max(max, scale * (seen.max[channel] as number));
      min = Math.min(min, scale * (seen.min[channel] as number));
    }
    const activationNoise = isRounded ? ((max - min) / steps) ** 2 / 12 : 0;
    let gain = 0;
    let energy = 0;
    weights.squares.forEach((sum, channel) => {
      gain += sum / (scales[channel] as number) ** 2;
      energy += sum * (seen.meanSquare[channel] as number);
    });
    const staysExact = isOnLattice && (isSame || isOneToOne) && !perTensor;
    const share = (noise: number) => (energy > 0 ? noise / energy : 0);
    return {
      ofActivations: share(activationNoise * gain),
      ofWeights: () =>
        staysExact
          ? 0
          : share(noiseOfWeights(use, weights.largest, scales, seen.meanSquare, { grid, perTensor })),
    };
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
    of: (part, scaleOf, enough = Number.POSITIVE_INFINITY) => {
      const errors = Array.from(readers(part), (reader) => errorOf(reader, scaleOf));
      let sum = errors.reduce((total, { ofActivations }) => total + ofActivations, 0);
      for (const { ofWeights } of errors) {
        if (sum >= enough) return sum;
        sum += ofWeights();
      }
      return sum;
    },
  };
}

/**
 * What rounding weights that are divided by the scales of what they read adds to all that they make.
 * @param largest of each pair of channels
 */
function noiseOfWeights(
  { makes, layout: { groups, readsPerGroup, makesPerGroup, kernel } }: Use,
  largest: Float32Array,
  scales: Float64Array,
  meanSquare: Float64Array,
  { grid, perTensor }: Pick<QdqSettings['weights'], 'grid' | 'perTensor'>,
): number {
  const inverse = scales.map((scale) => 1 / scale);
  const steps = new Float64Array(makes);
  for (let made = 0; made < makes; made++) {
    const first = Math.floor(made / makesPerGroup) * readsPerGroup;
    const at = made * readsPerGroup;
    let most = 0;
    for (let r = 0; r < readsPerGroup; r++) {
      most = Math.max(most, (largest[at + r] as number) * (inverse[first + r] as number));
    }
    steps[made] = most / grid.max;
  }
  if (perTensor) steps.fill(steps.reduce((most, step) => Math.max(most, step), 0));
  let noise = 0;
  for (let group = 0; group < groups; group++) {
    let inputEnergy = 0;
    for (let channel = group * readsPerGroup; channel < (group + 1) * readsPerGroup; channel++) {
      inputEnergy += kernel * (meanSquare[channel] as number) * (scales[channel] as number) ** 2;
    }
    for (let made = group * makesPerGroup; made < (group + 1) * makesPerGroup; made++) {
      noise += ((steps[made] as number) ** 2 / 12) * inputEnergy;
    }
  }
  return noise;
}

function sumUp(weights: Float32Array, use: Use): WeightSums {
  const { readsPerGroup, makesPerGroup, kernel, readStride, madeStride } = use.layout;
  const largest = new Float32Array(use.makes * readsPerGroup);
  const squares = new Float64Array(use.reads);
  for (let made = 0; made < use.makes; made++) {
    const firstRead = Math.floor(made / makesPerGroup) * readsPerGroup;
    for (let r = 0; r < readsPerGroup; r++) {
      const start = made * madeStride + r * readStride;
      let most = 0;
      let sum = 0;
      for (let i = start; i < start + kernel; i++) {
        const weight = weights[i] as number;
        most = Math.max(most, Math.abs(weight));
        sum += weight * weight;
      }
      largest[made * readsPerGroup + r] = most;
      squares[firstRead + r] = (squares[firstRead + r] as number) + sum;
    }
  }
  return { largest, squares };
}

function weightShares(readers: ReadonlySet<Reader>): ReadonlyMap<number, number> {
  const shares = new Map<number, number>();
  for (const { use, weights } of readers) {
    const { readGroups = new Int32Array(0) } = use;
    const { readsPerGroup, makesPerGroup } = use.layout;
    const largest = new Float64Array(readGroups.length);
    for (let made = 0; made < use.makes; made++) {
      const first = Math.floor(made / makesPerGroup) * readsPerGroup;
      for (let r = 0; r < readsPerGroup; r++) {
        const most = weights.largest[made * readsPerGroup + r] as number;
        if (most > (largest[first + r] as number)) largest[first + r] = most;
      }
    }
    const all = largest.reduce((most, of) => Math.max(most, of), 0);
    readGroups.forEach((group, channel) => {
      const share = all > 0 ? (largest[channel] as number) / all : 1;
      shares.set(group, Math.max(shares.get(group) ?? 0, share));
    });
  }
  return shares;
}
