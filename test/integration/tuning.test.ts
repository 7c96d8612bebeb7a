import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import type { NamedTensors } from '../../src/core/tensor.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import { openTaskData } from '../../src/jobs/task-data.ts';
import { divideSamples } from '../../src/jobs/tuning-samples.ts';
import { encodeModel, readModel } from '../../src/onnx/model-file.ts';
import { viewGraph } from '../../src/quantization/graph-view.ts';
import { completeRecipe, type RecipeRequest } from '../../src/quantization/recipe.ts';
import { graph, model, node, tensor, value } from '../support/graph-builder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';
import { float32Npy, npz } from '../unit/data/npz-writer.ts';

const TUNED = { format: 'static-int8', tune: 'fast', latencyGate: 'off' } as const;

/** Quantizes in this process, as a worker does. */
function quantize(modelPath: string, dataPath: string, request: RecipeRequest) {
  const task = {
    kind: 'quantize',
    modelPath,
    outputPath: join(temporaryFolder(), 'quantized.onnx'),
    data: { spec: { path: dataPath }, split: 'calib' },
    recipe: completeRecipe(request),
    threads: 1,
  } as const;
  return attemptAsync(() => quantizeModel(task, { clock: systemClock, emit: () => {} }));
}

/** A file with as many samples of one pixel in each split as there are values. */
function pixels(splits: Readonly<Record<string, readonly number[]>>): string {
  const path = join(temporaryFolder(), 'data.npz');
  const arrays = Object.entries(splits).map(
    ([split, values]) => [`${split}/x`, float32Npy([values.length, 1, 1, 1], values)] as const,
  );
  writeFileSync(path, npz(Object.fromEntries(arrays)));
  return path;
}

/** y = 3x + 1 and y = −2x, of pictures of one pixel. */
function pixelModel(): string {
  const path = join(temporaryFolder(), 'pixel.onnx');
  const given = model(
    graph({
      inputs: [value('x', 'float', [1, 1, 1, 1])],
      nodes: [node('Conv', ['x', 'w', 'b'], ['y'])],
      outputs: [value('y', 'float', [1, 2, 1, 1])],
      initializers: [tensor('w', [2, 1, 1, 1], [3, -2]), tensor('b', [2], [1, 0])],
    }),
  );
  writeFileSync(path, unwrap(encodeModel(given)));
  return path;
}

/** What calibration found of the largest pixel, which a grid of 255 steps from 0 on holds. */
function largestPixel(quantizedPath: string): number {
  const quantized = unwrap(readModel(quantizedPath));
  const view = viewGraph(quantized);
  const scale = view.index.initializers.get('x_scale');
  if (scale === undefined) throw new Error('the input has no scale');
  return (view.readFloats(scale)[0] ?? Number.NaN) * 255;
}

/** Which pixels learn and which judge. */
async function dividedPixels(dataPath: string, split: string) {
  const ports = { inputs: [{ name: 'x', type: 'float32', dims: [1, 1, 1, 1] }], outputs: [] } as const;
  const source = await openTaskData({ spec: { path: dataPath }, split }, ports, {});
  const samples = await divideSamples(source);
  const valuesOf = async (side: AsyncIterable<{ readonly feeds: NamedTensors }>) => {
    const values: number[] = [];
    for await (const { feeds } of side) values.push(Number(feeds['x']?.data[0]));
    return values;
  };
  const divided = { learn: await valuesOf(samples.learn()), judge: await valuesOf(samples.judge()) };
  await source.close();
  return divided;
}

/** Tunes on pixels of which the largest judges: the first numbering under which it does. */
async function tunedByLargest(more: Partial<RecipeRequest>) {
  let values: readonly number[] = [];
  let divided: Awaited<ReturnType<typeof dividedPixels>> = { learn: [], judge: [] };
  for (let start = 1; !divided.judge.includes(Math.max(...values)); start++) {
    values = Array.from({ length: 12 }, (_, index) => start + index);
    divided = await dividedPixels(pixels({ calib: values }), 'calib');
  }
  const request = { ...TUNED, calibration: { method: 'minmax' }, ...more } as const;
  return {
    values,
    divided,
    report: unwrap(await quantize(pixelModel(), pixels({ calib: values }), request)),
  };
}

