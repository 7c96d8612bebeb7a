import { describe, expect, it } from 'vitest';
import type { StaticRecipe } from '../../../../src/quantization/recipe.ts';
import { learnedRounding } from '../../../../src/quantization/tuning/learned-rounding.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { type Feeds, wavyFeed } from '../../../support/run-model.ts';
import { tuningTools } from '../../../support/tuning-tools.ts';

const CHANNELS = 48;
const wave = (count: number, pitch: number) =>
  Array.from({ length: count }, (_, i) => Math.sin(i * pitch + 0.4));

/** A picture becomes channels that are nearly alike, and these are mixed. `step`: all mixing weights are multiples of it. */
function alikeChannels({ step = 0 } = {}) {
  const mixing = wave(3 * CHANNELS, 2.7).map((weight) =>
    step === 0 ? weight : Math.round(weight / step) * step,
  );
  return model(
    graph({
      inputs: [value('x', 'float', [1, 1, 6, 6])],
      nodes: [
        node('Conv', ['x', 'spread', 'b'], ['alike']),
        node('Relu', ['alike'], ['h']),
        node('Conv', ['h', 'mixing', 'c'], ['m']),
        node('Sigmoid', ['m'], ['y']),
      ],
      outputs: [value('y', 'float')],
      initializers: [
        tensor(
          'spread',
          [CHANNELS, 1, 1, 1],
          wave(CHANNELS, 1.3).map((w) => 1 + 0.02 * w),
        ),
        tensor(
          'b',
          [CHANNELS],
          wave(CHANNELS, 0.9).map((b) => 1 + 0.1 * b),
        ),
        tensor('mixing', [3, CHANNELS, 1, 1], mixing),
        tensor('c', [3], [0.1, -0.2, 0.3]),
      ],
    }),
  );
}

const SAMPLES: readonly Feeds[] = [{ x: wavyFeed(1, 1, 6, 6) }];

async function tunedAndNot(settings: Partial<StaticRecipe>, given = alikeChannels()) {
  const tools = tuningTools(given, { learn: SAMPLES, judge: SAMPLES }, settings);
  const draft = await tools.draft();
  const step = await learnedRounding.run(draft, tools);
  return {
    step,
    nearestDb: await tools.judge(draft),
    learnedDb: step.draft === undefined ? undefined : await tools.judge(step.draft),
  };
}

describe('learnedRounding', () => {
  it.each([
    ['a scale a channel', {}, 1],
    ['one scale a tensor', { perTensor: true }, 2],
  ])('keeps errors of nearly equal inputs from adding up, with %s', async (_, settings, changed) => {
    const { step, nearestDb, learnedDb } = await tunedAndNot({ reduceRange: true, ...settings });
    expect(step.changed).toBe(changed);
    expect(learnedDb).toBeGreaterThan(nearestDb + 3);
  });

  it('does nothing where all weights lie on their grid already', async () => {
    const { step } = await tunedAndNot({}, alikeChannels({ step: 1 / 127 }));
    expect(step).toEqual({
      changed: 0,
      reason: 'weights of 0 layers rounded by their inputs, 2 lie on their grid already',
    });
  });
});
