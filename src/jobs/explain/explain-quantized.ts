import { secondsBetween } from '../../core/clock.ts';
import { ProblemError, problem } from '../../core/problem.ts';
import type { RunBatch } from '../../core/tensor.ts';
import type { Task } from '../../evaluation/task.ts';
import type { PairedNode } from '../../quantization/explain/pair-graphs.ts';
import { createGraphSplitter } from '../../quantization/explain/split-graph.ts';
import type { ModelRunner } from '../model-runner.ts';
import { scratchModelOpener } from '../scratch-models.ts';
import type { TaskContext } from '../task-context.ts';
import type { ChosenSamples } from './choose-samples.ts';
import { describeNodes } from './describe-nodes.ts';
import { describeTensors } from './describe-tensors.ts';
import { divideIntoBlocks } from './divide-blocks.ts';
import type { ExplainTask } from './explain-task.ts';
import type { Explanation, OutputCost } from './explanation.ts';
import {
  type CostWithout,
  costsAlone,
  costsWithout,
  type GateMeasurement,
  type References,
  withReferences,
} from './measure-gates.ts';
import { measureLocalErrors } from './measure-local.ts';
import type { NodeFindings } from './node-findings.ts';
import { depthOf, observePair } from './observe-pair.ts';
import { type OpenedPair, openPair } from './open-pair.ts';
import { createOutputTally } from './output-tally.ts';
import { NOTHING, type Roundings, roundingsLeft, roundingsOf, startOf } from './roundings.ts';

/** Leaving out is measured for so many nodes that cost most alone. */
const MOST_LEFT_FLOAT = 12;

/** What both models are run with. */
export interface ExplainRun {
  readonly samples: ChosenSamples;
  readonly runner: ModelRunner;
  readonly measured: Task<unknown> | undefined;
  /** Runs the float32 model as it came. */
  readonly run: RunBatch;
  readonly tell: (subject: string, done: number, total: number, unit: string) => void;
  readonly startNs: bigint;
}

type Explained = Pick<
  Explanation,
  'simulated' | 'nodes' | 'tensors' | 'depth' | 'unpaired' | 'measured' | 'notes'
>;

/**
 * What each quantized node costs, and why. Throws `ProblemError`: `nothing-paired` where no quantized node is one of the float32 model,
 * and what reading, loading and running models reports.
 */
export async function explainQuantized(
  task: ExplainTask,
  { samples, runner, measured, run, tell, startNs }: ExplainRun,
  { clock }: TaskContext,
): Promise<Explained> {
  const pair = await openPair(
    task.referencePath,
    task.candidatePath,
    scratchModelOpener(task.scratch, task.threads),
  );
  requirePairs(task, pair.pairing);
  const statistics = await observePair(pair, { samples, runner }, (done, total) =>
    tell('tensors', done, total, 'samples'),
  );
  const errors = await measureLocalErrors(pair.float, pair.pairing, { samples, runner }, (done, total) =>
    tell('own errors', done, total, 'samples'),
  );
  const scaled = await scaledNote(pair, samples, runner, run);
  const findings: NodeFindings = { ...pair, statistics, errors };
  const measurement: GateMeasurement = {
    ...pair,
    view: pair.float,
    splitter: createGraphSplitter(pair.float),
    runner,
    samples,
    task: measured,
  };
  const isOver = () =>
    task.timeLimitSeconds !== undefined && secondsBetween(startNs, clock.nowNs()) >= task.timeLimitSeconds;
  const order = byOwnError(findings);
  const chosen = order.slice(0, task.top ?? order.length);
  const alone = await measureAlone(chosen, measurement, isOver, (done) =>
    tell('nodes alone', done, chosen.length, 'nodes'),
  );
  const costly = [...alone].sort((a, b) => dbOf(a[1]) - dbOf(b[1])).slice(0, MOST_LEFT_FLOAT);
  tell('nodes left float', 0, costly.length, 'nodes');
  const left = isOver() ? [] : costly.map(([node]) => node);
  const changed = await withReferences(measurement, (references) =>
    measureWithout(
      [
        ...left.map((node) => roundingsOf(node, pair.pairing)),
        ...left.map((node) => roundingsLeft(node, pair.pairing)),
      ],
      measurement,
      references,
    ),
  );
  const byNode = (first: number) =>
    new Map(left.map((node, at) => [node, changed.costs[first + at] as CostWithout] as const));
  tell('nodes left float', costly.length, costly.length, 'nodes');
  const stopped =
    alone.size < chosen.length ? 'time-limit' : chosen.length < order.length ? 'top' : undefined;
  return {
    simulated: changed.ofAll,
    nodes: describeNodes(findings, {
      alone,
      without: byNode(0),
      leftFloat: byNode(left.length),
    }),
    tensors: describeTensors(findings),
    depth: depthOf(statistics, pair.float).map(({ noise, ...point }) => ({
      ...point,
      accumulatedSqnrDb: noise === 0 ? null : -10 * Math.log10(noise),
    })),
    unpaired: pair.pairing.unpaired,
    measured: { alone: alone.size, of: order.length, ...(stopped === undefined ? {} : { stopped }) },
    notes: scaled === undefined ? [] : [scaled],
  };
}

