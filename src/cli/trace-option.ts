import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_TRACED_QUERIES } from '../core/bench-terms.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { formatBytes } from '../core/units.ts';
import type { TraceReport } from '../jobs/trace-task.ts';
import { tracedQueries } from './option-parsers.ts';

export interface TraceOptions {
  readonly trace: boolean;
  readonly logdir?: string;
  readonly traceQueries?: number;
}

/** What is traced, and where to. */
export interface TraceWish {
  readonly logdir: string;
  readonly queries: number;
}

/** Beside what else is kept; a daemon's lie in its own data directory. */
const DEFAULT_LOGDIR = '.ptq-agent/traces';

/**
 * @param unit what is counted, in the plural
 * @param logdir where traces go unless told otherwise, in words
 */
export function addTraceOptions(command: Command, unit: string, logdir: string = DEFAULT_LOGDIR): Command {
  return command
    .option('--trace', `trace ${unit} of each model, for TensorFlow's profiler and Perfetto`, false)
    .option('--logdir <dir>', `the folder of traces, for TensorBoard (default: ${logdir})`)
    .option(
      '--trace-queries <n>',
      `how many ${unit} of each model are traced (default: ${DEFAULT_TRACED_QUERIES})`,
      tracedQueries,
    );
}

/** Undefined where no trace is wanted. Error: `bad-usage` for what only means something with one. */
export function traceWish(
  { trace, logdir, traceQueries }: TraceOptions,
  defaultLogdir: string = DEFAULT_LOGDIR,
): Result<TraceWish | undefined, Problem> {
  if (trace) return ok({ logdir: logdir ?? defaultLogdir, queries: traceQueries ?? DEFAULT_TRACED_QUERIES });
  const idle =
    logdir === undefined ? (traceQueries === undefined ? undefined : '--trace-queries') : '--logdir';
  if (idle === undefined) return ok(undefined);
  return err(problem('bad-usage', `${idle} is about a trace, and none is made`, { hint: 'add --trace' }));
}

/** Where a trace lies, and how it is looked at. */
export function renderTraceHint(
  { path, perfettoPath, bytes, warnings }: Pick<TraceReport, 'path' | 'perfettoPath' | 'bytes' | 'warnings'>,
  logdir: string,
): string {
  const here = (file: string) => {
    const path = relative(process.cwd(), file);
    return path.startsWith('..') || path === '' ? resolve(file) : path;
  };
  return [
    ...warnings.map((warning) => `trace: ${warning}`),
    `trace: ${here(path)} (${formatBytes(bytes)} with the file for Perfetto)`,
    `  open it: tensorboard --logdir ${here(logdir)}   (pip install tensorboard xprof)`,
    ...(perfettoPath === undefined ? [] : [`  or ${here(perfettoPath)} on ui.perfetto.dev`]),
  ].join('\n');
}
