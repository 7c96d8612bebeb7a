import { secondsBetween } from '../../core/clock.ts';
import { ProblemError, problem } from '../../core/problem.ts';
import type { RunBatch } from '../../core/tensor.ts';
import type { Task } from '../../evaluation/task.ts';
import type { PairedNode } from '../../quantization/explain/pair-graphs.ts';
import type { ModelPort } from '../../runtime/session.ts';
import { castFeeds } from '../cast-feeds.ts';
import { openModel } from '../open-model.ts';
import { openTask } from '../open-task.ts';
import { readOwnCounters } from '../own-counters.ts';
import { isProgressDue } from '../progress-interval.ts';
import { scratchModelOpener } from '../scratch-models.ts';
import type { TaskContext } from '../task-context.ts';
import { openTaskData } from '../task-data.ts';
import { describeNodes } from './describe-nodes.ts';
import { describeTensors } from './describe-tensors.ts';
import type { ExplainTask } from './explain-task.ts';
import type { Explanation, OutputCost } from './explanation.ts';
import {
  costsAlone,
  costsWithout,
  type GateMeasurement,
  NODES_A_MODEL,
  roundingsLeft,
  roundingsOf,
} from './measure-gates.ts';
import { measureLocalErrors } from './measure-local.ts';
import type { NodeFindings } from './node-findings.ts';
import { depthOf, observePair } from './observe-pair.ts';
import { type OpenedPair, openPair } from './open-pair.ts';
import { createOutputTally } from './output-tally.ts';
import { type ChosenSamples, chooseSamples, createModelRunner, type ModelRunner } from './run-models.ts';

/** Leaving out is measured for so many nodes that cost most alone. */
const MOST_LEFT_FLOAT = 12;

/**
 * Tells what each quantized node of a model costs, and why. Everything streams: memory grows with the model and not with the samples.
 * Runs in a worker process. Throws `ProblemError`: what reading, loading and running models and data reports, `nothing-quantized` where
 * no node of the model computes with codes, and `nothing-paired` where none is one of the float32 model.
 */
