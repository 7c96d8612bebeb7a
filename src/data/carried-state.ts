import type { NamedTensors, RunBatch } from '../core/tensor.ts';

/** An output of a recurrent model that is an input of its next run. The first run of a sequence is fed zeros. */
export interface CarriedState {
  readonly output: string;
  readonly input: string;
  /** Of the zeros, where the model's own dimensions do not tell. */
  readonly dims?: readonly number[];
}

/**
 * Runs a model so that every output of `states` is fed as its input in the next run. Feeds that hold such an input
 * themselves, as those of a sequence's first sample do, start anew. Sessions that run side by side are wrapped each on
 * its own, and each then carries its own states.
 */
export function carryStates(run: RunBatch, states: readonly CarriedState[] = []): RunBatch {
  if (states.length === 0) return run;
  let carried: NamedTensors = {};
  return async (feeds) => {
    const outputs = await run({ ...carried, ...feeds });
    carried = Object.fromEntries(
      states.flatMap(({ output, input }) => {
        const tensor = outputs[output];
        return tensor === undefined ? [] : [[input, tensor]];
      }),
    );
    return outputs;
  };
}
