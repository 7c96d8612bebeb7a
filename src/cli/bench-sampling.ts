import type { SamplingBetween } from '../benchmark/round-sampling.ts';
import { samplingIntervalMs } from '../core/sampling.ts';
import type { ReadyMeasurement } from '../jobs/ready-measurement.ts';
import { sampledAs } from '../jobs/sample-host.ts';
import { watchGpuMemory } from '../jobs/watch-gpu-memory.ts';
import type { WorkerHost } from '../jobs/worker-process.ts';
import { COLLECTORS } from '../telemetry/collectors/all.ts';
import { type Sampler, startSampler } from '../telemetry/sampler.ts';
import type { SamplerWhenNeeded } from './command-trace.ts';
import { SAMPLER_ENTRY } from './entries.ts';
import { terminalLogger } from './loggers.ts';
import type { Terminal } from './terminal.ts';

/** What a measurement has of whoever samples meanwhile. */
interface Sampled {
  readonly host: WorkerHost;
  readonly sampling: SamplingBetween | undefined;
}

interface Surroundings {
  readonly host: WorkerHost;
  readonly sampler: SamplerWhenNeeded;
  readonly terminal: Terminal;
}

/**
 * Often enough for a peak that stays: the runtime gives no memory back while a session lives. One process that asks the driver once a
 * second is what those have running who look after a GPU.
 */
const GPU_INTERVAL_MS = 1000;

/**
 * Has the host sampled as a measurement wishes. Without a wish nothing samples it, as the command keeps no timeline, except that of a
 * measurement on a GPU the GPUs alone are read once a second: how much of a GPU a model takes is asked as often as how fast it is.
 */
export async function sampledAsWished<T>(
  { sampling, device }: Pick<ReadyMeasurement, 'sampling' | 'device'>,
  { host, sampler, terminal }: Surroundings,
  work: (sampled: Sampled) => Promise<T>,
): Promise<T> {
  if (sampling === undefined && device !== 'cpu') return withGpusRead(host, terminal, work);
  if (sampling === undefined || samplingIntervalMs(sampling) === null)
    return work({ host, sampling: undefined });
  const running = sampler.get();
  const watched = watchedBy(running, host);
  try {
    return await sampledAs(running, sampling, (between) => work({ host: watched.host, sampling: between }));
  } finally {
    watched.stop();
    await running.pause();
  }
}

async function withGpusRead<T>(
  host: WorkerHost,
  terminal: Terminal,
  work: (sampled: Sampled) => Promise<T>,
): Promise<T> {
  const sampler = startSampler({
    entry: SAMPLER_ENTRY,
    intervalMs: GPU_INTERVAL_MS,
    collectors: { gpus: COLLECTORS.gpus },
    logger: terminalLogger(terminal),
  });
  const watched = watchedBy(sampler, host);
  try {
    return await work({ host: watched.host, sampling: undefined });
  } finally {
    watched.stop();
    await sampler.stop();
  }
}

/** The same host, whose workers the sampler watches, and what they hold of GPUs is kept. */
function watchedBy(sampler: Sampler, host: WorkerHost) {
  const gpuMemory = watchGpuMemory(sampler);
  const pids = new Set<number>();
  const watched: WorkerHost = {
    ...host,
    onSpawn: (pid, role) => {
      pids.add(pid);
      gpuMemory.addProcess(pid);
      sampler.watch([...pids]);
      host.onSpawn?.(pid, role);
    },
    onExit: (pid) => {
      pids.delete(pid);
      gpuMemory.removeProcess(pid);
      sampler.watch([...pids]);
      host.onExit?.(pid);
    },
    peakGpuMemoryBytes: gpuMemory.peakBytes,
  };
  return { host: watched, stop: gpuMemory.stop };
}
