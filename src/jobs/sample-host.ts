import type { SamplingBetween } from '../benchmark/round-sampling.ts';
import { type Sampling, samplingIntervalMs } from '../core/sampling.ts';
import type { SamplerSource } from '../telemetry/collectors/collector.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import type { Snapshot } from '../telemetry/snapshot.ts';

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
    return await work(async (startNs, endNs) => {
      // Samples are handed over some at a time, so what there is of the round has to be called for.
      await nextSample(sampler, { after: endNs });
      // Of what came before only the last can bound a gap; moments are asked about in their order.
      const first = ticksNs.findIndex((tickNs) => tickNs >= startNs);
      ticksNs.splice(0, first < 0 ? ticksNs.length : first);
      return { intervalSeconds: intervalMs / 1e3, longestGapSeconds: longestGap(ticksNs, startNs, endNs) };
    });
  } finally {
    stopListening();
  }
}

/** How long a sample that is called for is waited for; it takes some milliseconds unless the sampler hangs. */
const SAMPLE_WITHIN_MS = 300;

/**
 * Has a source sampled now, the host unless another is named, and waits for that, unless no samples come anyway. All that was taken of
 * it before has come by then.
 */
export function nextSample(
  sampler: Sampler,
  {
    after,
    has,
    source = 'host',
  }: {
    readonly after: bigint;
    readonly has?: (snapshot: Snapshot) => boolean;
    readonly source?: SamplerSource;
  },
): Promise<void> {
  if (sampler.health().sources[source]?.state !== 'up') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(finish, SAMPLE_WITHIN_MS);
    const stopListening = sampler.onSnapshot((snapshot) => {
      if (snapshot.source === source && snapshot.tickNs > after && has?.(snapshot) !== false) finish();
    });
    sampler.sample(source);
    function finish(): void {
      clearTimeout(timer);
      stopListening();
      resolve();
    }
  });
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
