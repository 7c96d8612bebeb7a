import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../../src/core/tensor.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { completeRecipe, type RecipeRequest } from '../../../../src/quantization/recipe.ts';
import { multiplyHere } from '../../../../src/quantization/reconstruction/matrix-product.ts';
import { learnCodes } from '../../../../src/quantization/weight-only/learn-codes.ts';
import { quantizeWeightsOnly } from '../../../../src/quantization/weight-only/quantize-weights-only.ts';
import type { WeightOnlyRecipe } from '../../../../src/quantization/weight-only/recipe.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf, sqnrDb } from '../../../support/quantize-in-memory.ts';
import { type Feeds, floatFeed, runModel } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';

const ROWS = 24;
const K = 80;
const N = 6;
const wave = (count: number, pitch: number) =>
  Array.from({ length: count }, (_, i) => Math.sin(i * pitch + 0.4));

/** Rows of inputs that are nearly alike along K. */
function alike(pitch: number): Feeds {
  const data = wave(ROWS, pitch).flatMap((level, row) =>
    wave(K, 1.9 + 0.01 * row).map((own) => level + 0.1 * own),
  );
  return { x: floatFeed([ROWS, K], data) };
}

function product({ transposed = false } = {}): OnnxModel {
  const dims = transposed ? [N, K] : [K, N];
  return model(
    graph({
      inputs: [value('x', 'float', [ROWS, K])],
      nodes: [
        transposed ? node('Gemm', ['x', 'w'], ['y'], { transB: 1 }) : node('MatMul', ['x', 'w'], ['y']),
      ],
      outputs: [value('y', 'float')],
      initializers: [tensor('w', dims, wave(K * N, 2.3))],
    }),
  );
}

const LEARNED = [alike(1.1), alike(0.7)];

async function quantized(given: OnnxModel, request: Omit<RecipeRequest, 'format'>, samples = LEARNED) {
  const recipe = completeRecipe({ format: 'weight-int4', accuracyLevel: 0, ...request }) as WeightOnlyRecipe;
  const copy = copyOf(given);
  const view = viewGraph(copy);
  const learned =
    recipe.algorithm === 'gptq'
      ? await learnCodes(
          view,
          recipe,
          async function* (observing) {
            for (const feeds of samples)
              yield { outputs: (await runModel(observing, feeds)) as unknown as NamedTensors };
          },
          multiplyHere,
        )
      : new Map();
  unwrap(quantizeWeightsOnly(view, recipe, learned));
  return { copy, learned };
}

async function accuracyDb(given: OnnxModel, request: Omit<RecipeRequest, 'format'>): Promise<number> {
  const { copy } = await quantized(given, request);
  const unseen = alike(0.9);
  return sqnrDb(await runModel(given, unseen), await runModel(copy, unseen));
}

describe('learnCodes', () => {
  it.each([
    ['MatMulNBits', {}],
    ['DequantizeLinear', { form: 'dequantize' }],
    ['a symmetric grid', { symmetric: true }],
    ['blocks that end within K', { blockSize: 64 }],
  ] as const)('keeps errors of inputs that are alike from adding up, with %s', async (_, settings) => {
    for (const given of [product(), product({ transposed: true })]) {
      const nearest = await accuracyDb(given, { ...settings, algorithm: 'rtn' });
      const learned = await accuracyDb(given, { ...settings, algorithm: 'gptq' });
      expect(learned).toBeGreaterThan(nearest + 6);
    }
  });

  it('changes nothing but codes and scales: the model is that of rounding to nearest otherwise', async () => {
    const { copy } = await quantized(product(), { algorithm: 'gptq' });
    const { copy: nearest } = await quantized(product(), { algorithm: 'rtn' });
    const shape = ({ proto }: OnnxModel) =>
      proto.graph?.initializer.map(({ name, dims, dataType }) => ({ name, dims, dataType }));
    expect(shape(copy)).toEqual(shape(nearest));
    expect(copy.proto.graph?.node).toEqual(nearest.proto.graph?.node);
  });

  it('learns nothing from inputs that are always 0, and rounds to nearest then', async () => {
    const zeros = [{ x: floatFeed([ROWS, K], Array(ROWS * K).fill(0)) }];
    const { copy, learned } = await quantized(product(), { algorithm: 'gptq' }, zeros);
    expect(learned.size).toBe(0);
    const { copy: nearest } = await quantized(product(), { algorithm: 'rtn' });
    expect(copy.proto.graph?.initializer).toEqual(nearest.proto.graph?.initializer);
  });
});
