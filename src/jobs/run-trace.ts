import type { BenchTracing } from '../benchmark/controller.ts';
import type { ProfileTrace } from '../config/profile.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Store } from '../store/store.ts';
import type { SuiteRun } from './bench-suite.ts';
import type { WorkerEntry } from './confinement/confined-entry.ts';
import type { TracedSamples } from './evaluate-task.ts';
import { openTraceRecording, type TraceRecording } from './trace-recording.ts';
import type { TracedModel } from './trace-task.ts';

/** Where the trace of a run lies, for its record. Null where there is none, for the reasons among the warnings. */
export interface RunTraceRecord {
  /** Its name in the viewers. */
  readonly run: string | null;
  /** For TensorFlow's profiler. */
  readonly path: string | null;
  readonly perfettoPath: string | null;
  readonly bytes: number;
  readonly models: readonly TracedModel[];
  readonly warnings: readonly string[];
}

/** The trace of a run while it is made. Without a trace all of it does nothing. */
export interface RunTrace {
  readonly calibration: TracedSamples | undefined;
  readonly evaluation: TracedSamples | undefined;
  /** What a measurement needs to be traced; nothing where it is not. */
  bench(
    suite: string,
    measurement: string,
  ): { readonly traceFolder: string; readonly tracing: BenchTracing } | undefined;
  /** Has it told why variants of a measurement are not traced. */
  benchEnded(run: SuiteRun): void;
  /** Makes the trace. Undefined where none is wanted. @param timeline the run's, if it has one */
  finish(timeline: string | undefined): Promise<RunTraceRecord | undefined>;
  /** Leaves nothing behind but what was published. */
  close(): Promise<void>;
}

const NO_TRACE: Omit<RunTrace, 'finish'> = {
  calibration: undefined,
  evaluation: undefined,
  bench: () => undefined,
  benchEnded: () => {},
  close: async () => {},
};

interface RunTraceDeps {
  /** Where traces go: the folder that viewers are started on. */
  readonly traces: { readonly logdir: string };
  readonly workerEntry: WorkerEntry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
  readonly store: Pick<Store, 'peaksFolder'>;
}

/**
 * Begins the trace of a run. One that cannot be made fails no run: its record says why.
 * @param model the name of the profile
 * @param plan undefined where nothing is to be traced
 */
export async function beginRunTrace(
  model: string,
  plan: ProfileTrace | undefined,
  { traces, workerEntry, clock, logger, signal, store }: RunTraceDeps,
): Promise<RunTrace> {
  if (plan === undefined) return { ...NO_TRACE, finish: async () => undefined };
  const startedMs = clock.wallMs();
  const recording = await openTraceRecording(traces.logdir, {
    host: { entry: workerEntry },
    startedMs,
    peaksFolder: store.peaksFolder,
  });
  if (!recording.ok) {
    logger.warn(recording.error.message, { logdir: traces.logdir });
    return { ...NO_TRACE, finish: async () => withoutTrace([recording.error.message]) };
  }
  const { folder, close } = recording.value;
  const warnings: string[] = [];
  const samples: TracedSamples = { folder, samples: plan.queries, model };
  return {
    calibration: plan.calibration ? samples : undefined,
    evaluation: plan.evaluation ? samples : undefined,
    bench: (suite, measurement) =>
      isTraced(plan, suite, measurement)
        ? { traceFolder: folder, tracing: { queries: plan.queries } }
        : undefined,
    benchEnded: (run) => {
      for (const warning of failedPasses(run)) {
        warnings.push(warning);
        recording.value.warn(warning);
      }
    },
    finish: (timeline) => finish(recording.value, timeline, warnings, { logger, signal }),
    close,
  };
}

function isTraced({ measurements }: ProfileTrace, suite: string, measurement: string): boolean {
  return (
    measurements === undefined ||
    [suite, `${suite}/${measurement}`].some((name) => measurements.includes(name))
  );
}

/** Why variants were not traced, as sentences. */
function failedPasses({ run: { records } }: Pick<SuiteRun, 'run'>): readonly string[] {
  return records.flatMap(({ identity, usage }) => {
    const failed = usage?.trace?.problem;
    return failed === undefined ? [] : [`${identity.variant} is not traced, or not whole: ${failed.message}`];
  });
}

async function finish(
  recording: TraceRecording,
  timeline: string | undefined,
  warnings: readonly string[],
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal | undefined },
): Promise<RunTraceRecord> {
  const made = await recording.publish(timeline === undefined ? {} : { timeline }, signal);
  if (!made.ok) {
    logger.warn(`no trace is made: ${made.error.message}`);
    return withoutTrace([...warnings, made.error.message]);
  }
  const { run = null, path, perfettoPath = null, bytes, models, warnings: told } = made.value;
  return { run, path, perfettoPath, bytes, models, warnings: told };
}

function withoutTrace(warnings: readonly string[]): RunTraceRecord {
  return { run: null, path: null, perfettoPath: null, bytes: 0, models: [], warnings };
}
