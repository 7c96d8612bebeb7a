import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { secondsBetween } from '../core/clock.ts';
import type { Device } from '../core/device.ts';
import { ProblemError, problem } from '../core/problem.ts';
import { formatBytes } from '../core/units.ts';
import type { Arithmetic, MemoryLevel } from '../trace/roofline/peaks.ts';
import { readCpuCaches } from './cpu-caches.ts';
import { computeProbes, type FastestProbe, fastestProbe } from './fastest-probe.ts';
import { defaultMemoryLimitBytes } from './memory-limit.ts';
import type { MeasuredPeaks, PeaksTask } from './peaks-task.ts';
import { inPlaceRelus } from './probe-models.ts';
import { type ProbedLevel, probedLevels } from './probed-levels.ts';
import type { TaskContext } from './task-context.ts';
import type { ProbeSettings } from './time-probe.ts';
import { watchDisturbances } from './watch-disturbances.ts';

/**
 * Lets the runtime multiply matrices, convolve and move data with its best kernels, and takes the highest rate of each: what no
 * model on this host exceeds by much. Takes a few seconds.
 * Runs in a worker process with nothing else in it. Throws `ProblemError`: `device-unavailable`, and `peaks-unmeasurable` where
 * not even a product of floats can be timed.
 */
export async function measurePeaks(
  { device, threads }: PeaksTask,
  { clock }: Pick<TaskContext, 'clock'>,
): Promise<MeasuredPeaks> {
  const folder = await mkdtemp(join(tmpdir(), 'ptq-agent-'));
  try {
    const startNs = clock.nowNs();
    const disturbances = watchDisturbances(clock);
    const settings: ProbeSettings = { device, threads, folder, clock };
    const compute = await measureCompute(settings);
    const levels = device === 'cpu' ? cpuLevels(threads) : [DEVICE_MEMORY];
    const memory = await measureLevels(levels, settings);
    return {
      device,
      threads,
      ...compute.peaks,
      levels: memory.levels,
      doubts: [...compute.doubts, ...memory.doubts, ...disturbances()],
      notes: device === 'cpu' ? notesOn(levels) : [],
      seconds: secondsBetween(startNs, clock.nowNs()),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureCompute(settings: ProbeSettings) {
  const { device, threads } = settings;
  const found = async (arithmetic: Arithmetic) =>
    fastestProbe(computeProbes(device, threads, arithmetic), settings);
  const float32 = await found('float32');
  if (float32 === null) throw unmeasurable(device, 'it cannot multiply matrices of floats');
  const rates = { float32, float16: await found('float16'), int8: await found('int8') };
  const { float16, int8 } = rates;
  return {
    peaks: {
      operationsPerSecond: {
        float32: float32.perSecond,
        float16: float16?.perSecond ?? null,
        int8: int8?.perSecond ?? null,
      },
      kernels: { float32: float32.kernel, float16: float16?.kernel ?? null, int8: int8?.kernel ?? null },
    },
    doubts: Object.values(rates).flatMap(unsteadiness),
  };
}

async function measureLevels(levels: readonly ProbedLevel[], settings: ProbeSettings) {
  const measured: MemoryLevel[] = [];
  const doubts: string[] = [];
  // From the farthest on: a nearer memory is at least as fast, whatever a disturbance made of it.
  for (const { name, capacityBytes, bufferBytes, instances } of [...levels].reverse()) {
    const probes = bufferBytes.map(inPlaceRelus);
    const together = await fastestProbe(probes, settings);
    // Small buffers are not always shared out among threads, though other operators do use all of these caches.
    const alone = instances === 1 ? null : await fastestProbe(probes, { ...settings, threads: 1 });
    const best = Math.max(together?.perSecond ?? 0, (alone?.perSecond ?? 0) * instances);
    if (best === 0) throw unmeasurable(settings.device, 'the time to read and write its memory is not told');
    doubts.push(...unsteadiness(together));
    measured.unshift({
      name,
      capacityBytes,
      bytesPerSecond: Math.max(best, measured[0]?.bytesPerSecond ?? 0),
    });
  }
  return { levels: measured, doubts };
}

/** Of a GPU one memory is measured: how its caches are reached differs from one to the next. */
const DEVICE_MEMORY: ProbedLevel = {
  name: 'memory',
  capacityBytes: null,
  bufferBytes: [4, 16, 64, 256].map((mebibytes) => mebibytes * 2 ** 20),
  instances: 1,
};

function cpuLevels(threads: number): readonly ProbedLevel[] {
  const freeBytes = defaultMemoryLimitBytes() ?? Number.POSITIVE_INFINITY;
  return probedLevels(readCpuCaches(), threads, availableParallelism(), freeBytes);
}

function notesOn(levels: readonly ProbedLevel[]): string[] {
  const [memory, nearer] = [levels.at(-1), levels.at(-2)];
  const buffer = memory?.bufferBytes[0] ?? 0;
  const cache = nearer?.capacityBytes ?? 0;
  if (buffer >= 2 * cache) return [];
  return [
    `The bandwidth of the memory was measured on ${formatBytes(buffer)}, which the ${nearer?.name} of ${formatBytes(cache)} may have held in part`,
  ];
}

function unsteadiness(probe: FastestProbe | null): string[] {
  if (probe === null || probe.steady) return [];
  return [`The three fastest runs of ${probe.kernel} differ by more than 5 %`];
}

function unmeasurable(device: Device, reason: string) {
  return new ProblemError(
    problem('peaks-unmeasurable', `the peaks of the device ${device} cannot be measured: ${reason}`, {
      hint: 'ptq-agent doctor tells what works on this host',
    }),
  );
}
