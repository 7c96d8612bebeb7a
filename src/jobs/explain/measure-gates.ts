import { runAhead } from '../../core/run-ahead.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { Sample } from '../../data/sample-source.ts';
import type { Task } from '../../evaluation/task.ts';
import {
  buildGatedModel,
  type ChooseState,
  type GatedModel,
  type GateState,
} from '../../quantization/explain/gated-model.ts';
import type { Pairing } from '../../quantization/explain/pair-graphs.ts';
import type { GraphSplitter } from '../../quantization/explain/split-graph.ts';
import type { GraphView } from '../../quantization/graph-view.ts';
import type { ModelRunner } from '../model-runner.ts';
import type { SharedSession } from '../shared-session.ts';
import { type ChosenSamples, sizeOf } from './choose-samples.ts';
import type { OutputCost } from './explanation.ts';
import { createOutputTally } from './output-tally.ts';
import { NOTHING, type Roundings, startOf, union } from './roundings.ts';

export interface GateMeasurement {
  readonly view: GraphView;
  /** Of `view`. */
  readonly splitter: GraphSplitter;
  readonly pairing: Pairing;
  readonly runner: ModelRunner;
  readonly samples: ChosenSamples;
  readonly task: Task<unknown> | undefined;
}

/** Outputs of the float32 model. */
export type References = (sample: Sample) => Promise<NamedTensors>;

/** What each of some roundings costs at the outputs where all others are left out. */
export async function costsAlone(
  groups: readonly Roundings[],
  measurement: GateMeasurement,
): Promise<readonly OutputCost[]> {
  const tallies = groups.map(() => createOutputTally(measurement.task));
  // With no rounding switched on the gated model is the float32 model, in arithmetic as well.
  await runGated([NOTHING, ...groups], measurement, 'float', (sample, [reference, ...results]) => {
    for (const [at, tally] of tallies.entries()) {
      tally.add(reference as NamedTensors, results[at] as NamedTensors, sample);
    }
  });
  return tallies.map((tally) => tally.cost());
}

/** The outputs with all roundings but some. */
export interface CostWithout {
  readonly cost: OutputCost;
  /** With every rounding, by the same arithmetic: small differences of sums let values fall on other codes, all through a model. */
  readonly ofAll: OutputCost;
}

/** The outputs where each of some roundings is left out and all others are there. */
export async function costsWithout(
  groups: readonly Roundings[],
  measurement: GateMeasurement,
  references: References,
): Promise<readonly CostWithout[]> {
  const settings = [NOTHING, ...groups];
  const tallies = settings.map(() => createOutputTally(measurement.task));
  await runGated(settings, measurement, 'rounded', async (sample, results) => {
    const reference = await references(sample);
    for (const [at, tally] of tallies.entries()) tally.add(reference, results[at] as NamedTensors, sample);
  });
  const [ofAll, ...costs] = tallies.map((tally) => tally.cost());
  return costs.map((cost) => ({ cost, ofAll: ofAll as OutputCost }));
}

/** Outputs are kept from one question to the next as long as they are no larger. */
const MOST_KEPT_BYTES = 32 * 2 ** 20;

/** Lets `use` ask for the float32 model's outputs again and again. */
export function withReferences<T>(
  { view, runner }: GateMeasurement,
  use: (references: References) => Promise<T>,
): Promise<T> {
  const kept = new Map<number, NamedTensors>();
  let keptBytes = 0;
  return runner.with(view.model, (session) =>
    use(async ({ index, feeds }) => {
      const known = kept.get(index);
      if (known !== undefined) return known;
      const outputs = await session.run(feeds);
      keptBytes += sizeOf(outputs);
      if (keptBytes <= MOST_KEPT_BYTES) kept.set(index, outputs);
      return outputs;
    }),
  );
}

/**
 * Runs the float32 model once for each of some settings: those roundings are switched to what all `others` are not. What lies in front of
 * all of them runs once a sample.
 */
async function runGated(
  settings: readonly Roundings[],
  { view, splitter, pairing, runner, samples }: GateMeasurement,
  others: Exclude<GateState, 'gated'>,
  use: (sample: Sample, results: readonly NamedTensors[]) => void | Promise<void>,
): Promise<void> {
  const asked = union(settings);
  const isAsked = (what: 'weights' | 'activation', name: string) =>
    (what === 'weights' ? asked.weights : asked.activations).has(name);
  const choose: ChooseState = (what, name) => (isAsked(what, name) ? 'gated' : others);
  const run = async (session: SharedSession, gated: GatedModel) => {
    const changes = settings.map((each) => gateFeeds(gated, each, others));
    const runAll = async (sample: Sample) => ({
      sample,
      results: await session.runAll(sample.feeds, changes),
    });
    for await (const { sample, results } of runAhead(samples.read(), runAll, session.runsAtOnce)) {
      await use(sample, results);
    }
  };
  const place = splitter.cutBefore(startOf(asked, splitter));
  if (place === 0) {
    const gated = buildGatedModel(view, pairing, choose);
    return runner.with(gated.model, (session) => run(session, gated));
  }
  const { before, cut, behind } = splitter.split(place);
  // What is switched is given out as it is, and what is rounded all the same has been rounded once it is read.
  const first = buildGatedModel(before, pairing, (what, name) => (isAsked(what, name) ? 'float' : others));
  const isRounded = new Set(cut.filter((name) => !isAsked('activation', name)));
  let gated: GatedModel | undefined;
  return runner.withSplit(
    first.model,
    (given) => {
      const shapes = new Map(given.map(({ name, dims }) => [name, dims]));
      gated = buildGatedModel(
        behind((name) => shapes.get(name)),
        pairing,
        (what, name) => (what === 'activation' && isRounded.has(name) ? 'float' : choose(what, name)),
      );
      return gated.model;
    },
    (session) => run(session, gated as GatedModel),
  );
}

function gateFeeds(
  { gatesInput, gateCount, weightGate, roundingGate }: GatedModel,
  { weights, activations }: Roundings,
  others: Exclude<GateState, 'gated'>,
): NamedTensors {
  if (gateCount === 0) return {};
  const [isOther, isSwitched] = others === 'rounded' ? [1, 0] : [0, 1];
  const data = new Uint8Array(gateCount).fill(isOther);
  const set = (gate: number | undefined) => {
    if (gate !== undefined) data[gate] = isSwitched;
  };
  for (const name of weights) set(weightGate.get(name));
  for (const name of activations) set(roundingGate.get(name));
  return { [gatesInput]: { type: 'bool', dims: [gateCount], data } };
}
