import { mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { secondsBetween } from '../core/clock.ts';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import type { GraphProto } from '../onnx/messages.ts';
import { type OnnxModel, readModel } from '../onnx/model-file.ts';
import type { OpenModel } from '../onnx/open-model.ts';
import { eliminateDead } from '../onnx/passes/eliminate-dead.ts';
import { nameNodes } from '../onnx/passes/name-nodes.ts';
import { type PreparationReport, prepareModel } from '../onnx/passes/prepare.ts';
import { walkTensors } from '../onnx/traversal.ts';
import { writeModel } from '../onnx/write-model.ts';
import { type GraphView, viewGraph } from '../quantization/graph-view.ts';
import { unmatchedEntries } from '../quantization/node-selection.ts';
import type { Recipe } from '../quantization/recipe.ts';
import { readCpuFeatures } from '../runtime/cpu-features.ts';
import { openSession } from '../runtime/session.ts';
import { applyRecipe } from './apply-recipe.ts';
import { modelFiles, sizeBytesOf } from './model-size.ts';
import { readOwnCounters } from './own-counters.ts';
import { createPhaseRecorder } from './phase-recorder.ts';
import { requireQuantizable } from './quantizable.ts';
import type { QuantizeReport, QuantizeTask } from './quantize-task.ts';
import { requireLoadable } from './rejected-model.ts';
import { resolveRecipe } from './resolve-recipe.ts';
import { scratchModelOpener } from './scratch-models.ts';
import { selfCheck } from './self-check.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap } from './unwrap.ts';

const RECIPE_KEY = 'ptq_agent.recipe';

/**
 * Quantizes one model: load, prepare, calibrate, quantize, write. The report comes only after the runtime has loaded the
 * result and computed with it. Runs in a worker process. Working files stay in a folder beside the output, which
 * `runQuantization` lets lie in a folder of its own and removes. Throws `ProblemError` for every expected failure.
 */
export async function quantizeModel(task: QuantizeTask, context: TaskContext): Promise<QuantizeReport> {
  const { clock, emit } = context;
  const phase = createPhaseRecorder(clock, emit, {
    ...(task.subject === undefined ? {} : { subject: task.subject }),
    readCounters: readOwnCounters,
  });
  const startNs = clock.nowNs();
  const scratch = await mkdtemp(join(dirname(task.outputPath), 'work-'));
  const recipe = resolveRecipe(task.recipe, readCpuFeatures());
  const model = await phase('load', async () => unwrap(readModel(task.modelPath)));
  requireQuantizable(model);
  const givenFiles = modelFiles(task.modelPath, model);
  const { view, notes } = await phase('prepare', () =>
    prepare(model, recipe, task, scratchModelOpener(scratch, task.threads)),
  );
  const applied = await applyRecipe(view, recipe, { task, scratch, phase, context });
  const { written, audit, check } = await phase('write', async () => {
    eliminateDead(model);
    noteRecipe(model, recipe);
    const written = unwrap(writeModel(model, task.outputPath));
    releaseWeights(model);
    const optimized = await optimizedGraph(task, scratch);
    return { written, audit: applied.audit?.(optimized), check: await selfCheck(task, context) };
  });
  const { calibration, latencyGate, tuning } = applied;
  const used = readOwnCounters();
  return {
    model: task.modelPath,
    output: task.outputPath,
    recipe,
    seconds: secondsBetween(startNs, clock.nowNs()),
    peakRssBytes: used.peakRssBytes,
    ...(used.io === undefined ? {} : { writtenBytes: used.io.writtenBytes }),
    ...(calibration === undefined ? {} : { calibration }),
    ...(latencyGate === undefined ? {} : { latencyGate }),
    ...(tuning === undefined ? {} : { tuning }),
    sizeBytes: {
      before: await sizeBytesOf(givenFiles),
      after: written.sizeBytes + written.externalSizeBytes,
    },
    ops: {
      quantized: applied.quantized,
      float: applied.float,
      fused: audit?.fused ?? null,
      notFused: audit?.notFused ?? [],
    },
    selfCheck: check,
    warnings: [...notes, ...applied.warnings],
  };
}

async function prepare(
  model: OnnxModel,
  recipe: Recipe,
  { modelPath, threads }: QuantizeTask,
  open: OpenModel,
): Promise<{ readonly view: GraphView; readonly notes: readonly string[] }> {
  const prepared = await prepareModel(model, { open });
  // A part of it was rejected; the problem should name the whole, and the node that is to blame.
  if (!prepared.ok && isRejection(prepared.error)) await requireLoadable(modelPath, threads);
  const report = unwrap(prepared);
  nameNodes(model);
  const view = viewGraph(model);
  return { view, notes: [...preparationNotes(report), ...unmatchedSelections(view, recipe)] };
}

function isRejection({ kind }: Problem): boolean {
  return kind === 'model-rejected-by-runtime';
}

/** What a recipe names and the model does not have is most likely mistyped. */
function unmatchedSelections({ graph }: GraphView, { include, exclude }: Recipe): string[] {
  return [
    ...unmatchedEntries(graph.node, include).map(
      (entry) => `the recipe includes '${entry}', which no node matches`,
    ),
    ...unmatchedEntries(graph.node, exclude).map(
      (entry) => `the recipe excludes '${entry}', which no node matches`,
    ),
  ];
}

/** Writes the recipe into the model. ONNX forbids a key twice, so it replaces that of an earlier quantization. */
function noteRecipe({ proto }: OnnxModel, recipe: Recipe): void {
  const others = proto.metadataProps.filter(({ key }) => key !== RECIPE_KEY);
  proto.metadataProps = [...others, { key: RECIPE_KEY, value: JSON.stringify(recipe) }];
}

/** What the preparation changed that the owner of the model may want to know. */
function preparationNotes(report: PreparationReport): string[] {
  const { inlineFunctions, inlineConstantIfs, foldConstants, foldBiasAdd, foldScale } = report;
  const { fromVersion, toVersion } = report.liftOpset;
  const counted = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what}`]);
  return [
    ...(fromVersion === toVersion ? [] : [`the model was lifted from opset ${fromVersion} to ${toVersion}`]),
    ...counted(report.inputsAreNotInitializers.count, 'weights that were listed as inputs became constants'),
    ...counted(inlineFunctions.count, 'calls of functions in the model were replaced by their nodes'),
    ...inlineFunctions.left.map(
      (name) => `the function ${name} was left as it is, because its opset is not that of the model`,
    ),
    ...counted(foldConstants.count, 'nodes that always compute the same became constants'),
    ...counted(inlineConstantIfs.count, 'If nodes that always take the same branch were replaced by it'),
    ...counted(foldBiasAdd.count, 'Add and Sub nodes were folded into biases'),
    ...counted(foldScale.count, 'Mul and Div nodes were folded into weights'),
    ...counted(report.mergeDuplicates.count, 'nodes that computed what another computes were merged with it'),
    ...counted(
      report.foldBatchNorm.count + report.foldInputNorm.count,
      'BatchNormalization nodes were folded into weights',
    ),
  ];
}

/** Lets go of the codes in memory once they are in the file: the runtime needs the room to load them. */
function releaseWeights({ proto }: OnnxModel): void {
  walkTensors(proto, (tensor) => {
    if (tensor.rawData?.kind === 'memory') tensor.rawData = { kind: 'memory', bytes: new Uint8Array(0) };
  });
}

/** Lets the runtime load and optimize the result, and reads back the graph that it will run. */
async function optimizedGraph(
  { modelPath, outputPath, threads }: QuantizeTask,
  scratch: string,
): Promise<GraphProto> {
  const optimizedModelPath = join(scratch, 'optimized.onnx');
  const settings = {
    intraOpThreads: threads,
    graphOptimization: 'extended',
    optimizedModelPath,
    inspectOnly: true,
    memoryArena: false,
  } as const;
  const session = await openSession(outputPath, settings);
  if (!session.ok) {
    await requireLoadable(modelPath, threads);
    throw new ProblemError(
      problem('quantized-model-unusable', `the quantized model is not usable: ${session.error.message}`, {
        place: { file: modelPath },
        hint: 'nothing was written; exclude the nodes that the message names with --exclude, and please report it',
      }),
    );
  }
  await session.value.close();
  return unwrap(readModel(optimizedModelPath)).proto.graph as GraphProto;
}
