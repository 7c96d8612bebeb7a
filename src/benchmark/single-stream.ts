import { runClosedLoop } from './closed-loop.ts';
import { seededRandom, shuffledIndices } from './random.ts';
import type { RoundContext, RoundResult, SingleStreamRound } from './round.ts';

/** MLPerf's SingleStream: queries of one sample, the next issued when the last is complete. Its metric is latency. */
export async function runSingleStreamRound(
  context: RoundContext,
  spec: SingleStreamRound,
): Promise<RoundResult> {
  const order = shuffledIndices(context.sut.sampleCount, seededRandom(spec.seed));
  const { startNs, durationNs, latencyNs } = await runClosedLoop(context, order, spec.limits);
  return {
    index: spec.index,
    scenario: 'single-stream',
    startNs,
    durationNs,
    samples: latencyNs.length * context.sut.samplesPerRun,
    latencyNs,
  };
}
