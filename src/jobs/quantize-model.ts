import { readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { secondsBetween } from '../core/clock.ts';
import { ProblemError, problem } from '../core/problem.ts';
import { openSamples } from '../data/open-samples.ts';
import type { SampleSource } from '../data/sample-source.ts';
import type { GraphProto } from '../onnx/messages.ts';
import { type OnnxModel, readModel } from '../onnx/model-file.ts';
import { eliminateDead } from '../onnx/passes/eliminate-dead.ts';
import { nameNodes } from '../onnx/passes/name-nodes.ts';
import { type PreparationReport, prepareModel } from '../onnx/passes/prepare.ts';
import { writeModel } from '../onnx/write-model.ts';
import { INT8_REDUCED, INT8_SYMMETRIC } from '../quantization/affine.ts';
import { auditFusion } from '../quantization/audit.ts';
import { type Calibration, calibrate } from '../quantization/calibration/calibrate.ts';
import { observeTensors } from '../quantization/calibration/observation.ts';
import { createObserver, needsValues } from '../quantization/calibration/observers.ts';
import { type GraphView, viewGraph } from '../quantization/graph-view.ts';
import { insertQdq } from '../quantization/insert-qdq.ts';
import { findNonFiniteConstant } from '../quantization/non-finite-constant.ts';
import { type Placement, placeQuantization } from '../quantization/placement.ts';
import { matchesPattern, type Recipe } from '../quantization/recipe.ts';
import { readCpuFeatures } from '../runtime/cpu-features.ts';
import { openSession, type Session } from '../runtime/session.ts';
import { modelSizeBytes } from './model-size.ts';
import { createPhaseRecorder } from './phase-recorder.ts';
import { peakRssBytes } from './process-memory.ts';
import { requireQuantizable } from './quantizable.ts';
import type { QuantizeReport, QuantizeTask } from './quantize-task.ts';
import { resolveRecipe } from './resolve-recipe.ts';
import { withScratchFolder } from './scratch-folder.ts';
import { selfCheck } from './self-check.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap } from './unwrap.ts';

/**
 * Quantizes one model: load, prepare, calibrate, quantize, write. The file is published only after the runtime has
 * loaded it and computed with it. Runs in a worker process.
 * Throws `ProblemError` for every expected failure; nothing is left behind then.
 */
export async function quantizeModel(task: QuantizeTask, context: TaskContext): Promise<QuantizeReport> {
  const { clock, emit } = context;
  const phase = createPhaseRecorder(clock, (span) => emit({ kind: 'phase', span }), task.subject);
  const startNs = clock.nowNs();
  const recipe = resolveRecipe(task.recipe, readCpuFeatures());
  const model = await phase('load', async () => unwrap(readModel(task.modelPath)));
  requireQuantizable(model);
  const { view, placement, warnings } = await phase('prepare', async () => prepare(model, recipe));
  return withScratchFolder(task.outputPath, async (scratch) => {
    const calibration = await phase('calibrate', () =>
      calibrateWithRuntime(task, view, placement, scratch, context),
    );
    const calibrationPeakRssBytes = peakRssBytes();
    await phase('quantize', async () => {
      unwrap(insertQdq(view, placement, calibration.ranges, weightSettings(recipe)));
      eliminateDead(view.model);
      view.model.proto.metadataProps.push({ key: 'ptq_agent.recipe', value: JSON.stringify(recipe) });
    });
    const candidate = join(scratch, basename(task.outputPath));
    const published = await phase('write', async () => {
      unwrap(writeModel(view.model, candidate));
      const audit = await auditWithRuntime(candidate, view, placement, scratch, task.threads);
      const check = await selfCheck(task, candidate, context);
      await publish(scratch, candidate, task.outputPath);
      return { audit, check };
    });
    return {
      model: task.modelPath,
      output: task.outputPath,
      recipe,
      seconds: secondsBetween(startNs, clock.nowNs()),
      peakRssBytes: peakRssBytes(),
      calibration: {
        method: recipe.calibration.method,
        samples: calibration.samples,
        seconds: calibration.seconds,
        inferenceSeconds: calibration.inferenceSeconds,
        peakRssBytes: calibrationPeakRssBytes,
      },
      sizeBytes: {
        before: await modelSizeBytes(task.modelPath),
        after: await modelSizeBytes(task.outputPath),
      },
      ops: { quantized: placement.nodes.length, float: placement.float, ...published.audit },
      selfCheck: published.check,
      warnings,
    };
  });
}

function weightSettings(recipe: Recipe) {
  return { grid: recipe.reduceRange === true ? INT8_REDUCED : INT8_SYMMETRIC, perTensor: recipe.perTensor };
}

function prepare(
  model: OnnxModel,
  recipe: Recipe,
): { readonly view: GraphView; readonly placement: Placement; readonly warnings: string[] } {
  const report = unwrap(prepareModel(model));
  nameNodes(model);
  const view = viewGraph(model);
  const placement = placeQuantization(view, recipe);
  if (placement.nodes.length === 0) {
    const reasons = placement.float.map(({ node, op, reason }) => `${op} '${node}': ${reason}`).slice(0, 3);
    throw new ProblemError(
      problem('nothing-to-quantize', `no node of the model can run in int8. ${reasons.join('; ')}`.trim(), {
        place: { file: model.path ?? '' },
        hint: 'static-int8 needs Conv, Gemm or MatMul nodes with constant float32 weights',
      }),
    );
  }
  return { view, placement, warnings: [...preparationNotes(report), ...unmatchedExclusions(view, recipe)] };
}

/** Exclusions that exclude nothing are most likely mistyped. */
function unmatchedExclusions({ graph }: GraphView, { exclude }: Recipe): string[] {
  const nodes = exclude.nodes.filter(
    (pattern) => !graph.node.some(({ name }) => matchesPattern(pattern, name ?? '')),
  );
  const opTypes = exclude.opTypes.filter((opType) => !graph.node.some((node) => node.opType === opType));
  return [
    ...nodes.map((pattern) => `no node is named '${pattern}', which the recipe excludes`),
    ...opTypes.map((opType) => `no node is a ${opType}, which the recipe excludes`),
  ];
}

/** What the preparation changed that the owner of the model may want to know. */
function preparationNotes({
  liftOpset,
  inputsAreNotInitializers,
  foldBiasAdd,
  foldBatchNorm,
}: PreparationReport): string[] {
  const { fromVersion, toVersion } = liftOpset;
  return [
    ...(fromVersion === toVersion ? [] : [`the model was lifted from opset ${fromVersion} to ${toVersion}`]),
    ...(inputsAreNotInitializers.count === 0
      ? []
      : [`${inputsAreNotInitializers.count} weights that were listed as inputs became constants`]),
    ...(foldBiasAdd.count === 0 ? [] : [`${foldBiasAdd.count} Add nodes were folded into biases`]),
    ...(foldBatchNorm.count === 0
      ? []
      : [`${foldBatchNorm.count} BatchNormalization nodes were folded into weights`]),
  ];
}

async function calibrateWithRuntime(
  task: QuantizeTask,
  view: GraphView,
  placement: Placement,
  scratch: string,
  { clock, emit }: TaskContext,
): Promise<Calibration> {
  const sources = [...new Set(placement.edges.values())];
  const { calibration } = task.recipe;
  const { model, observed } = observeTensors(view, sources, { values: needsValues(calibration) });
  const observingPath = join(scratch, 'observing.onnx');
  unwrap(writeModel(model, observingPath));
  const session = await openObserving(observingPath, task);
  const samples = await openCalibration(task, session.inputs);
  try {
    const total = samples.count;
    const calibrated = await calibrate(samples.samples(), createObserver(calibration, observed), {
      runBatch: session.run,
      clock,
      onSample: (done) =>
        emit({
          kind: 'progress',
          progress: {
            phase: 'calibrate',
            ...(task.subject === undefined ? {} : { subject: task.subject }),
            done,
            total,
            unit: 'samples',
          },
        }),
    });
    if (!calibrated.ok && calibrated.error.kind === 'non-finite-activation') {
      const cause = findNonFiniteConstant(view);
      if (cause !== undefined) throw new ProblemError(cause);
    }
    return unwrap(calibrated);
  } finally {
    await samples.close();
    await session.close();
  }
}

/** Loads the observing model. One that the runtime rejects as it came is reported under its own path. */
async function openObserving(observingPath: string, task: QuantizeTask): Promise<Session> {
  const settings = { intraOpThreads: task.threads };
  const session = await openSession(observingPath, settings);
  if (!session.ok) await unwrap(await openSession(task.modelPath, settings)).close();
  return unwrap(session);
}

async function openCalibration(
  task: QuantizeTask,
  modelInputs: Parameters<typeof openSamples>[1]['modelInputs'],
): Promise<SampleSource> {
  const limit = task.recipe.calibration.samples;
  const options = { split: task.split, modelInputs, ...(limit === undefined ? {} : { limit }) };
  return unwrap(await openSamples(task.dataPath, options));
}

/** Lets the runtime optimize the candidate and reads back what became of the planned nodes. */
async function auditWithRuntime(
  candidate: string,
  view: GraphView,
  placement: Placement,
  scratch: string,
  threads: number,
) {
  const optimizedModelPath = join(scratch, 'optimized.onnx');
  const session = unwrap(
    await openSession(candidate, {
      intraOpThreads: threads,
      graphOptimization: 'extended',
      optimizedModelPath,
    }),
  );
  await session.close();
  const optimized = unwrap(readModel(optimizedModelPath));
  return auditFusion(placement.nodes, view.graph, optimized.proto.graph as GraphProto);
}

/** Moves the finished model into place, its external data first, so that the model file never points at nothing. */
async function publish(scratch: string, candidate: string, outputPath: string): Promise<void> {
  const companions = (await readdir(scratch)).filter((name) => name.startsWith(`${basename(candidate)}.`));
  for (const name of companions) await rename(join(scratch, name), join(dirname(outputPath), name));
  await rename(candidate, outputPath);
}
