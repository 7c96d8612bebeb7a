import { type HostRoots, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { collectCpu } from '../telemetry/collectors/cpu.ts';
import { processCpuSeconds } from './process-memory.ts';

/** CPU seconds since boot in which any CPU of the host did something; undefined where the kernel does not tell. */
export function hostBusySeconds(roots: HostRoots = SYSTEM_ROOTS): number | undefined {
  const reading = collectCpu(roots);
  if (!reading.ok) return undefined;
  const { idle, iowait, ...busy } = reading.value.secondsByMode;
  return Object.values(busy).reduce((total, seconds) => total + seconds, 0);
}

/** CPU seconds that everything but this process has taken since boot; undefined where the kernel does not tell. */
export function otherBusySeconds(): number | undefined {
  const host = hostBusySeconds();
  return host === undefined ? undefined : host - processCpuSeconds();
}
