import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { carryStates } from '../../src/data/carried-state.ts';
import { openSamples } from '../../src/data/open-samples.ts';
import { evaluateModels } from '../../src/jobs/evaluate-models.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import { completeRecipe, type RecipeRequest } from '../../src/quantization/recipe.ts';
import { openSession } from '../../src/runtime/session.ts';
import { findRealModels, listRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { writeSileroData } from '../support/silero-vad.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const realModels = findRealModels();
const silero = listRealModels(realModels).find(({ name }) => name === 'silero_vad_16k_op15.onnx');
const states = [{ output: 'stateN', input: 'state' }];
const context = { clock: systemClock, emit: () => {} };

/** Share of chunks that are more likely speech than not, with the state carried through all of them. */
async function speechShare(modelPath: string, dataPath: string): Promise<number> {
  const session = unwrap(await openSession(modelPath, { intraOpThreads: 1 }));
  const ports = { modelInputs: session.inputs, modelOutputs: session.outputs };
  const source = unwrap(await openSamples({ path: dataPath }, { split: 'eval', ...ports, states }));
  const run = carryStates(session.run, states);
  let speech = 0;
  for await (const { feeds } of source.samples()) {
    if (Number((await run(feeds))['output']?.data[0]) > 0.5) speech += 1;
  }
  await source.close();
  await session.close();
  return speech / source.count;
}

describe('silero_vad, whose state is carried through a minute of speech', () => {
  skipWithoutRealModels(realModels);
  if (silero === undefined) return;
  const { path: modelPath } = silero;

  /** The least SQNR over all chunks, which is what was measured less a little, and how far the share may move. */
  it.each<[RecipeRequest['format'], { readonly sqnrDb: number; readonly share: number }]>([
    ['float16', { sqnrDb: 65, share: 0.001 }],
    ['static-int8', { sqnrDb: 22, share: 0.01 }],
  ])('becomes %s and hears the same', async (format, { sqnrDb, share }) => {
    const folder = temporaryFolder();
    const dataPath = join(folder, 'silero.npz');
    const { chunks } = writeSileroData(dirname(modelPath), dataPath);
    expect(chunks).toBe(1874);
    const outputPath = join(folder, 'quantized.onnx');
    const recipe = completeRecipe({ format, latencyGate: 'off' });
    const data = { spec: { path: dataPath }, split: 'calib' };
    const report = await quantizeModel(
      { kind: 'quantize', modelPath, outputPath, data, recipe, threads: 1, states },
      context,
    );
    expect(report.selfCheck).toMatchObject({ on: 'data', samples: 8 });

    const [evaluation] = await evaluateModels(
      {
        kind: 'evaluate',
        reference: { variant: 'fp32', path: modelPath },
        candidates: [{ variant: format, path: outputPath }],
        data: { spec: { path: dataPath }, split: 'eval' },
        task: { name: 'fidelity', settings: {} },
        budget: {},
        threads: 1,
        states,
      },
      context,
    );
    expect(evaluation).toMatchObject({ n: chunks });
    expect(evaluation?.sqnrDb).toBeGreaterThan(sqnrDb);
    const float32 = await speechShare(modelPath, dataPath);
    expect(float32).toBeCloseTo(0.774, 3);
    expect(Math.abs((await speechShare(outputPath, dataPath)) - float32)).toBeLessThan(share);
  });
});
