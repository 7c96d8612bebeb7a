import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../src/config/load-profiles.ts';
import { systemClock } from '../../src/core/clock.ts';
import { evaluateModels } from '../../src/jobs/evaluate-models.ts';
import type { EvaluateTask, ModelEvaluation } from '../../src/jobs/evaluate-task.ts';
import { findRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { realProfileNames, writeRealProfile } from '../support/real-profiles.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const models = findRealModels();

/** Evaluates the float32 model of a profile against itself, on its own data as the profile prepares it. */
async function evaluateOriginal(name: string, more: Partial<EvaluateTask> = {}): Promise<ModelEvaluation> {
  const loaded = await loadProfile(writeRealProfile(name, models.directory ?? '', temporaryFolder()));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const { model, data, task, budget } = loaded.value;
  const [evaluation] = await evaluateModels(
    {
      kind: 'evaluate',
      reference: { variant: 'fp32', path: model },
      candidates: [{ variant: 'fp32', path: model }],
      data: { spec: data.set, split: data.evaluation.split },
      task,
      budget,
      threads: 0,
      ...(data.states === undefined ? {} : { states: data.states }),
      ...more,
      ...(more.data === undefined ? {} : { data: { spec: data.set, split: more.data.split } }),
    },
    { clock: systemClock, emit: () => {} },
  );
  return evaluation as ModelEvaluation;
}

/** The whole of the data, whatever the profile splits it into. */
const ALL = { data: { spec: { path: '' }, split: 'all' } };

describe('the profiles of the real models', () => {
  skipWithoutRealModels(models);

  it.skipIf(models.directory === undefined)('load without a problem', async () => {
    for (const name of realProfileNames()) {
      const loaded = await loadProfile(writeRealProfile(name, models.directory ?? '', temporaryFolder()));
      expect(loaded, name).toMatchObject({ ok: true, value: { name } });
    }
  });

  it.skipIf(models.directory === undefined).each([
    ['squeezenet1_1', 300, 0.56, 0.813],
    ['mobilenetv2_imagenet', 300, 0.823, 0.967],
    ['resnet20_cifar10', 1000, 0.81, 0.986],
    ['mnist_cntk', 5000, 0.983, 1],
    ['kwt1_mfcc', 70, 0.986, 1],
    ['kwt1_wave', 70, 0.986, 1],
  ])('%s reaches the accuracy that is known of it', async (name, n, top1, top5) => {
    const isWhole = name.startsWith('kwt1') || name.startsWith('resnet20');
    const evaluation = await evaluateOriginal(name, isWhole ? {} : ALL);
    expect(evaluation).toMatchObject({ n, identical: true, agreement: 1 });
    // The known figures have three digits.
    expect(evaluation.top1).toBeCloseTo(top1, 3);
    expect(evaluation.top5).toBeCloseTo(top5, 3);
  });

  it.skipIf(models.directory === undefined)('silero_vad hears speech where it is known to', async () => {
    const evaluation = await evaluateOriginal('silero_vad');
    const share = evaluation.figures?.find(({ name }) => name === 'positive_share');
    // 1,875 whole frames are in 60 seconds; the known figure leaves out the last one.
    expect(evaluation).toMatchObject({ n: 1875, groups: 1, agreement: 1 });
    expect(share?.value).toBeCloseTo(0.774, 3);
  });

  it.skipIf(models.directory === undefined).each(['ultraface_rfb320', 'nanodet_coco'])(
    '%s finds objects, the same ones in every run',
    async (name) => {
      const evaluation = await evaluateOriginal(name, ALL);
      const kept = evaluation.figures?.find((figure) => figure.name === 'agreement_map_50');
      expect(evaluation).toMatchObject({ n: name === 'nanodet_coco' ? 3 : 12, agreement: 1 });
      expect(kept?.value).toBe(1);
    },
  );
});
