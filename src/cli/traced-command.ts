import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { TracedSamples } from '../jobs/evaluate-task.ts';
import type { TraceReport } from '../jobs/trace-task.ts';
import type { WorkerHost } from '../jobs/worker-process.ts';
import type { WorkerEvent } from '../jobs/worker-protocol.ts';
import { beginCommandTrace, samplerWhenNeeded } from './command-trace.ts';
import { WORKER_ENTRY } from './entries.ts';
import type { Terminal } from './terminal.ts';
import { renderTraceHint, type TraceWish } from './trace-option.ts';

/** What the work of a command does where it is traced, and nothing where it is not. */
export interface TraceHooks {
  readonly host: WorkerHost;
  readonly onEvent: (event: WorkerEvent) => void;
  /** Undefined where nothing is to be traced. @param model the name of the model whose variants are run */
  readonly samplesOf: (model: string) => TracedSamples | undefined;
}

export interface TracedWork<T> {
  readonly result: T;
  /** Undefined where there is none. */
  readonly trace: TraceReport | undefined;
  /** Tells on stderr where the trace lies, if there is one. */
  readonly printTrace: () => void;
}

/**
 * Does the work of a command, watches the host meanwhile, and makes the trace, each only where a trace is wished. A trace that cannot
 * be made is told on stderr, and the result stands. Problems: `trace-not-written` before anything runs, and those of the work.
 */
export async function tracedCommand<T>(
  wish: TraceWish | undefined,
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
  work: (hooks: TraceHooks) => Promise<Result<T, Problem>>,
): Promise<Result<TracedWork<T>, Problem>> {
  const host: WorkerHost = { entry: WORKER_ENTRY };
  if (wish === undefined) {
    const done = await work({ host, onEvent: () => {}, samplesOf: () => undefined });
    return done.ok ? ok({ result: done.value, trace: undefined, printTrace: () => {} }) : done;
  }
  const sampler = samplerWhenNeeded(terminal);
  const begun = await beginCommandTrace(wish, sampler.get, terminal);
  if (!begun.ok) return begun;
  const { folder, queries: samples, watch, watched, publish, close } = begun.value;
  try {
    const hooks: TraceHooks = {
      host: watched(host),
      onEvent: watch.onEvent,
      samplesOf: (model) => ({ folder, samples, model }),
    };
    const done = await watch.during(false, () => work(hooks));
    if (!done.ok) return done;
    const trace = await publish(signal);
    return ok({
      result: done.value,
      trace,
      printTrace: () => {
        if (trace !== undefined) terminal.stderr.write(`${renderTraceHint(trace, wish.logdir)}\n`);
      },
    });
  } finally {
    await sampler.stop();
    await close();
  }
}
