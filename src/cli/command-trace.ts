import { systemClock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { openTraceRecording, type TraceRecording } from '../jobs/trace-recording.ts';
import type { TraceReport } from '../jobs/trace-task.ts';
import { createTraceWatch, type TraceWatch } from '../jobs/trace-watch.ts';
import type { WorkerHost } from '../jobs/worker-process.ts';
import { type Sampler, startSampler } from '../telemetry/sampler.ts';
import { SAMPLER_ENTRY, WORKER_ENTRY } from './entries.ts';
import { terminalLogger } from './loggers.ts';
import type { Terminal } from './terminal.ts';
import type { TraceWish } from './trace-option.ts';

/** The trace that a command makes of what it runs. Must be closed. */
export interface CommandTrace {
  /** Where traced sessions leave their profiles. */
  readonly folder: string;
  readonly queries: number;
  readonly watch: TraceWatch;
  /** The same host, whose processes are watched too. */
  watched(host: WorkerHost): WorkerHost;
  /** Has it told to whoever looks at the trace, and on stderr. */
  warn(warning: string): void;
  /** Undefined where the trace cannot be made, or the command was cancelled; stderr says why. */
  publish(signal: AbortSignal): Promise<TraceReport | undefined>;
  close(): Promise<void>;
}

/** A sampler that is not there before somebody wants it: the less runs beside a benchmark the better. */
export interface SamplerWhenNeeded {
  readonly get: () => Sampler;
  readonly stop: () => Promise<void>;
}

const INTERVAL_MS = 100;

/** Where `roofline` keeps them unless it is told otherwise. */
const PEAKS_FOLDER = '.ptq-agent/peaks';

export function samplerWhenNeeded(terminal: Terminal): SamplerWhenNeeded {
  let sampler: Sampler | undefined;
  return {
    get: () => {
      sampler ??= startSampler({
        entry: SAMPLER_ENTRY,
        intervalMs: INTERVAL_MS,
        logger: terminalLogger(terminal),
      });
      return sampler;
    },
    stop: async () => sampler?.stop(),
  };
}

/** Errors: `trace-not-written`. */
export async function beginCommandTrace(
  wish: TraceWish,
  samplerOf: () => Sampler,
  terminal: Terminal,
): Promise<Result<CommandTrace, Problem>> {
  const startedMs = systemClock.wallMs();
  const recording = await openTraceRecording(wish.logdir, {
    host: { entry: WORKER_ENTRY },
    startedMs,
    peaksFolder: PEAKS_FOLDER,
  });
  if (!recording.ok) return recording;
  const { folder, warn, close } = recording.value;
  const watch = createTraceWatch(samplerOf, {
    file: `${folder}/timeline.ptqt`,
    clock: systemClock,
    logger: terminalLogger(terminal),
  });
  return ok({
    folder,
    queries: wish.queries,
    watch,
    watched: (host) => ({ ...host, onSpawn: watch.addProcess, onExit: watch.removeProcess }),
    warn: (warning) => {
      warn(warning);
      terminal.stderr.write(`trace: ${warning}\n`);
    },
    publish: (signal) => publish(recording.value, watch, signal, terminal),
    close: async () => {
      await watch.close();
      await close();
    },
  });
}

async function publish(
  recording: TraceRecording,
  watch: TraceWatch,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<TraceReport | undefined> {
  const timeline = await watch.close();
  if (signal.aborted) return undefined;
  const made = await recording.publish(timeline === undefined ? {} : { timeline }, signal);
  if (made.ok) return made.value;
  terminal.stderr.write(`trace: none is made: ${made.error.message}\n`);
  return undefined;
}
