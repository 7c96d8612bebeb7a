import type { EnergyReading, EnergySource } from '../benchmark/energy.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type Host, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import type { GpuBackend, GpuProblem } from '../telemetry/collectors/gpu/gpu-backend.ts';
import { NvmlBackend } from '../telemetry/collectors/gpu/nvml/nvml-backend.ts';

/** What is used of NVML. */
export type EnergyNvml = Pick<NvmlBackend, 'readEnergyJoules'> & Pick<GpuBackend, 'read' | 'close'>;

/** The GPUs of a benchmark: all of the host until `keepUsed`. */
export interface GpuEnergy extends EnergySource {
  /**
   * Counts from now on only the GPUs that a process has memory of. Where drivers do not tell, as in some containers, all
   * stay; that is right on a host with one, and on others the sum says more than the benchmark took.
   */
  keepUsed(pid: number): void;
}

/**
 * The energy of NVIDIA's GPUs, as their boards count it (from Volta on), by UUID: `nvmlDeviceGetTotalEnergyConsumption`.
 * Counted is everything that runs on a GPU. Problems: those of NVML, and `absent` where no board counts.
 */
export function openGpuEnergy(
  nvml: EnergyNvml = new NvmlBackend(),
  host: Host = SYSTEM_ROOTS,
  clock: Clock = systemClock,
): Result<GpuEnergy, GpuProblem> {
  let used: ReadonlySet<string> | undefined;
  const read = (): Result<EnergyReading, GpuProblem> => {
    const atNs = clock.nowNs();
    const joules = nvml.readEnergyJoules(host);
    if (!joules.ok) return joules;
    const counters = [...joules.value]
      .filter(([uuid]) => used?.has(uuid) !== false)
      .map(([domain, taken]) => ({ domain, joules: taken }));
    return ok({ atNs, counters });
  };
  const first = read();
  if (!first.ok) return first;
  if (first.value.counters.length === 0) {
    return err(problem('absent', 'No GPU of this host counts its energy.'));
  }
  return ok({
    name: 'nvml-gpu',
    read,
    keepUsed: (pid) => {
      const reading = nvml.read(host, [pid]);
      if (!reading.ok) return;
      const own = reading.value.gpus.filter(({ processes }) => (processes ?? []).length > 0);
      if (own.length > 0) used = new Set(own.map(({ uuid }) => uuid));
    },
  });
}
