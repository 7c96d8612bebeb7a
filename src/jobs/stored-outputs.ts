import { cpus } from 'node:os';
import { join } from 'node:path';
import { digestText } from '../core/digest.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import { agentVersion } from './agent-version.ts';
import { digestData } from './digest-data.ts';
import { digestModel } from './digest-inputs.ts';
import type { EvaluateTask } from './evaluate-task.ts';
import { partOf } from './task-data.ts';

/** Where an evaluation keeps outputs; undefined where it keeps none. */
export interface StoredOutputPaths {
  /** The reference's, for other variants to be compared with. */
  readonly reference: string | undefined;
  /** Each candidate's own, to see whether it still gives them, in the order of the task. */
  readonly golden: readonly (string | undefined)[];
  /** Where models are held to earlier ones: the reference's, for later ones. */
  readonly referenceGolden?: string;
  /** Names the samples and how they are prepared. */
  readonly data?: string;
}

/**
 * Names the files by digests of what the outputs follow from: the bytes of the model, the data and its preparation, the
 * split. The reference's are to be what a run would give, so the version of this program, which prepares the data, the
 * runtime and the processor are part of its name; the golden ones are to show when a run gives something else, so they
 * are not. Throws `ProblemError` where a file cannot be read.
 */
export async function storedOutputPaths(task: EvaluateTask): Promise<StoredOutputPaths> {
  const { outputsCache, golden, data, samples, states = [] } = task;
  if (outputsCache === undefined && golden === undefined) {
    return { reference: undefined, golden: task.candidates.map(() => undefined) };
  }
  const dataDigest = outputsCache?.digests?.dataDigest ?? (await digestData(data.spec));
  const shared = [dataDigest, data.split, samples ?? null, states, ...partOf(data)];
  const path = (folder: string, model: string, host: readonly string[]) =>
    join(folder, `${digestText(JSON.stringify([model, ...shared, ...host]))}.outputs`);
  const host = [agentVersion(), onnxRuntimeVersion(), cpus()[0]?.model ?? ''];
  const modelDigest = async () => outputsCache?.digests?.modelDigest ?? digestModel(task.reference.path);
  const reference =
    outputsCache === undefined ? undefined : path(outputsCache.folder, await modelDigest(), host);
  if (golden === undefined) return { reference, golden: task.candidates.map(() => undefined) };
  const goldenPaths: (string | undefined)[] = [];
  for (const candidate of task.candidates) {
    goldenPaths.push(path(golden.folder, await digestModel(candidate.path), []));
  }
  if (golden.baselines === undefined) return { reference, golden: goldenPaths };
  return {
    reference,
    golden: goldenPaths,
    referenceGolden: path(golden.folder, await modelDigest(), []),
    data: digestText(JSON.stringify(shared)),
  };
}
