import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { LoadGenerator } from './load-generator.ts';
import { planRound, type RoundSpec } from './round.ts';
import type { RoundTotals } from './round-result.ts';

/** What a round is measured with beside its runs; each is undefined where the kernel does not tell. */
export interface RoundProbes {
  /** User plus system CPU time of this process so far. */
  readonly cpuSeconds?: () => number | undefined;
  /** CPU time that everything else has taken since boot. */
  readonly otherCpuSeconds?: () => number | undefined;
}

/** Runs one round where the system under test lives: the lead-in, then the load. */
export async function runRound(
  generator: LoadGenerator,
  spec: RoundSpec,
  probes: RoundProbes,
  onRuns: (chunk: Float64Array) => void,
): Promise<Result<RoundTotals, Problem>> {
  if (spec.leadInDurationNs > 0) {
    const led = await generator.run(leadInPlan(spec, generator), () => {});
    if (!led.ok) return led;
  }
  const plan = planRound(spec, generator);
  const before = { cpu: probes.cpuSeconds?.(), other: probes.otherCpuSeconds?.() };
  const started = await generator.run(plan, onRuns, { keepOutputs: true });
  const after = { cpu: probes.cpuSeconds?.(), other: probes.otherCpuSeconds?.() };
  if (!started.ok) return started;
  const cpuSeconds = difference(before.cpu, after.cpu);
  const otherCpuSeconds = difference(before.other, after.other);
  return ok({
    startNs: started.value.startNs,
    plannedRuns: plan.limits.maxRuns === Number.MAX_SAFE_INTEGER ? null : plan.limits.maxRuns,
    ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
    ...(otherCpuSeconds === undefined ? {} : { otherCpuSeconds: Math.max(0, otherCpuSeconds) }),
  });
}

function leadInPlan({ seed, leadInDurationNs }: RoundSpec, generator: LoadGenerator) {
  const limits = { minQueries: 1, minDurationNs: leadInDurationNs, maxDurationNs: leadInDurationNs };
  return planRound({ seed, load: { kind: 'closed', limits } }, generator);
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}
