import { dirname, join } from 'node:path';
import type { DataSpec } from '../core/data-spec.ts';
import { digestFile, digestText } from '../core/digest.ts';
import { externalFilesOf } from '../onnx/external-data.ts';
import { readModel } from '../onnx/model-file.ts';
import { digestData } from './digest-data.ts';
import { modelSizeBytes } from './model-size.ts';
import { unwrap } from './unwrap.ts';

/** Digest what a quantization is made from. */
export interface DigestTask {
  readonly kind: 'digest';
  readonly modelPath: string;
  readonly data: DataSpec;
}

export interface InputDigests {
  /** SHA-256 over the model file and the files of its external data. */
  readonly modelDigest: string;
  readonly dataDigest: string;
  /** Of the model file and its external data. */
  readonly modelSizeBytes: number;
}

/** Runs in a worker process, as models and data may be gigabytes. Throws `ProblemError` where a file cannot be read. */
export async function digestInputs(task: DigestTask): Promise<InputDigests> {
  return {
    modelDigest: await digestModel(task.modelPath),
    dataDigest: await digestData(task.data),
    modelSizeBytes: await modelSizeBytes(task.modelPath),
  };
}

/** SHA-256 over a model file and the files of its external data. Throws `ProblemError` where one cannot be read. */
export async function digestModel(modelPath: string): Promise<string> {
  const external = externalFilesOf(unwrap(readModel(modelPath))).map((name) =>
    join(dirname(modelPath), name),
  );
  const parts: string[] = [];
  for (const file of [modelPath, ...external]) parts.push(unwrap(await digestFile(file)));
  return parts.length === 1 ? (parts[0] as string) : digestText(parts.join('\n'));
}
