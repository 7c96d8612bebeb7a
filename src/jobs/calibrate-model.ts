import { join } from 'node:path';
import { ProblemError } from '../core/problem.ts';
import { carryStates } from '../data/carried-state.ts';
import type { SkippedSample } from '../data/sample-source.ts';
import { writeModel } from '../onnx/write-model.ts';
import { type Calibration, calibrate } from '../quantization/calibration/calibrate.ts';
import { observeTensors } from '../quantization/calibration/observation.ts';
import { createObserver, needsValues, valuesPerRun } from '../quantization/calibration/observers.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import { findNonFiniteConstant } from '../quantization/non-finite-constant.ts';
import type { CalibrationSettings } from '../quantization/recipe.ts';
import { openSession, type Session } from '../runtime/session.ts';
import type { QuantizeTask } from './quantize-task.ts';
import { requireLoadable } from './rejected-model.ts';
import type { TaskContext } from './task-context.ts';
import { openTaskData, type TaskData } from './task-data.ts';
import { unwrap } from './unwrap.ts';

/**
 * Finds the ranges of `tensors` by running the model, with outputs added that tell about them, over the calibration
 * samples. Throws `ProblemError`.
 * @param scratch an empty folder for the model that observes
 */
export async function calibrateModel(
  view: GraphView,
  tensors: readonly string[],
  settings: CalibrationSettings,
  run: { readonly task: QuantizeTask; readonly data: TaskData; readonly scratch: string },
  { clock, emit }: TaskContext,
): Promise<Calibration & { readonly skipped: readonly SkippedSample[] }> {
  const { task, data, scratch } = run;
  const { model, observed } = observeTensors(view, tensors, { values: needsValues(settings) });
  const observingPath = join(scratch, 'observing.onnx');
  unwrap(writeModel(model, observingPath));
  const session = await openObserving(observingPath, task);
  const outputs = view.graph.output.map(({ name }) => name ?? '');
  const ports = {
    inputs: session.inputs,
    outputs: session.outputs.filter(({ name }) => outputs.includes(name)),
  };
  const samples = await openTaskData(data, ports, { states: task.states, limit: settings.samples });
  try {
    const total = samples.count;
    const subject = task.subject === undefined ? {} : { subject: task.subject };
    const observer = createObserver(settings, observed, valuesPerRun(total));
    const calibrated = await calibrate(samples.samples(), observer, {
      runBatch: carryStates(session.run, task.states),
      clock,
      modelOutputs: outputs,
      onSample: (done) =>
        emit({
          kind: 'progress',
          progress: { phase: 'calibrate', ...subject, done, total, unit: 'samples' },
        }),
    });
    if (!calibrated.ok && calibrated.error.kind === 'non-finite-activation') {
      const cause = findNonFiniteConstant(view);
      if (cause !== undefined) throw new ProblemError(cause);
    }
    return { ...unwrap(calibrated), skipped: samples.skipped() };
  } finally {
    await samples.close();
    await session.close();
  }
}

/** Loads the observing model. One that the runtime rejects as it came is reported under its own path. */
async function openObserving(observingPath: string, task: QuantizeTask): Promise<Session> {
  const settings = { intraOpThreads: task.threads };
  const session = await openSession(observingPath, settings);
  if (!session.ok) await requireLoadable(task.modelPath, task.threads);
  return unwrap(session);
}
