import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../../src/core/tensor.ts';
import { type GraphView, viewGraph } from '../../../../src/quantization/graph-view.ts';
import { insertQdq } from '../../../../src/quantization/insert-qdq.ts';
import { placeQuantization } from '../../../../src/quantization/placement.ts';
import { qdqSettings } from '../../../../src/quantization/qdq-settings.ts';
import type { StaticRecipe } from '../../../../src/quantization/recipe.ts';
import type { Draft } from '../../../../src/quantization/tuning/draft.ts';
import { learnedRounding } from '../../../../src/quantization/tuning/learned-rounding.ts';
import type { TuningTools } from '../../../../src/quantization/tuning/tuning-pass.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf, naiveRanges, recipeWith, sqnrDb } from '../../../support/quantize-in-memory.ts';
import { type Feeds, runModel, wavyFeed } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';

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

const LEARNED: readonly Feeds[] = [{ x: wavyFeed(1, 1, 6, 6) }];

async function draftOf(view: GraphView, recipe: StaticRecipe): Promise<Draft> {
  const placement = placeQuantization(view, recipe);
  const ranges = await naiveRanges(view.model, new Set(placement.edges.values()), LEARNED);
  return { view, placement, ranges, constants: new Map() };
}

function toolsFor(recipe: StaticRecipe): TuningTools {
  const unused = () => {
    throw new Error('the pass needs no such tool');
  };
  return {
    recipe,
    settle: unused,
    judge: unused,
    quantize: ({ view, ranges, constants }) => {
      const copy = viewGraph(copyOf(view.model));
      const placement = placeQuantization(copy, recipe);
      unwrap(insertQdq(copy, placement, ranges, { ...qdqSettings(recipe), constants }));
      return copy.model;
    },
    learn: async function* (observing) {
      for (const [sample, feeds] of LEARNED.entries()) {
        const outputs = (await runModel(observing, feeds)) as unknown as NamedTensors;
        yield { sample, feeds: {}, outputs };
      }
    },
  };
}

async function tunedAndNot(recipe: StaticRecipe, given = alikeChannels()) {
  const view = viewGraph(given);
  const draft = await draftOf(view, recipe);
  const tools = toolsFor(recipe);
  const step = await learnedRounding.run(draft, tools);
  const unseen = { x: wavyFeed(1, 1, 6, 6) };
  const reference = await runModel(given, unseen);
  const sqnrOf = async (one: Draft) => sqnrDb(reference, await runModel(tools.quantize(one), unseen));
  return {
    step,
    nearestDb: await sqnrOf(draft),
    learnedDb: step.draft === undefined ? undefined : await sqnrOf(step.draft),
  };
}

describe('learnedRounding', () => {
  it.each([
    ['a scale a channel', {}, 1],
    ['one scale a tensor', { perTensor: true }, 2],
  ])('keeps errors of nearly equal inputs from adding up, with %s', async (_, settings, changed) => {
    const { step, nearestDb, learnedDb } = await tunedAndNot(recipeWith({ reduceRange: true, ...settings }));
    expect(step.changed).toBe(changed);
    expect(learnedDb).toBeGreaterThan(nearestDb + 3);
  });

  it('does nothing where all weights lie on their grid already', async () => {
    const { step } = await tunedAndNot(recipeWith(), alikeChannels({ step: 1 / 127 }));
    expect(step).toEqual({
      changed: 0,
      reason: 'weights of 0 layers rounded by their inputs, 2 lie on their grid already',
    });
  });
});
