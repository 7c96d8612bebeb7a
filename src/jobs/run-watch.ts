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
import { sampledAs, setSampling } from './sample-host.ts';

/** How long a worker that is done is kept for its last sample, which takes some milliseconds unless the sampler hangs. */
const LAST_SAMPLE_WITHIN_MS = 300;

/** Keeps the host's snapshots and the run's phases in one file while a run lasts. */
export interface RunWatch {
  /** Adds a worker to the processes that are sampled. */
  readonly addProcess: (pid: number) => void;
  readonly removeProcess: (pid: number) => void;
  /** Has a process sampled anew and waits for that, so that its last sample has all that it did. */
  readonly seeLast: (pid: number) => Promise<void>;
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
    readonly idleIntervalMs: number;
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
  const usual = options.sampling ?? DEFAULT_SAMPLING;
  await setSampling(sampler, usual);
  return {
    addProcess: (pid) => {
      pids.add(pid);
      watchProcesses();
    },
    removeProcess: (pid) => {
      pids.delete(pid);
      watchProcesses();
    },
    seeLast: (pid) => nextSampleOf(sampler, pid),
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
      stopListening();
      sampler.setIntervalMs(options.idleIntervalMs);
      sampler.watch([]);
      const closed = await writer?.close();
      if (closed?.ok === false) options.logger.warn(closed.error.message, { file });
      return closed?.ok === true;
    },
  };
}

/** Waits for a sample of a process that is taken after now, unless no samples come anyway. */
function nextSampleOf(sampler: Sampler, pid: number): Promise<void> {
  const nowNs = systemClock.nowNs();
  if (sampler.health().sources.host?.state !== 'up') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(finish, LAST_SAMPLE_WITHIN_MS);
    const stopListening = sampler.onSnapshot(({ tickNs, processes }) => {
      if (tickNs > nowNs && processes?.some((process) => process.pid === pid)) finish();
    });
    sampler.sample('host');
    function finish(): void {
      clearTimeout(timer);
      stopListening();
      resolve();
    }
  });
}
