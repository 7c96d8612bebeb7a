import { join } from 'node:path';
import { ProblemError } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { carryStates } from '../data/carried-state.ts';
import type { SkippedSample } from '../data/sample-source.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import { writeModel } from '../onnx/write-model.ts';
import { type Calibration, calibrate } from '../quantization/calibration/calibrate.ts';
import { type ObservingModel, observeTensors } from '../quantization/calibration/observation.ts';
import {
  createObserver,
  lookAtSame,
  needsValues,
  type RangeObserver,
  valuesPerRun,
} from '../quantization/calibration/observers.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import { findNonFiniteConstant } from '../quantization/non-finite-constant.ts';
import type { CalibrationSettings } from '../quantization/recipe.ts';
import { modelFiles, sizeBytesOf } from './model-size.ts';
import { isProgressDue } from './progress-interval.ts';
import type { QuantizeTask } from './quantize-task.ts';
import { readChosen } from './read-chosen.ts';
import { requireLoadable } from './rejected-model.ts';
import { type SessionThread, startSessionThread } from './session-thread.ts';
import { coresFor, openSharedSession, type SharedSession } from './shared-session.ts';
import type { TaskContext } from './task-context.ts';
import { openTaskData, type TaskData } from './task-data.ts';
import type { FirstRunsTrace } from './traced-session.ts';
import { unwrap } from './unwrap.ts';

export interface CalibrationRun {
  readonly task: QuantizeTask;
  readonly data: TaskData;
  /** An empty folder for the model that observes. */
  readonly scratch: string;
  /** Positions of the samples to calibrate on; all, or the first so many of the settings, where it is absent. */
  readonly only?: ReadonlySet<number>;
  readonly companion?: CalibrationCompanion;
  /** Run after those of `only`. */
  readonly later?: LaterSamples;
  /** Other calibrations, of which those that look at the same outputs are found in the same runs. */
  readonly further?: readonly CalibrationSettings[];
}

/** What another calibration would have found in the same runs. */
export type FurtherCalibration = Pick<Calibration, 'ranges' | 'observed'> & {
  readonly settings: CalibrationSettings;
};

/** Learns more of the runs of a calibration than ranges. */
export interface CalibrationCompanion {
  /** The model that observes, with more outputs. */
  readonly observe: (observing: ObservingModel) => OnnxModel;
  readonly add: (sample: number, outputs: NamedTensors) => void;
}

/** Samples that come after those that ranges are found on. */
export interface LaterSamples {
  readonly positions: readonly number[];
  /** Told what the model itself gives for each. */
  readonly add: (sample: number, outputs: NamedTensors) => void;
}

/**
 * Finds the ranges of `tensors` by running the model, with outputs added that tell about them, over the calibration
 * samples. Throws `ProblemError`.
 * @returns `rangesOfAll`: the ranges with those samples, too, that come later
 */
export async function calibrateModel(
  view: GraphView,
  tensors: readonly string[],
  settings: CalibrationSettings,
  run: CalibrationRun,
  { clock, emit, sessionEntry }: TaskContext,
): Promise<
  Calibration & {
    readonly rangesOfAll?: Calibration['ranges'];
    readonly skipped: readonly SkippedSample[];
    readonly further: readonly FurtherCalibration[];
  }
