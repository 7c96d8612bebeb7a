import { mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeFloat16 } from '../core/float16.ts';
import { ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors, Tensor } from '../core/tensor.ts';
import { type CarriedState, carryStates } from '../data/carried-state.ts';
import { createEvaluator, type VariantEvaluation } from '../evaluation/evaluation.ts';
import { readModel } from '../onnx/model-file.ts';
import { prepareModel } from '../onnx/passes/prepare.ts';
import { writeModel } from '../onnx/write-model.ts';
import { viewGraph } from '../quantization/graph-view.ts';
import { findNonFiniteConstant } from '../quantization/non-finite-constant.ts';
import { openSession } from '../runtime/session.ts';
import { castFeeds } from './cast-feeds.ts';
import { evaluateModels } from './evaluate-models.ts';
import { generateFeeds } from './generated-feeds.ts';
import { modelSizeBytes } from './model-size.ts';
import { openModel } from './open-model.ts';
import type { QuantizeTask, SelfCheck } from './quantize-task.ts';
import { requireLoadable } from './rejected-model.ts';
import { scratchModelOpener } from './scratch-models.ts';
import type { TaskContext } from './task-context.ts';
import type { TaskData } from './task-data.ts';
import { unwrap } from './unwrap.ts';

const SELF_CHECK_SAMPLES = 8;

const LARGEST_COMPARED_BYTES = 2 ** 30;

/**
 * Computes some samples with the original and the quantized model, before the latter is published: the first ones of the
 * data, or a made-up one where there is no data.
 * An original that is too old for the runtime is compared as it is once it is prepared.
 * Throws `ProblemError`: `quantized-model-unusable` when the quantized model fails, or gives NaN or infinity where the
 * original does not; `original-not-finite` and `non-finite-weight` when the original gives NaN or infinity. A low SQNR is
 * no failure here: that is for an evaluation to judge.
 * @param largestComparedBytes of the original, where there is no data: a larger one is not loaded for a comparison, as that
 *   would take most of the memory of the task, and the result is looked at alone
 */
export async function selfCheck(
  task: QuantizeTask,
  context: TaskContext,
  largestComparedBytes = LARGEST_COMPARED_BYTES,
): Promise<SelfCheck> {
  const { data, modelPath } = task;
  if (data === undefined && (await modelSizeBytes(modelPath)) > largestComparedBytes) return checkAlone(task);
  const compare = (path: string) =>
    data === undefined ? compareOnGenerated(task, path) : compareOnData(task, path, data, context);
  let result: VariantEvaluation | undefined;
  try {
    result = await compare(modelPath);
  } catch (error) {
    if (!isRejected(error, modelPath)) throw error;
    result = await compare(await writePrepared(task));
  }
  // Made-up numbers may well make the original itself fail or overflow; then loading is all that could be checked.
  if (result === undefined) return { on: 'generated', samples: 0, sqnrDb: null };
  if (result.nonFiniteReference.count > 0) throw notFinite(modelPath, result.nonFiniteReference.indices[0]);
  if (result.verdict === 'invalid') {
    throw new ProblemError(
      problem('quantized-model-unusable', `the quantized model is not usable: ${result.verdictReason}`, {
        place: { file: task.modelPath },
        hint: 'nothing was written; exclude nodes with --exclude, or check the calibration data',
      }),
    );
  }
  return { on: data === undefined ? 'generated' : 'data', samples: result.n, sqnrDb: result.sqnrDb };
}

/**
 * Loads the quantized model and looks whether it gives finite numbers on a made-up input. Whether it is to blame where it
 * does not, the original alone could tell.
 */
async function checkAlone({ outputPath, threads, states = [] }: QuantizeTask): Promise<SelfCheck> {
  const session = await openModel(outputPath, threads);
  const feeds = generateFeeds(session.inputs, { states, modelOutputs: session.outputs });
  const results =
    feeds === undefined ? {} : await carryStates(session.run, states)(castFeeds(feeds, session.inputs));
  await session.close();
  const tensors = Object.values(results);
  const samples = tensors.length > 0 && !tensors.some(isNotFinite) ? 1 : 0;
  return { on: 'generated', samples, sqnrDb: null, alone: true };
}

