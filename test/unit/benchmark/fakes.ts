import type { RoundContext, RoundResult } from '../../../src/benchmark/round.ts';
import { runRound } from '../../../src/benchmark/scenarios.ts';
import { type BenchSettings, benchSettings } from '../../../src/benchmark/settings.ts';
import { warmUpUntilSteady } from '../../../src/benchmark/steady-state.ts';
import type { NamedSut } from '../../../src/benchmark/sut-handle.ts';
import type { SutIdentity } from '../../../src/benchmark/variant-record.ts';
import { ok } from '../../../src/core/result.ts';

/** A system whose n-th query takes `serviceNs(n)` on a clock that only moves while it works. */
export function virtualSystem(serviceNs: (query: number, sample: number) => number, samplesPerRun = 1) {
  let now = 1_000n;
  const issued: number[] = [];
  const context: RoundContext = {
    nowNs: () => now,
    sut: {
      sampleCount: 4,
      samplesPerRun,
      run: async (sample) => {
        now += BigInt(serviceNs(issued.length, sample));
        issued.push(sample);
      },
    },
  };
  return { context, issued };
}

/** A virtual system behind the interface that the controller drives. */
export function virtualSut(
  variant: string,
  serviceNs: (query: number) => number,
  events: string[] = [],
): NamedSut & { readonly context: RoundContext } {
  const { context } = virtualSystem(serviceNs);
  return {
    context,
    identity: identityOf(variant),
    handle: {
      warmUp: (spec) => {
        events.push(`warm-up ${variant}`);
        return warmUpUntilSteady(context, spec);
      },
      round: (spec) => {
        events.push(`round ${spec.index} ${variant}`);
        return runRound(context, spec);
      },
      finish: async () => {
        events.push(`finish ${variant}`);
        return ok({ peakRssBytes: 64 * 1024 ** 2, cpuSeconds: 3 });
      },
      kill: () => {
        events.push(`kill ${variant}`);
      },
    },
  };
}

export function identityOf(variant: string): SutIdentity {
  return { model: 'digits', variant, device: 'cpu', provider: 'cpu', threads: 1 };
}

export function roundOf(
  index: number,
  latencyNs: readonly number[],
  more: Partial<RoundResult> = {},
): RoundResult {
  return {
    index,
    scenario: 'single-stream',
    startNs: 0n,
    durationNs: latencyNs.reduce((sum, latency) => sum + latency, 0),
    samples: latencyNs.length,
    latencyNs: Float64Array.from(latencyNs),
    ...more,
  };
}

export function settingsOf(given: Partial<BenchSettings>): BenchSettings {
  const settings = benchSettings(given);
  if (!settings.ok) throw new Error(settings.error.message);
  return settings.value;
}

/** Standard normal numbers from uniform ones (Box–Muller). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