> {
  const { task, data, scratch, only, companion, later, further = [] } = run;
  // Started first: it loads the runtime while this thread makes the model that observes.
  const helper =
    sessionEntry !== undefined && (await isWorthSharing(view, task, settings))
      ? startSessionThread(sessionEntry)
      : undefined;
  const opened: { close(): Promise<void> }[] = helper === undefined ? [] : [helper];
  const keep = <T extends { close(): Promise<void> }>(made: T): T => {
    opened.unshift(made);
    return made;
  };
  try {
    const observing = observeTensors(view, tensors, { values: needsValues(settings) });
    const { model, observed } = observing;
    const observingPath = join(scratch, 'observing.onnx');
    unwrap(writeModel(companion?.observe(observing) ?? model, observingPath, { durable: false }));
    const session = keep(await openObserving(observingPath, task, helper));
    const outputs = view.graph.output.map(({ name }) => name ?? '');
    const ports = {
      inputs: session.inputs,
      outputs: session.outputs.filter(({ name }) => outputs.includes(name)),
    };
    const samples = keep(await openTaskData(data, ports, { states: task.states, limit: settings.samples }));
    const chosen = only === undefined ? undefined : [...only, ...(later?.positions ?? [])];
    const total = chosen?.length ?? samples.count;
    const subject = task.subject === undefined ? {} : { subject: task.subject };
    const isDue = isProgressDue(clock);
    const observer = createObserver(settings, observed, valuesPerRun(total));
    const others = further
      .filter((of) => lookAtSame(of, settings))
      .map((of) => ({ settings: of, observer: createObserver(of, observed, valuesPerRun(total)) }));
    const comesLater = new Set(later?.positions);
    let rangesBefore: Calibration['ranges'] | undefined;
    const all: RangeObserver = {
      ...observer,
      add: (sample, results) => {
        const isLater = comesLater.has(sample);
        if (isLater) rangesBefore ??= new Map(observer.ranges());
        observer.add(sample, results);
        for (const other of others) other.observer.add(sample, results);
        if (isLater) later?.add(sample, pickTensors(results, outputs));
        else companion?.add(sample, results);
      },
    };
    const toRun = chosen === undefined ? samples.samples() : readChosen(samples, chosen);
    const calibrated = await calibrate(toRun, all, {
      runBatch: carryStates(session.run, task.states),
      runsAtOnce: session.runsAtOnce,
      clock,
      modelOutputs: outputs,
      onSample: (done) => {
        if (!isDue(done, total)) return;
        emit({
          kind: 'progress',
          progress: { phase: 'calibrate', ...subject, done, total, unit: 'samples' },
        });
      },
    });
    if (!calibrated.ok && calibrated.error.kind === 'non-finite-activation') {
      const cause = findNonFiniteConstant(view);
      if (cause !== undefined) throw new ProblemError(cause);
    }
    const found = unwrap(calibrated);
    return {
      ...found,
      ...(rangesBefore === undefined ? {} : { ranges: rangesBefore, rangesOfAll: found.ranges }),
      skipped: samples.skipped(),
      further: others.map(({ settings: of, observer: { ranges, extremes } }) => ({
        settings: of,
        ranges: ranges(),
        ...(extremes === undefined ? {} : { observed: extremes() }),
      })),
    };
  } finally {
    for (const made of opened) await made.close();
  }
}

function pickTensors(tensors: NamedTensors, names: readonly string[]): NamedTensors {
  return Object.fromEntries(
    names.flatMap((name) => {
      const tensor = tensors[name];
      return tensor === undefined ? [] : [[name, tensor]];
    }),
  );
}

/** Loads the observing model. One that the runtime rejects as it came is reported under its own path. */
async function openObserving(
  observingPath: string,
  task: QuantizeTask,
  helper: SessionThread | undefined,
): Promise<SharedSession> {
  const session = await openSharedSession(observingPath, task.threads, helper, traceOf(task));
  if (!session.ok) await requireLoadable(task.modelPath, task.threads);
  return unwrap(session);
}

/** The model that observes is another than the one that it is made from, and is known as such. */
function traceOf({ trace, subject, modelPath }: QuantizeTask): FirstRunsTrace | undefined {
  if (trace === undefined) return undefined;
  const { folder, samples: runs, model } = trace;
  const modelId = `${model}:${subject ?? 'fp32'}, observed`;
  return { folder, runs, modelId, modelPath, phase: 'calibrate', thread: `calibrate ${subject ?? model}` };
}

/** Fewer samples are done before a second thread has started. */
const FEWEST_SHARED_SAMPLES = 16;

/**
 * Larger models have larger layers, on which threads inside of an operator do well, and everything that a second session
 * holds is larger, too: on a MobileNetV2 of 14 MiB it takes 180 MiB for a tenth of the time.
 */
const MOST_SHARED_BYTES = 8 * 2 ** 20;

async function isWorthSharing(
  { model }: GraphView,
  { modelPath, states = [], threads }: QuantizeTask,
  { samples = Number.POSITIVE_INFINITY }: CalibrationSettings,
): Promise<boolean> {
  // Where states are carried, each sample needs what the one before it left.
  if (coresFor(threads) === 1 || states.length > 0 || samples < FEWEST_SHARED_SAMPLES) return false;
  // Of a file that is missing the runtime will tell.
  const sizeBytes = await sizeBytesOf(modelFiles(modelPath, model)).catch(() => 0);
  return sizeBytes <= MOST_SHARED_BYTES;
}
