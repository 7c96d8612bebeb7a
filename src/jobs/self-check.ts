import { ProblemError, problem } from '../core/problem.ts';
import { evaluateModels } from './evaluate-models.ts';
import type { QuantizeReport, QuantizeTask } from './quantize-task.ts';
import type { TaskContext } from './task-context.ts';

const SELF_CHECK_SAMPLES = 8;

/**
 * Computes the first calibration samples with the original and the quantized model, before the latter is published.
 * Throws `ProblemError` `quantized-model-unusable` when the quantized model fails, or gives NaN or infinity where the
 * original does not. A low SQNR is no failure here: that is for an evaluation to judge.
 */
export async function selfCheck(
  task: QuantizeTask,
  candidatePath: string,
  { clock }: TaskContext,
): Promise<QuantizeReport['selfCheck']> {
  const [result] = await evaluateModels(
    {
      kind: 'evaluate',
      reference: { variant: 'original', path: task.modelPath },
      candidates: [{ variant: 'quantized', path: candidatePath }],
      dataPath: task.dataPath,
      split: task.split,
      samples: Math.min(SELF_CHECK_SAMPLES, task.recipe.calibration.samples ?? SELF_CHECK_SAMPLES),
      task: 'fidelity',
      budget: {},
      threads: task.threads,
    },
    { clock, emit: () => {} },
  );
  if (result === undefined) throw new Error('the self-check compared nothing');
  if (result.verdict === 'invalid') {
    throw new ProblemError(
      problem('quantized-model-unusable', `the quantized model is not usable: ${result.verdictReason}`, {
        place: { file: task.modelPath },
        hint: 'nothing was written; exclude nodes with --exclude, or check the calibration data',
      }),
    );
  }
  return { samples: result.n, sqnrDb: result.sqnrDb };
}
