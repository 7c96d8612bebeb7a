import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { evaluateModels } from '../../src/jobs/evaluate-models.ts';
import type { EvaluatedCandidate, EvaluateTask, ModelEvaluation } from '../../src/jobs/evaluate-task.ts';
import { createOutputsFile } from '../../src/jobs/outputs-file.ts';
import { openOutputsFile, type RecordedOutputs } from '../../src/jobs/outputs-reader.ts';
import { writeClassifier, writeSamples } from './evaluated-models.ts';

export const context = { clock: systemClock, emit: () => {} };

/** One of the two numbers is the larger one, by turns. */
export const ROWS = [
  [2, 1],
  [1, 2],
  [3, 1],
  [1, 3],
] as const;
export const LABELS = [0, 1, 0, 1];

const EXACT = [
  [1, 0],
  [0, 1],
] as const;
/** Takes the first class for the second where they are close. */
export const SKEWED = [
  [1, 0],
  [0.6, 1],
] as const;

/** Compares two classifiers of two numbers; the candidate is wrong about the second of four samples. */
export function evaluationIn(folder: string, more: Partial<EvaluateTask> = {}): EvaluateTask {
  return {
    kind: 'evaluate',
    reference: { variant: 'fp32', path: writeClassifier(folder, 'exact.onnx', EXACT) },
    candidates: [{ variant: 'skewed', path: writeClassifier(folder, 'skewed.onnx', SKEWED) }],
    data: { spec: { path: writeSamples(folder, 'data.npz', ROWS, LABELS) }, split: 'eval' },
    task: { name: 'classification', settings: {} },
    budget: {},
    threads: 1,
    ...more,
  };
}

/** The evaluation of the first candidate. */
export async function evaluate(task: EvaluateTask): Promise<ModelEvaluation> {
  const [first] = await evaluateModels(task, context);
  if (first === undefined) throw new Error('nothing was evaluated');
  return first;
}

/** A candidate that equals the reference. */
export function writeExact(folder: string): EvaluatedCandidate {
  return {
    variant: 'exact',
    path: writeClassifier(folder, 'candidate.onnx', [
      [1, 0],
      [0, 1],
    ]),
  };
}

/** What the classifiers give for one sample. */
export function scores(a: number, b: number): RecordedOutputs['outputs'] {
  return { scores: { type: 'float32', dims: [1, 2], data: new Float32Array([a, b]) } };
}

/** The path of the one file in a folder. */
export function onlyFile(folder: string): string {
  const [name, ...rest] = readdirSync(folder);
  if (name === undefined || rest.length > 0) throw new Error(`${rest.length + 1} files`);
  return join(folder, name);
}

export async function readSamples(path: string): Promise<readonly RecordedOutputs[]> {
  const reader = await openOutputsFile(path);
  const samples: RecordedOutputs[] = [];
  for (let next = await reader?.next(); next !== undefined; next = await reader?.next()) samples.push(next);
  await reader?.close();
  return samples;
}

/** Writes a file of outputs anew, as if other numbers had been recorded. */
export async function rewrite(
  path: string,
  change: (samples: readonly RecordedOutputs[]) => readonly RecordedOutputs[],
): Promise<void> {
  const samples = change(await readSamples(path));
  const origin = { onnxRuntimeVersion: '1.0.0', cpuModel: 'another', recordedWallMs: 0 };
  const writer = await createOutputsFile(path, origin, 2 ** 20);
  for (const { index, outputs } of samples) await writer.write(index, outputs);
  await writer.commit();
}
