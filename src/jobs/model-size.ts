import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

export async function sizeBytesOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((total, size) => total + size, 0);
}
