import type { Logger } from '../core/log.ts';
import type { PhaseSpan } from '../core/phase.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import { type PhaseSummary, summarizePhases } from '../telemetry/timeline.ts';
import { createTimeline, readTimeline, type TimelineWriter } from '../telemetry/timeline-file.ts';

/** How often the host is sampled while a job runs. */
export const WATCH_INTERVAL_MS = 100;

/** What the host did during a run. */
export interface RunTimeline {
  readonly file: string;
  readonly snapshots: number;
  readonly droppedSnapshots: number;
  readonly phases: readonly PhaseSummary[];
}

/** Keeps the host's snapshots and the run's phases in one file while a run lasts. */
export interface RunWatch {
  /** Adds a worker to the processes that are sampled. */
  readonly addProcess: (pid: number) => void;
  readonly removeProcess: (pid: number) => void;
  readonly phase: (span: PhaseSpan) => void;
  /** Ends the watch. Undefined where the timeline could not be written or read; the log says why. */
  readonly finish: () => Promise<RunTimeline | undefined>;
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
    phase: (span) => writer?.appendPhase(span),
    finish: async () => {
      finished = true;
      stopListening();
      sampler.setIntervalMs(options.idleIntervalMs);
      sampler.watch([]);
      return writer === undefined ? undefined : summarize(writer, file, options.logger);
    },
  };
}

async function summarize(
  writer: TimelineWriter,
  file: string,
  logger: Logger,
): Promise<RunTimeline | undefined> {
  const closed = await writer.close();
  if (!closed.ok) logger.warn(closed.error.message, { file });
  const timeline = await readTimeline(file);
  if (!timeline.ok) {
    logger.warn(timeline.error.message, { file });
    return undefined;
  }
  const { snapshots, spans, droppedSnapshots } = timeline.value;
  return { file, snapshots: snapshots.length, droppedSnapshots, phases: summarizePhases(snapshots, spans) };
}