function isRejected(error: unknown, path: string): boolean {
  if (!(error instanceof ProblemError)) return false;
  const { kind, place } = error.problem;
  return kind === 'model-rejected-by-runtime' && place?.file === path;
}

/** Writes the float32 model that the quantized one was made of. Throws where the runtime rejects that, too. */
async function writePrepared({ modelPath, outputPath, threads }: QuantizeTask): Promise<string> {
  const scratch = await mkdtemp(join(dirname(outputPath), 'prepared-'));
  const model = unwrap(readModel(modelPath));
  unwrap(await prepareModel(model, { open: scratchModelOpener(scratch, threads) }));
  const path = join(scratch, 'prepared.onnx');
  unwrap(writeModel(model, path, { durable: false }));
  const session = await openSession(path, { intraOpThreads: threads });
  if (!session.ok) await requireLoadable(modelPath, threads);
  await unwrap(session).close();
  return path;
}

/** Of an original that computes NaN or infinity: the constant that is to blame, or the sample. */
function notFinite(modelPath: string, sample: number | undefined): ProblemError {
  const cause = findNonFiniteConstant(viewGraph(unwrap(readModel(modelPath))));
  if (cause !== undefined) return new ProblemError(cause);
  return new ProblemError(
    problem('original-not-finite', 'the original model gives NaN or infinity itself', {
      place: { file: modelPath, ...(sample === undefined ? {} : { sample }) },
      hint: 'check the preprocessing of that sample; nothing can be compared with such results',
    }),
  );
}

async function compareOnData(
  task: QuantizeTask,
  referencePath: string,
  data: TaskData,
  { clock }: TaskContext,
): Promise<VariantEvaluation> {
  const limit = 'calibration' in task.recipe ? task.recipe.calibration.samples : undefined;
  const [result] = await evaluateModels(
    {
      kind: 'evaluate',
      reference: { variant: 'original', path: referencePath },
      candidates: [{ variant: 'quantized', path: task.outputPath }],
      data,
      samples: Math.min(SELF_CHECK_SAMPLES, limit ?? SELF_CHECK_SAMPLES),
      task: { name: 'fidelity', settings: {} },
      budget: {},
      threads: task.threads,
      ...(task.states === undefined ? {} : { states: task.states }),
    },
    { clock, emit: () => {} },
  );
  if (result === undefined) throw new Error('the self-check compared nothing');
  return result;
}

async function compareOnGenerated(
  task: QuantizeTask,
  referencePath: string,
): Promise<VariantEvaluation | undefined> {
  const original = await openModel(referencePath, task.threads);
  const quantized = await openModel(task.outputPath, task.threads);
  const { states = [] } = task;
  const feeds = generateFeeds(original.inputs, { states, modelOutputs: original.outputs });
  const outputs = original.outputs.filter(({ type }) => type !== 'string').map(({ name }) => name);
  if (feeds === undefined || outputs.length === 0) return undefined;
  const evaluator = createEvaluator({ outputs });
  const runOriginal = carryStates(original.run, states);
  const runQuantized = carryStates(quantized.run, states);
  // The second step of a recurrent model is the one that is fed what the model itself gave.
  const steps = states.length === 0 ? [feeds] : [feeds, withoutStates(feeds, states)];
  for (const [index, step] of steps.entries()) {
    let reference: NamedTensors;
    try {
      reference = await runOriginal(step);
    } catch (error) {
      if (error instanceof ProblemError) return undefined;
      throw error;
    }
    if (outputs.some((name) => isNotFinite(reference[name]))) return undefined;
    try {
      const candidate = await runQuantized(castFeeds(step, quantized.inputs));
      unwrap(evaluator.add({ index, reference, candidate }));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      evaluator.fail(index, error.problem);
    }
  }
  return evaluator.finish();
}

function withoutStates(feeds: NamedTensors, states: readonly CarriedState[]): NamedTensors {
  const carried = new Set(states.map(({ input }) => input));
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => !carried.has(name)));
}

function isNotFinite(tensor: Tensor | undefined): boolean {
  switch (tensor?.type) {
    case 'float32':
    case 'float64':
      return (tensor.data as Float32Array | Float64Array).some((value) => !Number.isFinite(value));
    case 'float16':
      return (tensor.data as Uint16Array).some((bits) => !Number.isFinite(decodeFloat16(bits)));
    default:
      return false;
  }
}
