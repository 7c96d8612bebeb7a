import { formatSeconds } from '../core/units.ts';

/** How the host was sampled during a round, or during all rounds of a measurement. */
export interface RoundSampling {
  readonly intervalSeconds: number;
  /** The longest time without a sample, the ends counted. */
  readonly longestGapSeconds: number;
}

/** What tells how the host was sampled between two moments; undefined where it was not. It may take a sample to find out. */
export type SamplingBetween = (startNs: bigint, endNs: bigint) => Promise<RoundSampling | undefined>;

/** A sampler that misses ten samples in a row, and a second at least, was held up or replaced: nobody saw the host then. */
const STALL_INTERVALS = 10;
const STALL_SECONDS = 1;

/** Why a round was not watched as it should have been, as a sentence; empty where it was, or was not meant to be. */
export function samplingReasons(sampling: RoundSampling | undefined): string[] {
  if (sampling === undefined) return [];
  const { intervalSeconds, longestGapSeconds } = sampling;
  if (longestGapSeconds <= Math.max(STALL_INTERVALS * intervalSeconds, STALL_SECONDS)) return [];
  return [
    `The sampler stalled: nothing was read of the host for ${formatSeconds(longestGapSeconds)}, with a sample due ` +
      `every ${formatSeconds(intervalSeconds)}`,
  ];
}

/** Of all rounds together; null unless each of them was sampled. */
export function joinSampling(rounds: readonly { readonly sampling?: RoundSampling }[]): RoundSampling | null {
  const each = rounds.flatMap(({ sampling }) => sampling ?? []);
  if (each.length === 0 || each.length < rounds.length) return null;
  return {
    intervalSeconds: Math.max(...each.map(({ intervalSeconds }) => intervalSeconds)),
    longestGapSeconds: Math.max(...each.map(({ longestGapSeconds }) => longestGapSeconds)),
  };
}
