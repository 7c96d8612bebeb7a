import type { NamedTensors, RunBatch } from '../../core/tensor.ts';
import type { Task } from '../../evaluation/task.ts';
import {
  buildGatedModel,
  type ChooseState,
  type GatedModel,
} from '../../quantization/explain/gated-model.ts';
import type { PairedNode, Pairing } from '../../quantization/explain/pair-graphs.ts';
import type { GraphView } from '../../quantization/graph-view.ts';
import type { ModelRunner } from '../model-runner.ts';
import type { ChosenSamples } from './choose-samples.ts';
import type { OutputCost } from './explanation.ts';
import { createOutputTally } from './output-tally.ts';

export interface GateMeasurement {
  readonly view: GraphView;
  readonly pairing: Pairing;
  readonly runner: ModelRunner;
  readonly samples: ChosenSamples;
  readonly task: Task<unknown> | undefined;
}

/** Roundings that are switched together: weights by the first output of their node, activations by their name. */
export interface Roundings {
  readonly weights: ReadonlySet<string>;
  readonly activations: ReadonlySet<string>;
}

/** All that a node needs to compute as the quantized model does: its weights, what it reads and what it gives. */
export function roundingsOf({ float, output, weights }: PairedNode, pairing: Pairing): Roundings {
  const tensors = [...float.input, output].filter((name) => pairing.rounded.has(name));
  return {
    weights: new Set(weights === undefined ? [] : [float.output[0] ?? '']),
    activations: new Set(tensors),
  };
}

/**
 * What need not be rounded any more once a node computes in float32: its weights, and the tensors that no other quantized node reads or
 * gives. A tensor that one does still has to be rounded for it.
 */
export function roundingsLeft(node: PairedNode, pairing: Pairing): Roundings {
  const { weights, activations } = roundingsOf(node, pairing);
  const needed = new Set(
    pairing.nodes
      .filter((other) => other !== node)
      .flatMap((other) => [...roundingsOf(other, pairing).activations]),
  );
  return { weights, activations: new Set([...activations].filter((name) => !needed.has(name))) };
}

/** So many nodes are measured with one loaded model: more gates make it slower, fewer take more loading. */
export const NODES_A_MODEL = 6;

/** What each of some roundings costs at the outputs where all others are left out. */
export function costsAlone(
  groups: readonly Roundings[],
  measurement: GateMeasurement,
): Promise<readonly OutputCost[]> {
  const all = union(groups);
  const isAsked: ChooseState = (what, name) =>
    (what === 'weights' ? all.weights : all.activations).has(name) ? 'gated' : 'float';
  return measureGroups(groups, measurement, { choose: isAsked, others: 0 });
}

/** The outputs where each of some roundings is left out and all others are there; and where none is left out. */
export async function costsWithout(
  groups: readonly Roundings[],
  measurement: GateMeasurement,
): Promise<{ readonly all: OutputCost; readonly without: readonly OutputCost[] }> {
  const asked = union(groups);
  const isAsked: ChooseState = (what, name) =>
    (what === 'weights' ? asked.weights : asked.activations).has(name) ? 'gated' : 'rounded';
  const nothing: Roundings = { weights: new Set(), activations: new Set() };
  const [all, ...without] = await measureGroups([nothing, ...groups], measurement, {
    choose: isAsked,
    others: 1,
  });
  return { all: all as OutputCost, without };
}

async function measureGroups(
  groups: readonly Roundings[],
  { view, pairing, runner, samples, task }: GateMeasurement,
  { choose, others }: { readonly choose: ChooseState; readonly others: 0 | 1 },
): Promise<readonly OutputCost[]> {
  const gated = buildGatedModel(view, pairing, choose);
  const settings = groups.map((group) => gateValues(gated, group, others));
  const tallies = groups.map(() => createOutputTally(task));
  await runner.with(gated.model, async (session) => {
    const run = (feeds: NamedTensors, values: Uint8Array): Promise<NamedTensors> =>
      session.run(
        values.length === 0
          ? feeds
          : { ...feeds, [gated.gatesInput]: { type: 'bool', dims: [values.length], data: values } },
      );
    const measure = async (runFloat: RunBatch) => {
      for await (const { feeds, ...facts } of samples.read()) {
        const [reference, ...results] = await Promise.all([
          runFloat(feeds),
          ...settings.map((values) => run(feeds, values)),
        ]);
        for (const [at, tally] of tallies.entries()) {
          tally.add(reference as NamedTensors, results[at] as NamedTensors, facts);
        }
      }
    };
    // With no rounding switched on the gated model is the float32 model, in arithmetic as well.
    if (others === 0) await measure((feeds) => run(feeds, new Uint8Array(gated.gateCount)));
    else await runner.with(view.model, (float) => measure(float.run));
  });
  return tallies.map((tally) => tally.cost());
}

function gateValues(
  { gateCount, weightGate, roundingGate }: GatedModel,
  { weights, activations }: Roundings,
  others: 0 | 1,
): Uint8Array {
  const values = new Uint8Array(gateCount).fill(others);
  const set = (gate: number | undefined) => {
    if (gate !== undefined) values[gate] = 1 - others;
  };
  for (const name of weights) set(weightGate.get(name));
  for (const name of activations) set(roundingGate.get(name));
  return values;
}

function union(groups: readonly Roundings[]): Roundings {
  return {
    weights: new Set(groups.flatMap(({ weights }) => [...weights])),
    activations: new Set(groups.flatMap(({ activations }) => [...activations])),
  };
}
