import { secondsBetween } from '../../core/clock.ts';
import { ProblemError, problem } from '../../core/problem.ts';
import type { RunBatch } from '../../core/tensor.ts';
import type { Task } from '../../evaluation/task.ts';
import { readModel } from '../../onnx/model-file.ts';
import { nameNodes } from '../../onnx/passes/name-nodes.ts';
import { readQuantizedGraph } from '../../quantization/explain/quantized-graph.ts';
import { viewGraph } from '../../quantization/graph-view.ts';
import type { ModelPort } from '../../runtime/session.ts';
import { castFeeds } from '../cast-feeds.ts';
import { createModelRunner } from '../model-runner.ts';
import { openModel } from '../open-model.ts';
import { openTask } from '../open-task.ts';
import { readOwnCounters } from '../own-counters.ts';
import { isProgressDue } from '../progress-interval.ts';
import type { TaskContext } from '../task-context.ts';
import { openTaskData } from '../task-data.ts';
import { unwrap } from '../unwrap.ts';
import { type ChosenSamples, chooseSamples } from './choose-samples.ts';
import { compareVersions } from './compare-versions.ts';
import { explainQuantized } from './explain-quantized.ts';
import type { ExplainTask } from './explain-task.ts';
import type { Explanation } from './explanation.ts';
import type { Movement } from './movement.ts';
import { createOutputTally } from './output-tally.ts';

/**
 * Tells what each quantized node of a model costs, and why; of two models that are both quantized, or both float32, what moved between
 * them. Everything streams: memory grows with the model and not with the samples. Runs in a worker process. Throws `ProblemError`: what
 * reading, loading and running models and data reports, `models-swapped` where the quantized model is named first, and `nothing-paired`
 * where no node of one is found in the other.
 */
export async function explainModels(
  task: ExplainTask,
  context: TaskContext,
): Promise<Explanation | Movement> {
  const { clock } = context;
  const startNs = clock.nowNs();
  const closing: (() => Promise<void>)[] = [];
  try {
    const reference = await openModel(task.referencePath, task.threads);
    closing.push(reference.close);
    const candidate = await openModel(task.candidatePath, task.threads);
    closing.push(candidate.close);
    requireSameInputs(task, reference.inputs, candidate.inputs);
    const views = readBoth(task);
    const source = await openTaskData(task.data, reference, { withTruth: true });
    closing.push(() => source.close());
    const samples = chooseSamples(source, task.samples);
    const { measured, note } = await openMeasured(task, reference.outputs, samples, reference.run);
    const { scratch, threads } = task;
    const runner = createModelRunner({ scratch, threads, sessionEntry: context.sessionEntry });
    closing.push(runner.close);
    const tell = progressTeller(context);
    const whole = createOutputTally(measured);
    for await (const { feeds, ...facts } of samples.read()) {
      const outputs = await reference.run(feeds);
      whole.add(outputs, await candidate.run(castFeeds(feeds, candidate.inputs)), facts);
      tell('whole models', whole.samples(), samples.count, 'samples');
    }
    const metric = measured?.metrics[0];
    const referenceFigure = whole.referenceFigure();
    const compared = {
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
    };
    const notes = [note, source.isMadeUp ? MADE_UP : undefined].filter((each) => each !== undefined);
    const took = () => ({
      seconds: secondsBetween(startNs, clock.nowNs()),
      peakRssBytes: readOwnCounters().peakRssBytes,
    });
    if (views.kind === 'moved') {
      const moved = await compareVersions(views, { samples, runner }, (done, total) =>
        tell('results of nodes', done, total, 'samples'),
      );
      return { kind: 'moved', ...compared, ...moved, notes, ...took() };
    }
    const run = { samples, runner, measured, run: reference.run, tell, startNs };
    const explained = await explainQuantized(task, run, context);
    return {
      kind: 'quantized',
      ...compared,
      ...explained,
      notes: [...notes, ...explained.notes],
      ...took(),
    };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

const MADE_UP = 'the samples are made up: they say nothing about real data';

/** A float32 model and one that was quantized, or two of one kind, which are then two versions. */
function readBoth({ referencePath, candidatePath }: ExplainTask) {
  const read = (path: string) => {
    const model = unwrap(readModel(path));
    nameNodes(model);
    const view = viewGraph(model);
    const { nodes, unread } = readQuantizedGraph(view);
    return { view, isQuantized: nodes.length + unread.length > 0 };
  };
  const [before, after] = [read(referencePath), read(candidatePath)];
  if (before.isQuantized === after.isQuantized) {
    return { kind: 'moved', before: before.view, after: after.view } as const;
  }
  if (after.isQuantized) return { kind: 'quantized' } as const;
  throw new ProblemError(
    problem('models-swapped', 'the first model is quantized, and the second is not', {
      place: { file: referencePath },
      hint: 'name the float32 model first, and then the quantized one',
    }),
  );
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
