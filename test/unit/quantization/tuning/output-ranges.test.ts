import { describe, expect, it } from 'vitest';
import type { ValueRange } from '../../../../src/quantization/affine.ts';
import { createHistogram } from '../../../../src/quantization/calibration/histogram.ts';
import { mseRange } from '../../../../src/quantization/calibration/mse-range.ts';
import type { StaticRecipe } from '../../../../src/quantization/recipe.ts';
import type { Draft } from '../../../../src/quantization/tuning/draft.ts';
import { outputRanges } from '../../../../src/quantization/tuning/output-ranges/output-ranges.ts';
import {
  lowerEnds,
  nearbyEnds,
  upperEnds,
} from '../../../../src/quantization/tuning/output-ranges/range-candidates.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed } from '../../../support/run-model.ts';
import { tuningTools } from '../../../support/tuning-tools.ts';

/** Values of a channel that is busy between -1 and 1, and of one that is silent but for a single 20. */
const pixels = (phase: number) => [
  ...Array.from({ length: 1024 }, (_, at) => Math.sin(at * 1.7 + phase)),
  ...Array.from({ length: 1024 }, (_, at) => (at === 100 * phase ? 20 : 0)),
];
const picture = (phase: number) => ({ x: floatFeed([1, 2, 32, 32], pixels(phase)) });
const SAMPLES = { learn: [1, 2, 3].map(picture), judge: [picture(5)] };

/** What the method `mse` makes of such values where there are many of them: it knows of no channels and no readers. */
const byItself = (): ValueRange => {
  const histogram = createHistogram();
  for (const phase of [1, 2, 3]) {
    const values = Float32Array.from(pixels(phase));
    histogram.add(values.subarray(0, 1024), 1, 2000);
    histogram.add(values.subarray(1024), 1, 1);
  }
  return mseRange(histogram.snapshot());
};

/** @param weights what the busy and the silent channel are multiplied with */
const net = (weights: readonly number[]) =>
  model(
    graph({
      inputs: [value('x', 'float', [1, 2, 32, 32])],
      nodes: [node('Conv', ['x', 'w'], ['c']), node('Sigmoid', ['c'], ['y'])],
      outputs: [value('y', 'float')],
      initializers: [tensor('w', [1, 2, 1, 1], weights)],
    }),
  );

/** Both channels pass through a Conv as they are; what comes after it ends in `r`, of which a Conv reads the busy one. */
const passedOn = (nodes: Parameters<typeof graph>[0]['nodes'], outputs: readonly string[] = []) =>
  model(
    graph({
      inputs: [value('x', 'float', [1, 2, 32, 32])],
      nodes: [
        node('Conv', ['x', 'identity'], ['c']),
        ...nodes,
        node('Conv', ['r', 'w'], ['d']),
        node('Sigmoid', ['d'], ['y']),
      ],
      outputs: ['y', ...outputs].map((name) => value(name, 'float')),
      initializers: [tensor('identity', [2, 2, 1, 1], [1, 0, 0, 1]), tensor('w', [1, 2, 1, 1], [0.5, 0])],
    }),
  );

async function tuned(
  given: ReturnType<typeof net>,
  ranges: Readonly<Record<string, ValueRange>>,
  settings: Partial<StaticRecipe> = {},
) {
  const tools = tuningTools(given, SAMPLES, settings);
  const found = await tools.draft();
  const draft: Draft = { ...found, ranges: new Map([...found.ranges, ...Object.entries(ranges)]) };
  const step = await outputRanges.run(draft, tools);
  const judge = async (of: Draft | undefined) => (of === undefined ? Number.NaN : tools.judge(of));
  return {
    step,
    rangeOf: (name: string) => step.draft?.ranges.get(name),
    gainDb: (await judge(step.draft)) - (await judge(draft)),
  };
}

describe('outputRanges', () => {
  it('keeps rare large values that are all that is read', async () => {
    const x = byItself();
    expect(x.max).toBeLessThan(10);
    const { rangeOf, gainDb } = await tuned(net([0.001, 0.25]), { x });
    expect(rangeOf('x')?.max).toBeCloseTo(20, 0);
    expect(gainDb).toBeGreaterThan(20);
  });

  it('cuts off large values that nobody reads', async () => {
    const { rangeOf, gainDb } = await tuned(net([0.5, 0]), { x: { min: -1, max: 20 } });
    expect(rangeOf('x')?.max).toBeLessThan(8);
    expect(gainDb).toBeGreaterThan(5);
  });

  it('leaves ranges alone that serve what reads them', async () => {
    const { step } = await tuned(net([0.5, 0]), { x: { min: -1, max: 1 } });
    expect(step).toEqual({ changed: 0, reason: 'no other range serves what reads it better' });
  });

  it('goes by what reads codes behind the nodes that hand them on', async () => {
    const nodes = [node('Relu', ['c'], ['p']), node('MaxPool', ['p'], ['r'], { kernel_shape: [1, 1] })];
    const { step, rangeOf } = await tuned(passedOn(nodes), { p: { min: 0, max: 20 } });
    expect(step.draft?.placement.edges.get('r')).toBe('p');
    expect(rangeOf('p')?.max).toBeLessThan(8);
    expect(rangeOf('p')?.min).toBe(0);
  });

  it('goes by what stays float32, too, where that reads rounded values', async () => {
    const relu = node('Relu', ['c'], ['r']);
    const ranges = { r: { min: 0, max: 4 } };
    expect((await tuned(passedOn([relu]), ranges)).rangeOf('r')?.max).toBeLessThan(4);
    const alsoFloat = passedOn([relu, node('Sigmoid', ['r'], ['z'])], ['z']);
    expect((await tuned(alsoFloat, ranges)).rangeOf('r')?.max).toBeGreaterThan(15);
  });

  it.each<[string, Partial<StaticRecipe>]>([
    ['symmetric', { target: 'tensorrt', activations: 'int8' }],
    ['of 16 bits', { format: 'static-int16', activations: 'uint16' }],
  ])('works on grids that are %s', async (_, settings) => {
    const { rangeOf, gainDb } = await tuned(net([0.001, 0.25]), { x: { min: -1, max: 2 } }, settings);
    expect(rangeOf('x')?.max).toBeGreaterThan(17);
    expect(gainDb).toBeGreaterThan(20);
  });
});

describe('ends that are tried', () => {
  it('go from narrower ones in equal ratios to what was seen', () => {
    const tried = upperEnds({ min: -1, max: 1 }, { min: -7, max: 16 });
    expect(tried.slice(-4).map(({ max }) => max)).toEqual([2, 4, 8, 16]);
    expect(tried.slice(0, -4).every(({ max }) => max < 1)).toBe(true);
    expect(tried.every(({ min }) => min === -1)).toBe(true);
    expect(lowerEnds({ min: -1, max: 1 }, { min: -16, max: 1 })).toEqual(
      tried.map(({ max }) => ({ min: -max, max: 1 })),
    );
  });

  it('stay at 0, and do not go beyond what was seen', () => {
    const range = { min: 0, max: 3 };
    const tried = [upperEnds, lowerEnds, nearbyEnds].flatMap((candidates) => candidates(range, range));
    expect(tried.length).toBeGreaterThan(0);
    expect(tried.every(({ min, max }) => min === 0 && max < 3)).toBe(true);
  });

  it('are at last moved by little, one after the other', () => {
    const range = { min: -2, max: 3 };
    const tried = nearbyEnds(range, { min: -9, max: 9 });
    expect(tried.length).toBe(4);
    expect(tried.every(({ min, max }) => (min === range.min) !== (max === range.max))).toBe(true);
  });
});
