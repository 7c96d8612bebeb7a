import { setTimeout as pause } from 'node:timers/promises';
import type { Result } from '../core/result.ts';
import { type Host, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { createGpuCollector, type GpuCollector } from '../telemetry/collectors/gpu/create-gpu-collector.ts';
import type { GpuProblem } from '../telemetry/collectors/gpu/gpu-backend.ts';
import type { GpusReading } from '../telemetry/collectors/gpu/gpu-reading.ts';

/** Read the host's GPUs once, as the sampler would. */
export interface GpuExaminationTask {
  readonly kind: 'gpu-examination';
}

const POLL_MS = 50;

/** Runs in a worker process, as a driver may hang. Waits until a backend answers or all have failed. */
export async function examineGpus(
  _task: GpuExaminationTask,
  collect: GpuCollector = createGpuCollector(),
  host: Host = SYSTEM_ROOTS,
): Promise<Result<GpusReading, GpuProblem>> {
  for (;;) {
    const outcome = collect(host, []);
    if (outcome.ok || outcome.error.isStarting !== true) {
      collect.close?.();
      return outcome;
    }
    await pause(POLL_MS);
  }
}
