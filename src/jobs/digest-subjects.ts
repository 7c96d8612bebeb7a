import type { DataSpec } from '../core/data-spec.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { MeasuredModel } from './bench-file.ts';
import type { InputDigests } from './digest-inputs.ts';
import type { NamedModel } from './variant-sut.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

/** What names the subjects of a benchmark whatever their paths are. */
export interface SubjectDigests {
  readonly models: readonly MeasuredModel[];
  /** In the order of the data. */
  readonly data: readonly string[];
}

/** SHA-256 of models and data, read by a worker, each once. Errors: where a file cannot be read or is no model. */
export async function digestSubjects(
  models: readonly NamedModel[],
  data: readonly DataSpec[],
  host: WorkerHost,
  signal: AbortSignal,
): Promise<Result<SubjectDigests, Problem>> {
  const measured: MeasuredModel[] = [];
  const digests: string[] = [];
  const nothing: DataSpec = { path: '', format: 'random' };
  for (let index = 0; index < Math.max(models.length, data.length); index++) {
    // A task digests a model and data: there may be more of one than of the other.
    const model = (models[index] ?? models[0]) as NamedModel;
    const spec = data[index] ?? nothing;
    const answer = await runTask(host, { kind: 'digest', modelPath: model.path, data: spec }, { signal });
    if (!answer.ok) return answer;
    const { modelDigest, modelSizeBytes, dataDigest } = answer.value as InputDigests;
    if (index < models.length) measured.push({ ...model, sizeBytes: modelSizeBytes, digest: modelDigest });
    if (index < data.length) digests.push(dataDigest);
  }
  return ok({ models: measured, data: digests });
}
