import { stat } from 'node:fs/promises';
import { ProblemError, problem } from '../core/problem.ts';
import type { Session } from '../runtime/session.ts';
import { type FirstRunsTrace, openTracedSession } from './traced-session.ts';
import { unwrap } from './unwrap.ts';

/**
 * Loads a model into the runtime. What is wrong with the path is said plainly, before the runtime wraps it in words of
 * its own. Throws `ProblemError`: `model-not-found`, `model-not-a-file`, and those of `openSession`.
 * @param threads inside an operator; 0 for every core
 * @param trace what to trace of it
 */
export async function openModel(path: string, threads: number, trace?: FirstRunsTrace): Promise<Session> {
  await requireFile(path);
  return unwrap(await openTracedSession(path, { intraOpThreads: threads }, trace));
}

/** Throws `ProblemError`: `model-not-found`, `model-not-a-file`. */
export async function requireFile(path: string): Promise<void> {
  const place = { file: path };
  let isFile: boolean;
  try {
    isFile = (await stat(path)).isFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ProblemError(
      problem('model-not-found', `the model cannot be opened (${code})`, {
        place,
        hint: 'check the path and the working directory',
      }),
    );
  }
  if (!isFile) {
    throw new ProblemError(
      problem('model-not-a-file', 'the model is a folder or a device', {
        place,
        hint: 'name the .onnx file itself',
      }),
    );
  }
}