describe('tuning', () => {
  it('learns from one part of the calibration split and judges by another', async () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 9];
    const { learn, judge } = await dividedPixels(pixels({ calib: values }), 'calib');
    expect([...learn, ...judge].sort((a, b) => a - b)).toEqual(values.toSorted((a, b) => a - b));
    expect(judge.length).toBeGreaterThanOrEqual(3);
    expect(learn.filter((pixel) => judge.includes(pixel))).toEqual([]);
  });

  it('judges ranges that were found on no sample that judges, and writes them where there is a goal', async () => {
    const { values, divided, report } = await tunedByLargest({ tune: 'none', minSqnrDb: 1 });
    expect(report.tuning?.samples).toEqual({ learn: divided.learn.length, judge: divided.judge.length });
    expect(report.calibration?.samples).toBe(divided.learn.length);
    expect(report.tuning?.rangesOfAll).toBeUndefined();
    expect(largestPixel(report.output)).toBeCloseTo(Math.max(...divided.learn), 4);
    expect(Math.max(...divided.learn)).toBeLessThan(Math.max(...values));
    // What judges is cut off, and that is seen.
    expect(report.tuning?.sqnrDb.before).toBeLessThan(35);
  });

  it('writes ranges of all samples once the last pass is judged, whose figure stays as it was', async () => {
    const { values, report } = await tunedByLargest({});
    expect(report.tuning?.sqnrDb.after).toBeLessThan(35);
    expect(report.tuning?.rangesOfAll).toBeGreaterThan(0);
    expect(report.calibration?.samples).toBe(values.length);
    expect(largestPixel(report.output)).toBeCloseTo(Math.max(...values), 4);
  });

  it('never looks at the split that models are evaluated on', async () => {
    const calib = [1, 2, 3, 4, 5, 6, 7, 8];
    const bytes: Buffer[] = [];
    for (const evaluated of [
      [1, 2, 3],
      [Number.NaN, 1e30, -5],
    ]) {
      const report = unwrap(await quantize(pixelModel(), pixels({ calib, eval: evaluated }), TUNED));
      bytes.push(readFileSync(report.output));
    }
    expect(bytes[0]?.equals(bytes[1] as Buffer)).toBe(true);
  });

  it.each([
    ['too-few-samples', { calib: [4, 4, 4] }],
    ['too-few-samples', { calib: [4] }],
  ])('says %s of samples that are all alike', async (kind, splits) => {
    const refused = await quantize(pixelModel(), pixels(splits), TUNED);
    expect(refused).toMatchObject({ ok: false, error: { kind } });
  });
});

describe('a goal for the SQNR of the outputs', () => {
  const data = () => pixels({ calib: [1, 2, 3, 4, 5, 6, 7, 8] });
  const untuned = { ...TUNED, tune: 'none' } as const;

  it('is sought without other tuning, and nothing is changed where it is reached', async () => {
    const report = unwrap(await quantize(pixelModel(), data(), { ...untuned, minSqnrDb: 20 }));
    expect(report.tuning?.passes).toMatchObject([{ pass: 'mixed-precision', changed: 0, kept: false }]);
    expect(report.warnings).toEqual([]);
  });

  it('is reported as missed where it is out of reach, and the model is written all the same', async () => {
    const report = unwrap(await quantize(pixelModel(), data(), { ...untuned, minSqnrDb: 100 }));
    expect(report.warnings).toEqual([expect.stringMatching(/^the goal of 100 dB SQNR is missed: \d/)]);
    expect(report.ops.quantized).toBeGreaterThan(0);
  });
});
