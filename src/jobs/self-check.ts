import { decodeFloat16 } from '../core/float16.ts';
import { ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors, Tensor } from '../core/tensor.ts';
import { type CarriedState, carryStates } from '../data/carried-state.ts';
import { createEvaluator, type VariantEvaluation } from '../evaluation/evaluation.ts';
import { castFeeds } from './cast-feeds.ts';
import { evaluateModels } from './evaluate-models.ts';
import { generateFeeds } from './generated-feeds.ts';
import { openModel } from './open-model.ts';
import type { CalibrationData, QuantizeTask, SelfCheck } from './quantize-task.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap } from './unwrap.ts';

const SELF_CHECK_SAMPLES = 8;

/**
 * Computes some samples with the original and the quantized model, before the latter is published: the first ones of the
 * data, or a made-up one where there is no data.
 * Throws `ProblemError` `quantized-model-unusable` when the quantized model fails, or gives NaN or infinity where the
 * original does not. A low SQNR is no failure here: that is for an evaluation to judge.
 */
export async function selfCheck(task: QuantizeTask, context: TaskContext): Promise<SelfCheck> {
  const { data } = task;
  const result =
    data === undefined ? await compareOnGenerated(task) : await compareOnData(task, data, context);
  // Made-up numbers may well make the original itself fail or overflow; then loading is all that could be checked.
  if (result === undefined) return { on: 'generated', samples: 0, sqnrDb: null };
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

async function compareOnData(
  task: QuantizeTask,
  { path, split }: CalibrationData,
  { clock }: TaskContext,
): Promise<VariantEvaluation> {
  const limit = task.recipe.format === 'static-int8' ? task.recipe.calibration.samples : undefined;
  const [result] = await evaluateModels(
    {
      kind: 'evaluate',
      reference: { variant: 'original', path: task.modelPath },
      candidates: [{ variant: 'quantized', path: task.outputPath }],
      dataPath: path,
      split,
      samples: Math.min(SELF_CHECK_SAMPLES, limit ?? SELF_CHECK_SAMPLES),
      task: 'fidelity',
      budget: {},
      threads: task.threads,
      ...(task.states === undefined ? {} : { states: task.states }),
    },
    { clock, emit: () => {} },
  );
  if (result === undefined) throw new Error('the self-check compared nothing');
  return result;
}

async function compareOnGenerated(task: QuantizeTask): Promise<VariantEvaluation | undefined> {
  const original = await openModel(task.modelPath, task.threads);
  const quantized = await openModel(task.outputPath, task.threads);
  const { states = [] } = task;
  const feeds = generateFeeds(original.inputs, { states, modelOutputs: original.outputs });
  const outputs = original.outputs.filter(({ type }) => type !== 'string').map(({ name }) => name);
  if (feeds === undefined || outputs.length === 0) return undefined;
  const evaluator = createEvaluator({ task: 'fidelity', outputs });
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
