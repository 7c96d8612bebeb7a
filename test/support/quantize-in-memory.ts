import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { expect } from 'vitest';
import type { GraphProto, ValueInfoProto } from '../../src/onnx/messages.ts';
import { decodeModel, encodeModel, type OnnxModel } from '../../src/onnx/model-file.ts';
import { eliminateDead } from '../../src/onnx/passes/eliminate-dead.ts';
import { nameNodes } from '../../src/onnx/passes/name-nodes.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import type { IntegerRange, ValueRange } from '../../src/quantization/affine.ts';
import { viewGraph } from '../../src/quantization/graph-view.ts';
import { insertQdq } from '../../src/quantization/insert-qdq.ts';
import { type Placement, placeQuantization } from '../../src/quantization/placement.ts';
import { qdqSettings } from '../../src/quantization/qdq-settings.ts';
import { STATIC_INT8, type StaticRecipe } from '../../src/quantization/recipe.ts';
import { graphOf } from './chain.ts';
import { type Feeds, runModel } from './run-model.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { unwrap } from './unwrap.ts';

/** A recipe that differs from the default in what is named. */
export function recipeWith(more: Partial<StaticRecipe> = {}): StaticRecipe {
  return { ...STATIC_INT8, reduceRange: false, ...more };
}

/** A model of its own with the same content. */
export function copyOf(model: OnnxModel): OnnxModel {
  return unwrap(decodeModel(unwrap(encodeModel(model))));
}

/** The extremes of `tensors`, the naive way: every tensor becomes an output and is read as a whole. */
export async function naiveRanges(
  model: OnnxModel,
  tensors: Iterable<string>,
  samples: readonly Feeds[],
): Promise<Map<string, ValueRange>> {
  const observed = copyOf(model);
  const graph = graphOf(observed);
  const given = new Set([...graph.input, ...graph.output].map(({ name }) => name));
  const names = [...tensors];
  for (const name of names) if (!given.has(name)) graph.output.push({ name, metadataProps: [] });
  const ranges = new Map<string, ValueRange>();
  for (const feeds of samples) {
    const results = await runModel(observed, feeds);
    for (const name of names) {
      let { min, max } = ranges.get(name) ?? { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
      const values = (results[name] ?? feeds[name])?.data;
      if (!(values instanceof Float32Array)) throw new Error(`${name} is no float tensor`);
      for (const value of values) {
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
      ranges.set(name, { min, max });
    }
  }
  return ranges;
}

export interface QuantizedInMemory {
  /** What `prepareModel` made of the model, before quantization. */
  readonly prepared: OnnxModel;
  readonly quantized: OnnxModel;
  readonly placement: Placement;
}

/** Quantizes a copy of `given` with the room's functions and exact ranges over `samples`. */
export async function quantizeInMemory(
  given: OnnxModel,
  samples: readonly Feeds[],
  { recipe = recipeWith(), grid }: { readonly recipe?: StaticRecipe; readonly grid?: IntegerRange } = {},
): Promise<QuantizedInMemory> {
  const quantized = copyOf(given);
  unwrap(await prepareModel(quantized));
  nameNodes(quantized);
  const prepared = copyOf(quantized);
  const view = viewGraph(quantized);
  const placement = placeQuantization(view, recipe);
  const ranges = await naiveRanges(quantized, new Set(placement.edges.values()), samples);
  const settings = qdqSettings(recipe);
  const weights = grid === undefined ? settings.weights : { ...settings.weights, grid };
  unwrap(insertQdq(view, placement, ranges, { ...settings, weights }));
  eliminateDead(quantized);
  return { prepared, quantized, placement };
}

type Results = Awaited<ReturnType<typeof runModel>>;

/** Signal-to-noise ratio in dB of one run's results against another's, over all float outputs; infinite when equal. */
export function sqnrDb(reference: Results, candidate: Results): number {
  let signal = 0;
  let noise = 0;
  for (const [name, { data }] of Object.entries(reference)) {
    if (!(data instanceof Float32Array)) continue;
    const other = candidate[name]?.data as Float32Array;
    expect(other.length, name).toBe(data.length);
    data.forEach((value, index) => {
      signal += value ** 2;
      noise += (value - (other[index] ?? Number.NaN)) ** 2;
    });
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** Checks that inputs and outputs have the names, types and shapes, in the order, that they had. */
export function expectSamePorts(before: OnnxModel, after: OnnxModel): void {
  const ports = (values: readonly ValueInfoProto[]) => values.map(({ name, type }) => ({ name, type }));
  expect(ports(graphOf(after).input)).toEqual(ports(graphOf(before).input));
  expect(ports(graphOf(after).output)).toEqual(ports(graphOf(before).output));
}

/** Runs a model as it runs in production: with all optimizations, so fused where the runtime can. */
export function runOptimized(model: OnnxModel, feeds: Feeds): Promise<Results> {
  return runModel(model, feeds, 'all');
}

/** The graph that ONNX Runtime makes of a model with its fusions, before it picks memory layouts. */
export async function optimizedGraph(model: OnnxModel): Promise<GraphProto> {
  const optimizedModelFilePath = join(temporaryFolder(), 'optimized.onnx');
  const session = await InferenceSession.create(unwrap(encodeModel(model)), {
    graphOptimizationLevel: 'extended',
    optimizedModelFilePath,
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  await session.release();
  return graphOf(unwrap(decodeModel(readFileSync(optimizedModelFilePath))));
}
