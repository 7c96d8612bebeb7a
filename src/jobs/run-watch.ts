import type { SamplingBetween } from '../benchmark/round-sampling.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { BegunPhase, PhaseSpan } from '../core/phase.ts';
import { DEFAULT_SAMPLING, type Sampling } from '../core/sampling.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import {
  createTimeline,
  type TimelineAbout,
  type TimelineWriter,
} from '../telemetry/timeline/timeline-writer.ts';
import { nextSample, sampledAs, setSampling } from './sample-host.ts';
import { watchGpuMemory } from './watch-gpu-memory.ts';

/** Keeps the host's snapshots and the run's phases in one file while a run lasts. */
export interface RunWatch {
  /** Adds a worker to the processes that are sampled. */
  readonly addProcess: (pid: number) => void;
  readonly removeProcess: (pid: number) => void;
  /** Has a process sampled anew and waits for that, so that its last sample has all that it did. */
  readonly seeLast: (pid: number) => Promise<void>;
  /** See `GpuMemoryWatch.peakBytes`. */
  readonly peakGpuMemoryBytes: (pid: number) => Promise<number | null>;
  readonly beginPhase: (begun: BegunPhase) => void;
  readonly phase: (span: PhaseSpan) => void;
  /** Has the host sampled otherwise for a while; see `sampledAs`. Without a rate, as during the rest of the run. */
  readonly sampledAs: <T>(
    sampling: Sampling | undefined,
    work: (between: SamplingBetween | undefined) => Promise<T>,
  ) => Promise<T>;
  /** Ends the watch and closes its file. False where that could not be written; the log says why. */
  readonly finish: () => Promise<boolean>;
}

/**
 * Has the sampler follow a run for its length. A watch that fails does not fail the run: its record then has no
 * timeline.
 */
export async function startRunWatch(
  sampler: Sampler,
  file: string,
  options: {
    readonly about?: TimelineAbout;
    readonly idleIntervalMs: () => number;
    /** 10 times a second unless given. */
    readonly sampling?: Sampling | undefined;
    readonly logger: Logger;
  },
): Promise<RunWatch> {
  const created = await createTimeline(file, options.about);
  if (!created.ok) options.logger.warn(created.error.message, { file });
  const writer: TimelineWriter | undefined = created.ok ? created.value : undefined;
  const pids = new Set<number>();
  let finished = false;
  const watchProcesses = () => {
    // The end of a process that outlived the run must not unwatch those of the next one.
    if (!finished) sampler.watch([...pids]);
  };
  const stopListening = sampler.onSnapshot((snapshot) => writer?.append(snapshot));
  const gpuMemory = watchGpuMemory(sampler);
  const usual = options.sampling ?? DEFAULT_SAMPLING;
  await setSampling(sampler, usual);
  return {
    addProcess: (pid) => {
      pids.add(pid);
      gpuMemory.addProcess(pid);
      watchProcesses();
    },
    removeProcess: (pid) => {
      pids.delete(pid);
      gpuMemory.removeProcess(pid);
      watchProcesses();
    },
    seeLast: (pid) =>
      nextSample(sampler, {
        after: systemClock.nowNs(),
        has: ({ processes }) => processes?.some((process) => process.pid === pid) === true,
      }),
    peakGpuMemoryBytes: gpuMemory.peakBytes,
    beginPhase: (begun) => writer?.beginPhase(begun),
    phase: (span) => writer?.appendPhase(span),
    sampledAs: async (sampling, work) => {
      try {
        return await sampledAs(sampler, sampling ?? usual, work);
      } finally {
        if (!finished) await setSampling(sampler, usual);
      }
    },
    finish: async () => {
      finished = true;
      // With the new rate all samples of the old one are handed over.
      sampler.setIntervalMs(options.idleIntervalMs());
      await nextSample(sampler, { after: systemClock.nowNs() });
      stopListening();
      gpuMemory.stop();
      sampler.watch([]);
      const closed = await writer?.close();
      if (closed?.ok === false) options.logger.warn(closed.error.message, { file });
      return closed?.ok === true;
    },
  };
}
