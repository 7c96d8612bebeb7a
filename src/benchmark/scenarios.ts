import { attemptAsync, type Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { runClosedLoop } from './closed-loop.ts';
import { runOfflineRound } from './offline.ts';
import type { RoundContext, RoundResult, RoundSpec } from './round.ts';
import { runSingleStreamRound } from './single-stream.ts';

/**
 * Runs one round where the system under test lives: the lead-in, then the scenario. A `ProblemError` that the system
 * rejects with comes back as a value.
 */
export function runRound(context: RoundContext, spec: RoundSpec): Promise<Result<RoundResult, Problem>> {
  return attemptAsync(async () => {
    if (spec.leadInDurationNs > 0) await leadIn(context, spec.leadInDurationNs);
    const cpuBefore = context.cpuSeconds?.();
    const result = await runScenario(context, spec);
    const cpuAfter = context.cpuSeconds?.();
    if (cpuBefore === undefined || cpuAfter === undefined) return result;
    return { ...result, cpuSeconds: cpuAfter - cpuBefore };
  });
}

function runScenario(context: RoundContext, spec: RoundSpec): Promise<RoundResult> {
  switch (spec.scenario) {
    case 'single-stream':
      return runSingleStreamRound(context, spec);
    case 'offline':
      return runOfflineRound(context, spec);
  }
}

async function leadIn(context: RoundContext, durationNs: number): Promise<void> {
  await runClosedLoop(context, Uint32Array.of(0), {
    minQueries: 1,
    minDurationNs: durationNs,
    maxDurationNs: durationNs,
  });
}
