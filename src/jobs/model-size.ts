import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { externalFilesOf } from '../onnx/external-data.ts';
import { readModel } from '../onnx/model-file.ts';
import { unwrap } from './unwrap.ts';

/** Bytes of a model on disk: its file and the files of its external data. */
export async function modelSizeBytes(path: string): Promise<number> {
  const files = [path, ...externalFilesOf(unwrap(readModel(path))).map((name) => join(dirname(path), name))];
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((total, size) => total + size, 0);
}
