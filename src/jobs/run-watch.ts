import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { PhaseSpan } from '../core/phase.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import { createTimeline, type TimelineWriter } from '../telemetry/timeline/timeline-writer.ts';

/** How often the host is sampled while a job runs. */
export const WATCH_INTERVAL_MS = 100;

/** How long a worker that is done is kept for its last sample, which takes some milliseconds unless the sampler hangs. */
const LAST_SAMPLE_WITHIN_MS = 300;

/** Keeps the host's snapshots and the run's phases in one file while a run lasts. */
export interface RunWatch {
  /** Adds a worker to the processes that are sampled. */
  readonly addProcess: (pid: number) => void;
  readonly removeProcess: (pid: number) => void;
  /** Has a process sampled anew and waits for that, so that its last sample has all that it did. */
  readonly seeLast: (pid: number) => Promise<void>;
  readonly phase: (span: PhaseSpan) => void;
  /** Ends the watch and closes its file. False where that could not be written; the log says why. */
  readonly finish: () => Promise<boolean>;
}

/**
 * Speeds the sampler up for the length of a run. A watch that fails does not fail the run: its record then has no
 * timeline.
 */
export async function startRunWatch(
  sampler: Sampler,
  file: string,
  options: { readonly idleIntervalMs: number; readonly logger: Logger },
): Promise<RunWatch> {
  const created = await createTimeline(file);
  if (!created.ok) options.logger.warn(created.error.message, { file });
  const writer: TimelineWriter | undefined = created.ok ? created.value : undefined;
  const pids = new Set<number>();
  let finished = false;
  const watchProcesses = () => {
    // The end of a process that outlived the run must not unwatch those of the next one.
    if (!finished) sampler.watch([...pids]);
  };
  const stopListening = sampler.onSnapshot((snapshot) => writer?.append(snapshot));
  sampler.setIntervalMs(WATCH_INTERVAL_MS);
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
    phase: (span) => writer?.appendPhase(span),
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