const SCALED_SAMPLES = 8;
/** Scaling channels changes nothing but what factors that are found by rounded weights are off. */
const LEAST_LIKE_DB = 15;

/** What is said of an equalized model: its nodes are not compared with the float32 model as it is. */
async function scaledNote(
  { original, float }: OpenedPair,
  samples: ChosenSamples,
  runner: ModelRunner,
  run: RunBatch,
): Promise<string | undefined> {
  if (original === undefined) return undefined;
  const tally = createOutputTally(undefined);
  await runner.with(float.model, async (session) => {
    for await (const { feeds, ...facts } of samples.read(SCALED_SAMPLES)) {
      tally.add(await run(feeds), await session.run(feeds), facts);
    }
  });
  const { sqnrDb } = tally.cost();
  const isOther = sqnrDb !== null && sqnrDb < LEAST_LIKE_DB;
  const like = sqnrDb === null ? 'the same outputs' : `${sqnrDb.toFixed(1)} dB against it at the outputs`;
  return `channels of the quantized model were scaled (equalized): its nodes are compared with the float32 model with channels scaled alike, which has ${like}${isOther ? ': they are two models, and what is said of nodes is not to be believed' : ''}`;
}

/** Questions are asked in blocks of so many: more gates make a model slower, fewer take more loading. */
const MOST_IN_A_BLOCK = 8;

/** Loading the models of a block takes as long as so many runs. */
const RUNS_TO_LOAD = 20;

function blocksOf(
  groups: readonly Roundings[],
  { splitter, view, samples }: GateMeasurement,
): readonly (readonly number[])[] {
  const starts = groups.map((each) => startOf(each, splitter));
  return divideIntoBlocks(starts, {
    length: view.graph.node.length,
    loading: RUNS_TO_LOAD / Math.max(1, samples.count),
    most: MOST_IN_A_BLOCK,
  });
}

/** @param nodes those first that are to be known first */
async function measureAlone(
  nodes: readonly PairedNode[],
  measurement: GateMeasurement,
  isOver: () => boolean,
  onNodes: (done: number) => void,
): Promise<ReadonlyMap<PairedNode, OutputCost>> {
  const costs = new Map<PairedNode, OutputCost>();
  onNodes(0);
  const groups = nodes.map((node) => roundingsOf(node, measurement.pairing));
  // With a node come its neighbours, which take least beside it.
  const blocks = [...blocksOf(groups, measurement)].sort((a, b) => Math.min(...a) - Math.min(...b));
  for (const block of blocks) {
    if (isOver()) break;
    const measured = await costsAlone(
      block.map((at) => groups[at] as Roundings),
      measurement,
    );
    for (const [place, at] of block.entries()) {
      costs.set(nodes[at] as PairedNode, measured[place] as OutputCost);
    }
    onNodes(costs.size);
  }
  return costs;
}

/** Also the outputs with every rounding there. */
async function measureWithout(
  groups: readonly Roundings[],
  measurement: GateMeasurement,
  references: References,
): Promise<{ readonly ofAll: OutputCost; readonly costs: readonly CostWithout[] }> {
  // Where every rounding of a node is needed by another as well, nothing changes.
  const asked = groups.filter((group) => group.weights.size + group.activations.size > 0);
  const costs = new Map<Roundings, CostWithout>();
  for (const block of blocksOf(asked, measurement)) {
    const inBlock = block.map((at) => asked[at] as Roundings);
    const measured = await costsWithout(inBlock, measurement, references);
    for (const [at, group] of inBlock.entries()) costs.set(group, measured[at] as CostWithout);
  }
  const [known] = costs.values();
  const [all] = known === undefined ? await costsWithout([NOTHING], measurement, references) : [known];
  const { ofAll } = all as CostWithout;
  return { ofAll, costs: groups.map((group) => costs.get(group) ?? { cost: ofAll, ofAll }) };
}

/** The nodes whose results are furthest off come first: where time is short, they are the ones to know about. */
function byOwnError({ pairing, errors, statistics }: NodeFindings): readonly PairedNode[] {
  const ownNoise = (node: PairedNode) => {
    const error = errors.get(node);
    const grid = statistics.get(node.output)?.grid;
    return (
      (error?.weights ?? 0) +
      (error?.inputs ?? 0) +
      (grid === undefined ? 0 : grid.roundingNoise + grid.clippingNoise)
    );
  };
  return [...pairing.nodes].sort((a, b) => ownNoise(b) - ownNoise(a));
}

function dbOf({ sqnrDb, notFinite }: OutputCost): number {
  if (notFinite === true) return Number.NEGATIVE_INFINITY;
  return sqnrDb ?? Number.POSITIVE_INFINITY;
}

function requirePairs(
  { referencePath, candidatePath }: ExplainTask,
  { nodes, unpaired }: NodeFindings['pairing'],
) {
  if (nodes.length > 0) return;
  const [first] = unpaired;
  throw new ProblemError(
    problem(
      'nothing-paired',
      `none of its ${unpaired.length} quantized nodes is one of ${referencePath}${first === undefined ? '' : `; '${first.node}': ${first.reason}`}`,
      { place: { file: candidatePath }, hint: 'name the float32 model that it was made from' },
    ),
  );
}
