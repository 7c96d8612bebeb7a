import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProblemError, problem } from '../core/problem.ts';
import { externalFilesOf } from '../onnx/external-data.ts';
import { type OnnxModel, readModel } from '../onnx/model-file.ts';
import { unwrap } from './unwrap.ts';

/** Bytes of a model on disk: its file and the files of its external data. */
export async function modelSizeBytes(path: string): Promise<number> {
  return sizeBytesOf(modelFiles(path, unwrap(readModel(path))));
}

/** The files of a model that was read already: reading takes milliseconds where there are hundreds of nodes. */
export function modelFiles(path: string, model: OnnxModel): readonly string[] {
  return [path, ...externalFilesOf(model).map((name) => join(dirname(path), name))];
}

/** Throws `ProblemError`: a model may name data that is not there. */
export async function sizeBytesOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(sizeBytes));
  return sizes.reduce((total, size) => total + size, 0);
}

async function sizeBytes(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ProblemError(
      problem('file-unreadable', `a file of the model cannot be read (${code})`, {
        place: { file },
        hint: 'copy the data file along with the model; it is a part of it',
      }),
    );
  }
}
