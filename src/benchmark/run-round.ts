import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { type EnergyReading, energyBetween } from './energy.ts';
import type { HostConditions } from './host-conditions.ts';
import type { LoadGenerator } from './load-generator.ts';
import { MOST_RUNS, planRound, type RoundSpec } from './round.ts';
import type { ContextSwitches, RoundTotals } from './round-result.ts';

/** What is read before and after a round; a reading is undefined where the kernel does not tell. */
export interface RoundProbes {
  /** User plus system CPU time of this process so far. */
  readonly cpuSeconds?: () => number | undefined;
  /** CPU time that everything else has taken since boot. */
  readonly otherCpuSeconds?: () => number | undefined;
  readonly contextSwitches?: () => ContextSwitches;
  readonly conditions?: () => HostConditions;
  readonly energy?: () => EnergyReading | undefined;
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
  const before = { ...read(probes), energy: probes.energy?.() };
  const started = await generator.run(plan, onRuns, { keepOutputs: true });
  if (!started.ok) return started;
  return ok({
    startNs: started.value.startNs,
    plannedRuns: plan.limits.maxRuns === MOST_RUNS ? null : plan.limits.maxRuns,
    ...between(before, { energy: probes.energy?.(), ...read(probes) }),
  });
}

type Readings = ReturnType<typeof read> & { readonly energy: EnergyReading | undefined };

function read(probes: RoundProbes) {
  return {
    cpuSeconds: probes.cpuSeconds?.(),
    otherCpuSeconds: probes.otherCpuSeconds?.(),
    switches: probes.contextSwitches?.(),
    conditions: probes.conditions?.(),
  };
}

function between(before: Readings, after: Readings): Omit<RoundTotals, 'startNs' | 'plannedRuns'> {
  const cpuSeconds = difference(before.cpuSeconds, after.cpuSeconds);
  const otherCpuSeconds = difference(before.otherCpuSeconds, after.otherCpuSeconds);
  const voluntary = difference(before.switches?.voluntary, after.switches?.voluntary);
  const involuntary = difference(before.switches?.involuntary, after.switches?.involuntary);
  const used =
    before.energy === undefined || after.energy === undefined
      ? undefined
      : energyBetween(before.energy, after.energy);
  return {
    ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
    ...(otherCpuSeconds === undefined ? {} : { otherCpuSeconds: Math.max(0, otherCpuSeconds) }),
    ...(voluntary === undefined || involuntary === undefined
      ? {}
      : { contextSwitches: { voluntary, involuntary } }),
    ...(before.conditions === undefined || after.conditions === undefined
      ? {}
      : { conditions: { before: before.conditions, after: after.conditions } }),
    // A counter that could not be followed leaves the energy unknown, which is no fault of the measurement.
    ...(used?.ok ? { energy: used.value } : {}),
  };
}

function leadInPlan({ seed, leadInDurationNs }: RoundSpec, generator: LoadGenerator) {
  const limits = { minQueries: 1, minDurationNs: leadInDurationNs, maxDurationNs: leadInDurationNs };
  return planRound({ seed, load: { kind: 'closed', limits } }, generator);
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}
