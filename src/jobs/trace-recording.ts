import { access, constants, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { asError } from '../core/as-error.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { peaksOfParts } from './peaks-of-parts.ts';
import { makeTraceSpool, removeTraceSpool } from './trace-spool.ts';
import type { TraceReport, TraceTask } from './trace-task.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

/** A trace from its first profile to its place in a folder. Whoever opens one must close it. */
export interface TraceRecording {
  /** Where traced sessions leave their profiles. */
  readonly folder: string;
  /** What whoever looks at the trace has to know, such as that a variant could not be traced. */
  warn(warning: string): void;
  /** Makes the trace, in a worker, and puts it into the folder of traces. */
  publish(work: Pick<TraceTask, 'timeline'>, signal?: AbortSignal): Promise<Result<TraceReport, Problem>>;
  /** Leaves nothing behind but what was published. */
  close(): Promise<void>;
}

export interface RecordingSettings {
  readonly host: Pick<WorkerHost, 'entry'>;
  readonly startedMs: number;
  /** Where `ptq-agent roofline` keeps the peaks of this host: where there are some, the trace says what its operators need at least. */
  readonly peaksFolder?: string;
}

/**
 * Begins a trace. That its folder can be written is seen now, before anything runs. Errors: `trace-not-written`.
 * @param logdir the folder that viewers are started on; made where it is missing
 */
export async function openTraceRecording(
  logdir: string,
  { host, startedMs, peaksFolder }: RecordingSettings,
): Promise<Result<TraceRecording, Problem>> {
  const folder = resolve(logdir);
  const writable = await requireWritable(folder);
  if (!writable.ok) return writable;
  const spool = await makeTraceSpool();
  if (!spool.ok) return spool;
  const warnings: string[] = [];
  return ok({
    folder: spool.value,
    warn: (warning) => warnings.push(warning),
    publish: async ({ timeline }, signal) => {
      const task: TraceTask = {
        kind: 'trace',
        folder: spool.value,
        ...(timeline === undefined ? {} : { timeline }),
        peaks:
          peaksFolder === undefined
            ? []
            : await peaksOfParts(spool.value, peaksFolder, { entry: host.entry }),
        warnings,
        output: { kind: 'publish', logdir: folder, startedMs },
      };
      const made = await runTask({ entry: host.entry }, task, signal === undefined ? {} : { signal });
      return made.ok ? ok(made.value as TraceReport) : made;
    },
    close: () => removeTraceSpool(spool.value),
  });
}

async function requireWritable(folder: string): Promise<Result<void, Problem>> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return ok(undefined);
  } catch (error) {
    return err(
      problem('trace-not-written', `no trace can be written there: ${asError(error).message}`, {
        place: { file: folder },
        hint: 'name a folder that you may write to with --logdir',
      }),
    );
  }
}
