import { basename } from 'node:path';
import type { BenchTracing } from '../benchmark/controller.ts';
import { systemClock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { SuiteRun } from '../jobs/bench-suite.ts';
import { createPhaseRecorder } from '../jobs/phase-recorder.ts';
import type { TraceReport } from '../jobs/trace-task.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import { beginCommandTrace, type CommandTrace } from './command-trace.ts';
import type { Terminal } from './terminal.ts';
import type { TraceWish } from './trace-option.ts';

/** The trace of a command that benchmarks. Must be closed. */
export interface BenchTrace extends Pick<CommandTrace, 'folder' | 'watched' | 'close'> {
  /** @param isSampled the host is sampled while it is measured */
  tracing(isSampled: boolean): BenchTracing;
  /** Undefined where there is nothing to publish, or it cannot be; stderr says why. */
  publish(runs: readonly SuiteRun[], signal: AbortSignal): Promise<TraceReport | undefined>;
}

/** Undefined where no trace is wanted. Errors: `trace-not-written`. */
export async function beginBenchTrace(
  wish: TraceWish | undefined,
  samplerOf: () => Sampler,
  terminal: Terminal,
): Promise<Result<BenchTrace | undefined, Problem>> {
  if (wish === undefined) return ok(undefined);
  const begun = await beginCommandTrace(wish, samplerOf, terminal);
  if (!begun.ok) return begun;
  const trace = begun.value;
  const { folder, queries, watch, watched, close } = trace;
  return ok({
    folder,
    watched,
    close,
    tracing: (isSampled) => ({
      queries,
      during: (variant, work) => {
        const phase = createPhaseRecorder(systemClock, watch.onEvent, {
          subject: basename(variant, '.onnx'),
        });
        return watch.during(isSampled, () => phase('bench', work));
      },
    }),
    publish: async (runs, signal) => {
      const passes = runs.flatMap(({ run }) =>
        run.records.map(({ identity, usage }) => ({ name: basename(identity.variant), pass: usage?.trace })),
      );
      for (const { name, pass } of passes) {
        if (pass?.problem === undefined) continue;
        trace.warn(`${name} is not traced, or not whole: ${pass.problem.message}`);
      }
      if (passes.some(({ pass }) => pass?.cost != null)) return trace.publish(signal);
      if (!signal.aborted) terminal.stderr.write('trace: nothing was traced, so none is made\n');
      return undefined;
    },
  });
}

/** The same results, which say where the trace lies. */
export function withTracePath(
  runs: readonly SuiteRun[],
  report: TraceReport | undefined,
): readonly SuiteRun[] {
  if (report?.run === undefined) return runs;
  const place = { run: report.run, path: report.path };
  return runs.map((suiteRun) => {
    const results = suiteRun.run.results.map((result) =>
      result.trace === null ? result : { ...result, trace: { ...result.trace, ...place } },
    );
    return { ...suiteRun, run: { ...suiteRun.run, results } };
  });
}
