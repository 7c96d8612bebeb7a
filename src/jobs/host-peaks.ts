import { availableParallelism } from 'node:os';
import type { Clock } from '../core/clock.ts';
import type { Device } from '../core/device.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { Peaks } from '../trace/roofline/peaks.ts';
import { readHostFingerprint } from './host-fingerprint.ts';
import { keepPeaks, peaksPath, readPeaks } from './peaks-file.ts';
import type { MeasuredPeaks, PeaksTask } from './peaks-task.ts';
import { readInventory } from './read-inventory.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

export interface PeaksRequest {
  readonly device: Device;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  /** Where peaks are kept, a file each; nowhere without. */
  readonly folder?: string;
  /** Measure even where some are kept. */
  readonly anew?: boolean;
}

export interface PeaksDeps {
  readonly host: WorkerHost;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly signal?: AbortSignal;
  /** Told before anything is measured. */
  readonly onMeasuring?: (device: Device) => void;
}

/** Peaks and when they were measured, in milliseconds since the Unix epoch. */
export interface HostPeaks extends MeasuredPeaks {
  readonly measuredAtMs: number;
}

/**
 * The peaks of this host: those that were kept for the same processor, memory, kernel, runtime and driver, or else measured now
 * in a worker process. Those with doubts are not kept. Whoever measures times beside has the benchmark lock.
 * Problems: `cancelled`, `device-unavailable`, `peaks-unmeasurable`, and the death of the worker.
 */
export async function hostPeaks(
  { device, threads, folder, anew = false }: PeaksRequest,
  { host, clock, signal, onMeasuring }: PeaksDeps,
): Promise<Result<HostPeaks, Problem>> {
  const task = taskOf({ device, threads });
  const path = folder === undefined ? undefined : peaksPath(folder, task, await identityOf(device, host));
  const kept = path === undefined || anew ? undefined : await readPeaks(path);
  if (kept !== undefined) return ok({ ...kept.peaks, measuredAtMs: kept.measuredAtMs });
  onMeasuring?.(device);
  const answer = await runTask(host, task, signal === undefined ? {} : { signal });
  if (!answer.ok) return answer;
  const peaks = answer.value as MeasuredPeaks;
  const measuredAtMs = clock.wallMs();
  if (path !== undefined && peaks.doubts.length === 0) {
    await keepPeaks(path, { format: 'ptq-agent peaks', version: 1, measuredAtMs, peaks });
  }
  return ok({ ...peaks, measuredAtMs });
}

/** The peaks that `hostPeaks` kept for this host as it is. Undefined where there are none: nothing is measured. */
export async function keptPeaks(
  { device, threads, folder }: Required<Omit<PeaksRequest, 'anew'>>,
  host: WorkerHost,
): Promise<Peaks | undefined> {
  const path = peaksPath(folder, taskOf({ device, threads }), await identityOf(device, host));
  return (await readPeaks(path))?.peaks;
}

function taskOf({ device, threads }: Pick<PeaksRequest, 'device' | 'threads'>): PeaksTask {
  return { kind: 'peaks', device, threads: threads || availableParallelism() };
}

/** All that peaks depend on; of a GPU also its driver, and which of several Vulkan drivers is taken. */
async function identityOf(device: Device, { entry, cpus }: WorkerHost): Promise<unknown> {
  const { nodeVersion, agentVersion, ...identity } = readHostFingerprint();
  if (device === 'cpu') return { ...identity, cpus };
  const { gpus = [] } = await readInventory(entry);
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
  return { ...identity, gpus, drivers: [VK_DRIVER_FILES, VK_ICD_FILENAMES] };
}
