import type { DataSpec } from '../core/data-spec.ts';
import { ProblemError } from '../core/problem.ts';
import type { CarriedState } from '../data/carried-state.ts';
import { openSamples } from '../data/open-samples.ts';
import type { SampleSource } from '../data/sample-source.ts';
import type { Session } from '../runtime/session.ts';

/** A part of a data set, as tasks carry it to a worker. */
export interface TaskData {
  readonly spec: DataSpec;
  readonly split: string;
  /** Only these samples of the split, by their place in it. */
  readonly only?: readonly number[];
}

/** What tells parts of one split apart in the names of what is kept: nothing for the whole of it. */
export function partOf({ only }: TaskData): readonly (readonly number[])[] {
  return only === undefined ? [] : [only];
}

export interface TaskDataOptions {
  readonly states?: readonly CarriedState[] | undefined;
  /** At most so many samples. */
  readonly limit?: number | undefined;
  /** Whether labels are wanted, and so checked. */
  readonly withTruth?: boolean;
}

/** Opens the samples of a task for a model. Throws `ProblemError`. */
export async function openTaskData(
  { spec, split, only }: TaskData,
  { inputs, outputs }: Pick<Session, 'inputs' | 'outputs'>,
  { states, limit, withTruth = false }: TaskDataOptions,
): Promise<SampleSource> {
  const source = await openSamples(spec, {
    split,
    modelInputs: inputs,
    modelOutputs: outputs,
    withTruth,
    ...(states === undefined ? {} : { states }),
    ...(limit === undefined ? {} : { limit }),
    ...(only === undefined ? {} : { only }),
    ...(spec.path.endsWith('.npz') ? {} : await tensorProtoPort()),
  });
  if (source.ok) return source.value;
  throw new ProblemError(source.error);
}

async function tensorProtoPort() {
  const { decodeTensorProto } = await import('./decode-tensor-proto.ts');
  return { decodeTensorProto };
}
