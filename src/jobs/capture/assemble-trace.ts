import { join } from 'node:path';
import type { Problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import type { TracePart } from '../../trace/trace-part.ts';
import type { TraceReport } from '../trace-task.ts';
import { runTask, type WorkerHost } from '../worker-process.ts';
import { leaveOutProfiles } from './left-out-profiles.ts';

/** What a capture gathered. */
export interface GatheredTrace {
  /** Where it lies and where the trace is to be written. */
  readonly folder: string;
  readonly parts: readonly TracePart[];
  readonly timeline: string;
  readonly window: { readonly fromNs: bigint; readonly toNs: bigint };
  readonly warnings: readonly string[];
}

export interface AssembledTrace {
  /** An XSpace. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly eventCount: number;
}

/** Makes one trace of what was gathered. */
export type AssembleTrace = (
  gathered: GatheredTrace,
  host: WorkerHost,
  signal: AbortSignal,
) => Promise<Result<AssembledTrace, Problem>>;

/**
 * What the runtime recorded is used up to this size. It takes about as much memory in the worker, and becomes a trace of about a
 * fifth, far below the 2 GiB that clients can receive.
 */
const MAX_PROFILE_BYTES = 512 * 2 ** 20;

/** Makes the trace in a worker. Problems: those of the worker and of the disk. */
export const assembleTrace: AssembleTrace = async (gathered, host, signal) => {
  const { folder, timeline, window } = gathered;
  const warnings = [...gathered.warnings, ...(await leaveOutProfiles(gathered.parts, MAX_PROFILE_BYTES))];
  const file = join(folder, 'trace.xplane.pb');
  const made = await runTask(
    host,
    { kind: 'trace', folder, timeline, window, warnings, output: { kind: 'file', file } },
    { signal },
  );
  if (!made.ok) return made;
  // The worker is this program's own, so its answer has the type of what it was asked.
  const { bytes, events } = made.value as TraceReport;
  return ok({ file, sizeBytes: bytes, eventCount: events });
};
