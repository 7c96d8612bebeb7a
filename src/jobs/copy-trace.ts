import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { asError } from '../core/as-error.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

/** Where a trace lies. */
export interface TracePlace {
  readonly run: string;
  readonly path: string;
  readonly perfettoPath: string;
}

/**
 * Copies a trace into another folder of traces, under its name. One that is there already is left alone. What viewers have kept beside it
 * is not copied. Errors: `trace-gone` where it was removed, `trace-not-written`.
 */
export async function copyTrace(place: TracePlace, logdir: string): Promise<Result<TracePlace, Problem>> {
  const folder = resolve(logdir);
  const target = {
    run: place.run,
    path: join(folder, 'plugins', 'profile', place.run, basename(place.path)),
    perfettoPath: join(folder, 'perfetto', place.run, basename(place.perfettoPath)),
  };
  if (!(await exists(place.path))) return err(traceGone(place));
  try {
    for (const file of ['perfettoPath', 'path'] as const)
      await copyFolderOf(place[file], target[file], folder);
    return ok(target);
  } catch (error) {
    return err(
      problem('trace-not-written', `the trace cannot be copied: ${asError(error).message}`, {
        place: { file: folder },
        hint: 'name a folder that you may write to with --logdir',
      }),
    );
  }
}

/** A viewer sees all of it or nothing. */
async function copyFolderOf(file: string, target: string, logdir: string): Promise<void> {
  if ((await exists(target)) || !(await exists(file))) return;
  await mkdir(dirname(dirname(target)), { recursive: true });
  const temporary = await mkdtemp(join(logdir, '.ptq-agent-tmp-'));
  try {
    const made = join(temporary, 'run');
    await mkdir(made);
    for (const name of [basename(file), '.ptq-agent.json']) {
      const source = join(dirname(file), name);
      if (await exists(source)) await cp(source, join(made, name));
    }
    await rename(made, dirname(target));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

export function traceGone({ run, path }: TracePlace): Problem {
  return problem('trace-gone', `the trace ${run} is not there any more`, {
    place: { file: path },
    hint: 'the oldest make room for new ones; see "traces" in the settings of the daemon',
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
