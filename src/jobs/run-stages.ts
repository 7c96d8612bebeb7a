import type { NamedTensors, RunBatch } from '../core/tensor.ts';

/** A model that is loaded. */
export interface Stage {
  readonly inputs: readonly { readonly name: string }[];
  readonly run: RunBatch;
}

/** Runs a model once with each of some changes of what it is fed; the results are in the order of the changes. */
export type RunAll = (
  feeds: NamedTensors,
  changes: readonly NamedTensors[],
) => Promise<readonly NamedTensors[]>;

/**
 * Runs models one after another: each reads what it has inputs for of the feeds and of what those before it gave. All but the last run
 * once, the last once with each of the changes.
 */
export async function runStages(
  stages: readonly Stage[],
  feeds: NamedTensors,
  changes: readonly NamedTensors[],
): Promise<readonly NamedTensors[]> {
  const last = stages.at(-1);
  if (last === undefined) throw new Error('no model is loaded');
  let given = feeds;
  for (const stage of stages.slice(0, -1)) given = { ...given, ...(await stage.run(readBy(stage, given))) };
  const results: NamedTensors[] = [];
  for (const change of changes) {
    const fed = { ...given, ...change };
    // What the runtime says of feeds that are wrong is for whoever fed a single model.
    results.push(await last.run(stages.length === 1 ? fed : readBy(last, fed)));
  }
  return results;
}

function readBy({ inputs }: Stage, given: NamedTensors): NamedTensors {
  return Object.fromEntries(
    inputs.flatMap(({ name }) => {
      const tensor = given[name];
      return tensor === undefined ? [] : [[name, tensor]];
    }),
  );
}
