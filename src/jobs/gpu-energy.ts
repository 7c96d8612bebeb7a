import type { EnergyReading, EnergySource } from '../benchmark/energy.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type Host, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import type { GpuProblem } from '../telemetry/collectors/gpu/gpu-backend.ts';
import { NvmlBackend } from '../telemetry/collectors/gpu/nvml/nvml-backend.ts';

/** What is used of NVML. */
export type EnergyNvml = Pick<NvmlBackend, 'readEnergyJoules' | 'read'>;

/** The GPUs of a benchmark: all of the host until `keepUsed`. */
export interface GpuEnergy extends EnergySource {
  /**
   * Counts from now on only the GPUs that a process has memory of. Some drivers do not tell, as in containers; what others draw
   * is no figure of a benchmark, so then that is the only GPU of the host, where it can be no other, and none of several.
   * @param isNvidias whether the device of the benchmark is a GPU of NVIDIA for certain
   */
  keepUsed(pid: number, isNvidias: boolean): void;
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
    keepUsed: (pid, isNvidias) => {
      const reading = nvml.read(host, [pid]);
      if (!reading.ok) return;
      const { gpus } = reading.value;
      const own = gpus.filter(({ processes = [] }) => processes.length > 0);
      const isTheOnly = own.length === 0 && isNvidias && gpus.length === 1;
      used = new Set((isTheOnly ? gpus : own).map(({ uuid }) => uuid));
    },
  });
}
