import { type Problem, problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import type { GpusReading } from '../telemetry/collectors/gpu/gpu-reading.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

/** A driver that has to wake eight GPUs takes its time, and there are several ways to try. */
const TIMEOUT_MS = 60_000;
const KILL_AFTER_MS = 500;

/**
 * The GPUs as the sampler sees them, read in a worker process with a time limit.
 * Problems: `absent` where there is none, `unreadable` and `malformed` as of a collector, also where the driver hangs or ends
 * the process; `cancelled`.
 */
export async function checkGpus(
  host: WorkerHost,
  { signal, timeoutMs = TIMEOUT_MS }: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Promise<Result<GpusReading, Problem>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const answer = await runTask(
    host,
    { kind: 'gpu-examination' },
    {
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      killAfterMs: KILL_AFTER_MS,
    },
  );
  if (answer.ok) return answer.value as Result<GpusReading, Problem>;
  const { error } = answer;
  if (error.kind === 'cancelled') {
    return signal?.aborted === true
      ? err(error)
      : unreadable(`reading the GPUs took more than ${timeoutMs / 1000} s, so their driver hangs`);
  }
  return unreadable(`the GPUs' driver ended the process that read them: ${error.message}`);
}

function unreadable(message: string) {
  return err(problem('unreadable', message, { hint: 'look for the driver in the kernel log (dmesg)' }));
}