export async function explainModels(task: ExplainTask, context: TaskContext): Promise<Explanation> {
  const { clock } = context;
  const startNs = clock.nowNs();
  const { scratch } = task;
  const closing: (() => Promise<void>)[] = [];
  try {
    const reference = await openModel(task.referencePath, task.threads);
    closing.push(reference.close);
    const candidate = await openModel(task.candidatePath, task.threads);
    closing.push(candidate.close);
    requireSameInputs(task, reference.inputs, candidate.inputs);
    const pair = await openPair(
      task.referencePath,
      task.candidatePath,
      scratchModelOpener(scratch, task.threads),
    );
    requirePairs(task, pair.pairing);
    const source = await openTaskData(task.data, reference, { withTruth: true });
    closing.push(() => source.close());
    const samples = chooseSamples(source, task.samples);
    const { measured, note } = await openMeasured(task, reference.outputs, samples, reference.run);
    const runner = createModelRunner({
      scratch,
      threads: task.threads,
      sessionEntry: context.sessionEntry,
    });
    const tell = progressTeller(context);

    const whole = createOutputTally(measured);
    for await (const { feeds, ...facts } of samples.read()) {
      const outputs = await reference.run(feeds);
      whole.add(outputs, await candidate.run(castFeeds(feeds, candidate.inputs)), facts);
      tell('whole models', whole.samples(), samples.count, 'samples');
    }
    const statistics = await observePair(pair, { samples, runner }, (done, total) =>
      tell('tensors', done, total, 'samples'),
    );
    const errors = await measureLocalErrors(pair.float, pair.pairing, { samples, runner }, (done, total) =>
      tell('own errors', done, total, 'samples'),
    );
    const scaled = await scaledNote(pair, samples, runner, reference.run);
    const findings: NodeFindings = { ...pair, statistics, errors };
    const measurement: GateMeasurement = { ...pair, view: pair.float, runner, samples, task: measured };
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
    const { all: simulated, without: changed } = await costsWithout(
      [
        ...left.map((node) => roundingsOf(node, pair.pairing)),
        ...left.map((node) => roundingsLeft(node, pair.pairing)),
      ],
      measurement,
    );
    const byNode = (first: number) =>
      new Map(left.map((node, at) => [node, changed[first + at] as OutputCost] as const));
    tell('nodes left float', costly.length, costly.length, 'nodes');
    const metric = measured?.metrics[0];
    const referenceFigure = whole.referenceFigure();
    const stopped =
      alone.size < chosen.length ? 'time-limit' : chosen.length < order.length ? 'top' : undefined;
    return {
      kind: 'quantized',
      reference: task.referencePath,
      candidate: task.candidatePath,
      split: task.data.split,
      samples: whole.samples(),
      task: measured?.name ?? 'fidelity',
      ...(metric === undefined || referenceFigure === undefined
        ? {}
        : {
            metric: { name: metric.name, label: metric.label, better: metric.better },
            referenceFigure,
          }),
      whole: whole.cost(),
      simulated,
      nodes: describeNodes(findings, {
        alone,
        without: byNode(0),
        leftFloat: byNode(left.length),
        simulated,
      }),
      tensors: describeTensors(findings),
      depth: depthOf(statistics, pair.float).map(({ noise, ...point }) => ({
        ...point,
        accumulatedSqnrDb: noise === 0 ? null : -10 * Math.log10(noise),
      })),
      unpaired: pair.pairing.unpaired,
      measured: { alone: alone.size, of: order.length, ...(stopped === undefined ? {} : { stopped }) },
      notes: [note, scaled, source.isMadeUp ? MADE_UP : undefined].filter((each) => each !== undefined),
      seconds: secondsBetween(startNs, clock.nowNs()),
      peakRssBytes: readOwnCounters().peakRssBytes,
    };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

const SCALED_SAMPLES = 8;

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
  const like = sqnrDb === null ? 'the same outputs' : `${sqnrDb.toFixed(1)} dB against it at the outputs`;
  return `channels of the quantized model were scaled (equalized): its nodes are compared with the float32 model with channels scaled alike, which has ${like}`;
}

const MADE_UP = 'the samples are made up: they say nothing about real data';

async function measureAlone(
  nodes: readonly PairedNode[],
  measurement: GateMeasurement,
  isOver: () => boolean,
  onNodes: (done: number) => void,
): Promise<ReadonlyMap<PairedNode, OutputCost>> {
  const costs = new Map<PairedNode, OutputCost>();
  onNodes(0);
  for (let first = 0; first < nodes.length && !isOver(); first += NODES_A_MODEL) {
    const group = nodes.slice(first, first + NODES_A_MODEL);
    const measured = await costsAlone(
      group.map((node) => roundingsOf(node, measurement.pairing)),
      measurement,
    );
    for (const [at, node] of group.entries()) costs.set(node, measured[at] as OutputCost);
    onNodes(costs.size);
  }
  return costs;
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

/** The task, where the outputs are of it: one that nobody asked for is left out where they are not. */
async function openMeasured(
  { task, taskIsNamed }: ExplainTask,
  outputs: readonly ModelPort[],
  samples: ChosenSamples,
  run: RunBatch,
): Promise<{ readonly measured: Task<unknown> | undefined; readonly note?: string }> {
  const measured = await openTask(
    task,
    outputs.map(({ name }) => name),
  );
  if (measured === undefined) return { measured };
  for await (const { feeds, ...facts } of samples.read(1)) {
    const answer = measured.answer(await run(feeds), facts);
    if (answer.ok) continue;
    if (taskIsNamed) throw new ProblemError(answer.error);
    return {
      measured: undefined,
      note: `outputs are compared as numbers alone, as they are not those of ${measured.name}: ${answer.error.message}`,
    };
  }
  return { measured };
}

function requireSameInputs(
  { referencePath, candidatePath }: ExplainTask,
  reference: readonly ModelPort[],
  candidate: readonly ModelPort[],
): void {
  const missing = candidate.find(({ name }) => !reference.some((port) => port.name === name));
  if (missing === undefined) return;
  throw new ProblemError(
    problem('models-differ', `the model has an input '${missing.name}' that ${referencePath} does not have`, {
      place: { file: candidatePath, tensor: missing.name },
      hint: 'name the float32 model first, and then a model that was made from it',
    }),
  );
}

function requirePairs(
  { referencePath, candidatePath }: ExplainTask,
  { nodes, unpaired }: NodeFindings['pairing'],
) {
  if (nodes.length > 0) return;
  const [first] = unpaired;
  throw new ProblemError(
    first === undefined
      ? problem('nothing-quantized', 'no node of the model computes with codes', {
          place: { file: candidatePath },
          hint: 'name the float32 model first, and then the quantized one',
        })
      : problem(
          'nothing-paired',
          `none of its ${unpaired.length} quantized nodes is one of ${referencePath}; '${first.node}': ${first.reason}`,
          {
            place: { file: candidatePath },
            hint: 'name the float32 model that it was made from',
          },
        ),
  );
}

/** Tells now and then how far a part of the work has come. */
function progressTeller({ clock, emit }: TaskContext) {
  const dues = new Map<string, (done: number, total: number) => boolean>();
  return (subject: string, done: number, total: number, unit: string): void => {
    const isDue = dues.get(subject) ?? isProgressDue(clock);
    dues.set(subject, isDue);
    if (!isDue(done, total)) return;
    emit({ kind: 'progress', progress: { phase: 'evaluate', subject, done, total, unit } });
  };
}
