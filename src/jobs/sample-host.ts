import type { SamplingBetween } from '../benchmark/round-sampling.ts';
import { type Sampling, samplingIntervalMs } from '../core/sampling.ts';
import type { Sampler } from '../telemetry/sampler.ts';

/** From now on the host is sampled so often. Where it is not, the sampler's processes have ended when this resolves. */
export async function setSampling(sampler: Sampler, sampling: Sampling): Promise<void> {
  const intervalMs = samplingIntervalMs(sampling);
  if (intervalMs === null) await sampler.pause();
  else sampler.setIntervalMs(intervalMs);
}

/**
 * Has the host sampled so often while something is measured.
 * @param work  gets what tells how the host was sampled between two moments, of which the later is the present; undefined
 *   where it is not sampled
 */
export async function sampledAs<T>(
  sampler: Sampler,
  sampling: Sampling,
  work: (between: SamplingBetween | undefined) => Promise<T>,
): Promise<T> {
  await setSampling(sampler, sampling);
  const intervalMs = samplingIntervalMs(sampling);
  if (intervalMs === null) return work(undefined);
  const ticksNs: bigint[] = [];
  const stopListening = sampler.onSnapshot(({ source, tickNs }) => {
    if (source === 'host') ticksNs.push(tickNs);
  });
  try {
    return await work((startNs, endNs) => {
      // Of what came before only the last can bound a gap; moments are asked about in their order.
      const first = ticksNs.findIndex((tickNs) => tickNs >= startNs);
      ticksNs.splice(0, first < 0 ? ticksNs.length : first);
      return { intervalSeconds: intervalMs / 1e3, longestGapSeconds: longestGap(ticksNs, startNs, endNs) };
    });
  } finally {
    stopListening();
  }
}

function longestGap(ticksNs: readonly bigint[], startNs: bigint, endNs: bigint): number {
  let longestNs = 0n;
  let lastNs = startNs;
  for (const tickNs of ticksNs) {
    if (tickNs > endNs) break;
    if (tickNs - lastNs > longestNs) longestNs = tickNs - lastNs;
    lastNs = tickNs;
  }
  return Number(endNs - lastNs > longestNs ? endNs - lastNs : longestNs) / 1e9;
}
