import { lstat, readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { attemptAsync, type Problem, ProblemError, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { QuantizeReport, QuantizeTask } from './quantize-task.ts';
import { withScratchFolder } from './scratch-folder.ts';
import { unwrap } from './unwrap.ts';
import { runTask, type WorkerControls, type WorkerHost } from './worker-process.ts';

/**
 * Quantizes one model in a worker of its own. The worker writes into a folder that belongs to this process, so that
 * nothing is left of it however the worker ends; what it has finished is then moved to `outputPath`.
 * Problems: those of `runTask`, and `output-not-writable`.
 */
export function runQuantization(
  host: WorkerHost,
  task: QuantizeTask,
  controls: WorkerControls = {},
): Promise<Result<QuantizeReport, Problem>> {
  return attemptAsync(async () => {
    await refuseToOverwrite(task, task.outputPath);
    if (task.saveRangesPath !== undefined) {
      await refuseToOverwrite(task, task.saveRangesPath);
      refuseOneFileForBoth(task.outputPath, task.saveRangesPath);
    }
    return withScratchFolder(task.outputPath, async (folder) => {
      const outputPath = join(folder, basename(task.outputPath));
      const answer = unwrap(await runTask(host, { ...task, outputPath }, controls));
      await publish(outputPath, task.outputPath);
      // The worker is this program's own, so its answer to this task has the report's type.
      return { ...(answer as QuantizeReport), output: task.outputPath };
    });
  });
}

/**
 * The original and its data are not to be lost to a slip of the keyboard, and a folder cannot become a file.
 * Throws `ProblemError` `output-not-writable`.
 */
export async function refuseToOverwrite(
  { modelPath, data }: Pick<QuantizeTask, 'modelPath' | 'data'>,
  outputPath: string,
): Promise<void> {
  const output = await statOrNothing(outputPath);
  if (output === undefined) return;
  if (output.isDirectory()) throw notWritable(outputPath, 'it is a folder', 'name the file to write');
  for (const source of data === undefined ? [modelPath] : [modelPath, data.spec.path]) {
    const { dev, ino } = (await statOrNothing(source)) ?? {};
    if (dev === output.dev && ino === output.ino) {
      throw notWritable(outputPath, 'it is what the quantized model is made from', 'choose another output');
    }
  }
}

function refuseOneFileForBoth(outputPath: string, rangesPath: string): void {
  if (resolve(outputPath) !== resolve(rangesPath)) return;
  throw notWritable(rangesPath, 'the quantized model goes there', 'choose another file for the ranges');
}

async function statOrNothing(path: string) {
  try {
    return await stat(path);
  } catch {
    // Whoever opens the file says what is wrong with it.
    return undefined;
  }
}

/** Moves the finished model, its external data first, so that the model file never points at nothing. Throws `ProblemError`. */
export async function publish(made: string, outputPath: string): Promise<void> {
  const name = basename(made);
  const companions = (await readdir(dirname(made))).filter((file) => file.startsWith(`${name}.`));
  try {
    for (const file of [...companions, name]) {
      // Whoever opens it later would follow a link, to wherever the model that made it wants.
      if (!(await lstat(join(dirname(made), file))).isFile())
        throw notWritable(outputPath, `the worker left something else as ${file}`, 'do not use this model');
      await rename(join(dirname(made), file), join(dirname(outputPath), file));
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw notWritable(outputPath, code, 'choose another output, or correct the rights of the folder');
  }
}

function notWritable(file: string, reason: string, hint: string) {
  return new ProblemError(
    problem('output-not-writable', `cannot write ${file}: ${reason}`, { place: { file }, hint }),
  );
}
