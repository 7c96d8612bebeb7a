import type { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { decodeFloat16 } from '../../../../src/core/float16.ts';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { quantizeWeightsOnly } from '../../../../src/quantization/weight-only/quantize-weights-only.ts';
import type { WeightOnlyRecipe } from '../../../../src/quantization/weight-only/recipe.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf } from '../../../support/quantize-in-memory.ts';
import { float16Feed, float16Values, floatFeed, runModel } from '../../../support/run-model.ts';
import {
  bellValues,
  initializer,
  matMulModel,
  matrix,
  numbers,
  product,
  quantizeCopy,
  readMatMulNBits,
  recipeWith,
  relativeError,
} from './support.ts';

const ROWS = 5;

function nbitsOf(given: OnnxModel): NodeProto[] {
  return graphOf(given).node.filter(({ opType }) => opType === 'MatMulNBits');
}

/** Quantizes, runs it, and compares with x times the weights as stored. */
async function errorOfRuntime(given: OnnxModel, recipe: WeightOnlyRecipe): Promise<number> {
  const { quantized } = quantizeCopy(given, recipe);
  const stored = readMatMulNBits(quantized, nbitsOf(quantized)[0] as NodeProto);
  const x = bellValues(ROWS * stored.k, 99, 1);
  const { y } = await runModel(quantized, { x: floatFeed([ROWS, stored.k], x) });
  expect(y?.dims).toEqual([ROWS, stored.n]);
  return relativeError(y?.data as Float32Array, product(x, stored.dequantized, stored.k, stored.n));
}

describe('weights for MatMulNBits', () => {
  it.each([16, 32, 64, 128, 256])(
    'give the product of the stored weights, in blocks of %d',
    async (blockSize) => {
      for (const format of ['weight-int4', 'weight-int8'] as const) {
        for (const symmetric of [true, false]) {
          const recipe = recipeWith({ format, symmetric, blockSize });
          expect(await errorOfRuntime(matMulModel(matrix('w', 256, 9)), recipe)).toBeLessThan(1e-5);
        }
      }
    },
  );

  it.each([
    ['K is no multiple of the block', 75, 6],
    ['the last block holds one weight', 33, 4],
    ['N is 1', 64, 1],
    ['there are more columns than are gathered at a time', 48, 37],
  ])('give the product of the stored weights when %s', async (_, k, n) => {
    for (const symmetric of [true, false]) {
      for (const algorithm of ['rtn', 'hqq'] as const) {
        const recipe = recipeWith({ symmetric, algorithm });
        expect(await errorOfRuntime(matMulModel(matrix('w', k, n)), recipe)).toBeLessThan(1e-5);
      }
    }
  });

  it('lie near the weights of the model', () => {
    const given = matrix('w', 40, 7);
    const { quantized } = quantizeCopy(matMulModel(given), recipeWith({ format: 'weight-int8' }));
    const stored = readMatMulNBits(quantized, nbitsOf(quantized)[0] as NodeProto);
    expect(relativeError(stored.dequantized, numbers(matMulModel(given), 'w'))).toBeLessThan(0.005);
  });

  it('pack the first of two codes into the low half of a byte, and pad with zeros of the weights', () => {
    const weights = tensor('w', [18, 1], [-8, 7, ...Array(14).fill(0), 2, -16]);
    const { quantized } = quantizeCopy(matMulModel(weights), recipeWith());
    expect(numbers(quantized, 'w_quantized')).toEqual([
      0xf0,
      ...Array(7).fill(0x88),
      0x09,
      ...Array(7).fill(0x88),
    ]);
    expect(initializer(quantized, 'w_quantized').dims).toEqual([1, 2, 8]);
    expect(numbers(quantized, 'w_scale')).toEqual([1, 2]);
    expect(initializer(quantized, 'w_scale').dims).toEqual([1, 2]);
  });

  it('keep the zero points of each column in bytes of their own', () => {
    // Three blocks a column: their zero points fill one byte and half of the next.
    const column = [-3, 12, -15, 0, 0, 15].flatMap((end) => [end, ...Array(7).fill(0)]);
    const weights = tensor(
      'w',
      [48, 2],
      column.flatMap((weight) => [weight, -weight]),
    );
    const { quantized } = quantizeCopy(matMulModel(weights), recipeWith({ symmetric: false }));
    expect(initializer(quantized, 'w_zero_point').dims).toEqual([2, 2]);
    expect(numbers(quantized, 'w_zero_point')).toEqual([0xf3, 0x00, 0x0c, 0x0f]);
  });

  it('compute with int8 activations at accuracy level 4', async () => {
    const given = matMulModel(matrix('w', 128, 24));
    const error = await errorOfRuntime(given, recipeWith({ blockSize: 32, accuracyLevel: 4 }));
    expect(error).toBeGreaterThan(1e-5);
    expect(error).toBeLessThan(0.05);
  });

  it('have half-precision scales where the weights are in half precision', async () => {
    const weights = tensor('w', [64, 5], bellValues(320, 4), 'float16');
    const given = model(
      graph({
        inputs: [value('x', 'float16')],
        nodes: [node('MatMul', ['x', 'w'], ['y'])],
        outputs: [value('y', 'float16')],
        initializers: [weights],
      }),
    );
    const { quantized } = quantizeCopy(given, recipeWith({ symmetric: false }));
    const nbits = nbitsOf(quantized)[0] as NodeProto;
    const scales = numbers(quantized, nbits.input[2]).map(decodeFloat16);
    const zeroPoints = numbers(quantized, nbits.input[3]);
    expect(scales.every((scale) => scale > 0.001 && scale < 0.1)).toBe(true);
    expect(zeroPoints).toHaveLength(10);
    const x = bellValues(2 * 64, 8, 1);
    const feed = float16Feed([2, 64], x);
    const [before, after] = await Promise.all(
      [given, quantized].map(async (each) => float16Values((await runModel(each, { x: feed }))['y'])),
    );
    expect(relativeError(after ?? [], before ?? [])).toBeLessThan(0.15);
  });

  it('replace the MatMul under its name and keep its output', () => {
    const { quantized, report } = quantizeCopy(matMulModel(matrix('w', 32, 4), 13), recipeWith());
    expect(nbitsOf(quantized)).toMatchObject([{ name: 'y_node', domain: 'com.microsoft', output: ['y'] }]);
    expect(quantized.proto.opsetImport).toEqual([
      { domain: '', version: 13 },
      { domain: 'com.microsoft', version: 1 },
    ]);
    expect(report).toEqual({ quantized: [{ node: 'y_node', op: 'MatMul', elements: 128 }], float: [] });
    expect(graphOf(quantized).initializer.map(({ name }) => name)).toEqual(['w_quantized', 'w_scale']);
  });

  it('are stored once when two nodes share them', () => {
    const given = model(
      graph({
        inputs: [value('x')],
        nodes: [node('MatMul', ['x', 'w'], ['a']), node('MatMul', ['a', 'w'], ['y'])],
        outputs: [value('y')],
        initializers: [matrix('w', 32, 32)],
      }),
    );
    const { quantized, report } = quantizeCopy(given, recipeWith());
    expect(report.quantized).toHaveLength(2);
    expect(graphOf(quantized).initializer).toHaveLength(2);
  });

  it('stay in float beside the codes when an operator of another kind reads them too', () => {
    const given = model(
      graph({
        inputs: [value('x'), value('i', 'int64')],
        nodes: [node('MatMul', ['x', 'w'], ['y']), node('Gather', ['w', 'i'], ['z'])],
        outputs: [value('y'), value('z')],
        initializers: [matrix('w', 32, 32)],
      }),
    );
    const { quantized } = quantizeCopy(given, recipeWith());
    expect(graphOf(quantized).initializer.map(({ name }) => name)).toContain('w');
  });
});

describe('a Gemm as MatMulNBits', () => {
  const n = 6;
  const k = 40;
  const x = bellValues(ROWS * k, 21, 1);

  async function expectSame(
    attributes: Parameters<typeof node>[3],
    bias: { dims: readonly number[] } | undefined,
    wantedOps: readonly string[],
  ): Promise<void> {
    const transB = attributes?.['transB'] === 1;
    const weights = transB ? matrix('w', n, k) : matrix('w', k, n);
    const count = bias?.dims.reduce((a, b) => a * b, 1) ?? 0;
    const given = model(
      graph({
        inputs: [value('x')],
        nodes: [node('Gemm', ['x', 'w', ...(bias ? ['c'] : [])], ['y'], attributes)],
        outputs: [value('y')],
        initializers: [weights, ...(bias ? [tensor('c', bias.dims, bellValues(count, 5, 2))] : [])],
      }),
    );
    const { quantized } = quantizeCopy(given, recipeWith({ format: 'weight-int8' }));
    expect(opTypesOf(quantized)).toEqual(wantedOps);
    const feeds = { x: floatFeed([ROWS, k], x) };
    const before = (await runModel(given, feeds))['y'] as Tensor;
    const after = (await runModel(quantized, feeds))['y'] as Tensor;
    expect(after.dims).toEqual(before.dims);
    // Eight bits leave an error well below what a wrong factor, axis or bias would make.
    expect(relativeError(after.data as Float32Array, [...(before.data as Float32Array)])).toBeLessThan(0.01);
  }

  it('reads weights of either orientation', async () => {
    await expectSame({}, undefined, ['MatMulNBits']);
    await expectSame({ transB: 1 }, undefined, ['MatMulNBits']);
  });

  it('keeps alpha in its weights', async () => {
    await expectSame({ alpha: float(0.25), transB: 1 }, undefined, ['MatMulNBits']);
  });

  it('takes a bias of one value a column with it, beta multiplied in', async () => {
    await expectSame({ transB: 1 }, { dims: [n] }, ['MatMulNBits']);
    await expectSame({ beta: float(-1.5), alpha: float(2) }, { dims: [n] }, ['MatMulNBits']);
    await expectSame({ beta: float(0.5) }, { dims: [1, n] }, ['MatMulNBits']);
    await expectSame({ beta: float(0) }, { dims: [n] }, ['MatMulNBits']);
  });

  it('adds any other bias behind it', async () => {
    await expectSame({}, { dims: [ROWS, n] }, ['MatMulNBits', 'Add']);
    await expectSame({}, { dims: [ROWS, 1] }, ['MatMulNBits', 'Add']);
    await expectSame({ beta: float(3) }, { dims: [] }, ['MatMulNBits', 'Mul', 'Add']);
  });

  it('takes a bias together with zero points', async () => {
    const given = matMulModel(matrix('w', k, n), 13, node('Gemm', ['x', 'w', 'c'], ['y']));
    graphOf(given).initializer.push(tensor('c', [n], bellValues(n, 6, 2)));
    const { quantized } = quantizeCopy(given, recipeWith({ symmetric: false }));
    const stored = readMatMulNBits(quantized, nbitsOf(quantized)[0] as NodeProto);
    const bias = numbers(given, 'c');
    const { y } = await runModel(quantized, { x: floatFeed([ROWS, k], x) });
    const wanted = product(x, stored.dequantized, k, n).map((sum, i) => sum + (bias[i % n] as number));
    expect(relativeError(y?.data as Float32Array, wanted)).toBeLessThan(1e-5);
  });
});

describe('what stays float', () => {
  it('is said with the reason', () => {
    const given = model(
      graph({
        inputs: [value('x'), value('v'), value('overridable')],
        nodes: [
          node('MatMul', ['x', 'v'], ['a']),
          node('MatMul', ['w', 'x'], ['b']),
          node('MatMul', ['x', 'batch'], ['c']),
          node('MatMul', ['x', 'vector'], ['d']),
          node('MatMul', ['x', 'short'], ['e']),
          node('MatMul', ['x', 'integers'], ['f']),
          node('Gemm', ['x', 'w'], ['g'], { transA: 1 }),
          node('MatMul', ['x', 'overridable'], ['h']),
          node('MatMul', ['x', 'w'], ['i'], {}, { name: 'head/logits' }),
          node('Gemm', ['x', 'w'], ['j']),
          node('MatMul', ['x', 'empty'], ['k']),
        ],
        outputs: [value('a')],
        initializers: [
          matrix('w', 64, 64),
          tensor('batch', [2, 64, 4], bellValues(512, 1)),
          tensor('vector', [64], bellValues(64, 1)),
          matrix('short', 3, 64),
          tensor('integers', [64, 64], Array(4096).fill(1), 'int32'),
          matrix('overridable', 64, 64),
          tensor('empty', [0, 4], []),
        ],
      }),
    );
    const before = copyOf(given);
    const exclude = { opTypes: [], nodes: ['head/*', 'j_*'], tensors: [] };
    const view = viewGraph(given);
    const result = quantizeWeightsOnly(view, recipeWith({ exclude, blockSize: 32 }));
    expect(result).toEqual({
      ok: true,
      value: {
        quantized: [],
        float: [
          ['a', 'MatMul', 'its weights are not constant'],
          ['b', 'MatMul', 'its constant is the first input, and only the second can be quantized'],
          ['c', 'MatMul', 'its weights are a batch of matrices'],
          ['d', 'MatMul', 'its weights have fewer than two dimensions'],
          ['e', 'MatMul', 'its columns of 3 weights are too short to gain from blocks of 32'],
          ['f', 'MatMul', 'its weights are int32, not float32 or float16'],
          ['g', 'Gemm', 'it transposes its first input'],
          ['h', 'MatMul', 'its weights are an input of the model'],
          ['head/logits', 'MatMul', 'excluded by the recipe'],
          ['j', 'Gemm', 'excluded by the recipe'],
          ['k', 'MatMul', 'its weights are empty'],
        ].map(([name = '', op, reason]) => ({
          node: name.length === 1 ? `${name}_node` : name,
          op,
          reason,
        })),
      },
    });
    // With nothing to quantize the model stays as it was.
    expect(copyOf(given).proto).toEqual(before.proto);
  });

  it('can be a whole operator', () => {
    const { report } = quantizeCopy(
      matMulModel(matrix('w', 32, 4)),
      recipeWith({ exclude: { opTypes: ['MatMul'], nodes: [], tensors: [] } }),
    );
    expect(report).toMatchObject({ quantized: [], float: [{ reason: 'excluded by the recipe' }] });
  });
});

describe('bad input', () => {
  it.each([0, 8, 24, 512, 32.5])('is a block size of %d', (blockSize) => {
    const result = quantizeWeightsOnly(viewGraph(matMulModel(matrix('w', 32, 4))), recipeWith({ blockSize }));
    expect(result).toMatchObject({
      ok: false,
      error: { kind: 'block-size-invalid', hint: 'use 16, 32, 64, 128 or 256' },
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'is a weight of %d, named with its node, and leaves the model as it was',
    (bad) => {
      const values = bellValues(33 * 20, 1);
      values[33 * 20 - 1] = bad;
      const given = matMulModel(tensor('w', [33, 20], values), 13);
      const before = copyOf(given);
      expect(quantizeWeightsOnly(viewGraph(given), recipeWith())).toMatchObject({
        ok: false,
        error: { kind: 'non-finite-weight', place: { node: 'y_node', tensor: 'w' } },
      });
      expect(copyOf(given).proto).toEqual(before.proto);
    },
  );
});
