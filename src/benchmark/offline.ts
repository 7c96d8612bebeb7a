import { runClosedLoop } from './closed-loop.ts';
import { seededRandom, shuffledIndices } from './random.ts';
import type { OfflineRound, RoundContext, RoundResult } from './round.ts';

// MLPerf makes the offline query a tenth larger than the expected rate asks for, so that it does not end too soon.
const RUN_COUNT_SLACK = 1.1;

/** MLPerf's size of an offline query: enough runs to last `minDurationNs` at the rate seen in the warm-up. */
export function offlineRunCount(
  minRuns: number,
  minDurationNs: number,
  expectedRunsPerSecond: number,
): number {
  return Math.max(1, minRuns, Math.ceil((RUN_COUNT_SLACK * minDurationNs * expectedRunsPerSecond) / 1e9));
}

/**
 * MLPerf's Offline: one query of many samples, all there from the start. Its metric is samples per second. The samples
 * are run back to back in batches of `samplesPerRun`; `latencyNs` holds the time of each run, as the time of a sample
 * since the query's issue would only restate its place in the queue.
 */
export async function runOfflineRound(context: RoundContext, spec: OfflineRound): Promise<RoundResult> {
  const { sampleCount, samplesPerRun } = context.sut;
  const order = shuffledIndices(sampleCount, seededRandom(spec.seed));
  const { startNs, durationNs, latencyNs } = await runClosedLoop(context, order, {
    minQueries: spec.runCount,
    minDurationNs: 0,
    maxDurationNs: spec.maxDurationNs,
  });
  return {
    index: spec.index,
    scenario: 'offline',
    startNs,
    durationNs,
    samples: latencyNs.length * samplesPerRun,
    latencyNs,
  };
}
