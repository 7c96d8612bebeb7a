import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { NamedTensors } from '../../src/core/tensor.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import { openTaskData } from '../../src/jobs/task-data.ts';
import { readModel } from '../../src/onnx/model-file.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import { viewGraph } from '../../src/quantization/graph-view.ts';
import { completeRecipe, type RecipeRequest } from '../../src/quantization/recipe.ts';
import { openSession } from '../../src/runtime/session.ts';
import { DIGITS_DATA, DIGITS_MODEL } from '../support/program.ts';
import { skewedDigits, upToThousand } from '../support/skewed-digits.ts';
import { residualTensors, type Skew } from '../support/skewed-model.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const PLAIN = { format: 'static-int8', latencyGate: 'off', calibration: { method: 'minmax' } } as const;

async function quantize(modelPath: string, request: RecipeRequest): Promise<string> {
  const outputPath = join(temporaryFolder(), 'quantized.onnx');
  const task = {
    kind: 'quantize',
    modelPath,
    outputPath,
    data: { spec: { path: DIGITS_DATA }, split: 'calib' },
    recipe: completeRecipe({ ...request, calibration: { ...request.calibration, samples: 64 } }),
    threads: 1,
  } as const;
  await quantizeModel(task, { clock: systemClock, emit: () => {} });
  return outputPath;
}

/** The answers on the evaluation split. */
async function answers(path: string): Promise<readonly number[]> {
  const session = unwrap(await openSession(path, { intraOpThreads: 1 }));
  const source = await openTaskData({ spec: { path: DIGITS_DATA }, split: 'eval' }, session, {});
  const found: number[] = [];
  for await (const { feeds } of source.samples()) found.push(largestAt(await session.run(feeds)));
  await source.close();
  await session.close();
  return found;
}

function largestAt(outputs: NamedTensors): number {
  const values = outputs['logits']?.data as Float32Array;
  return values.indexOf(Math.max(...values));
}

function agreement(a: readonly number[], b: readonly number[]): number {
  return a.filter((answer, index) => answer === b[index]).length / a.length;
}

async function residualsOfDigits(): Promise<ReadonlySet<string>> {
  const digits = unwrap(readModel(DIGITS_MODEL));
  unwrap(await prepareModel(digits));
  return residualTensors(viewGraph(digits));
}

describe('a trained model whose channels were made hostile', () => {
  it.each<[string, () => Promise<Skew>]>([
    ['scales of channels skewed by up to 1000', async () => upToThousand],
    ['one channel of a hundred times in each tensor', async () => (_, channel) => (channel === 1 ? 100 : 1)],
    [
      'sums of residual blocks that one channel saturates',
      async () => {
        const residual = await residualsOfDigits();
        return (tensor, channel) => (residual.has(tensor) && channel === 2 ? 300 : 1);
      },
    ],
  ])('with %s, fails plainly quantized and comes back tuned', { timeout: 240_000 }, async (_, skewOf) => {
    const original = await answers(DIGITS_MODEL);
    const skewed = await skewedDigits(await skewOf());
    const float = await answers(skewed);
    // It is hostile to roundings, and to nothing else.
    expect(agreement(float, original)).toBeGreaterThan(0.998);
    const plain = agreement(await answers(await quantize(skewed, PLAIN)), float);
    const tuned = agreement(await answers(await quantize(skewed, { ...PLAIN, tune: 'fast' })), float);
    expect(plain).toBeLessThan(0.95);
    expect(tuned).toBeGreaterThanOrEqual(0.99);
  });
});
