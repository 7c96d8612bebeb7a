import { describe, expect, it } from 'vitest';
import { DATA_TYPE, type TensorProto } from '../../../../src/onnx/messages.ts';
import type { WeightOnlyRecipe } from '../../../../src/quantization/weight-only/recipe.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { optimizedGraph, runOptimized } from '../../../support/quantize-in-memory.ts';
import { floatFeed, runModel } from '../../../support/run-model.ts';
import {
  bellValues,
  initializer,
  matMulModel,
  matrix,
  numbers,
  quantizeCopy,
  recipeWith,
  relativeError,
} from './support.ts';

const ROWS = 3;

function portable(more: Partial<WeightOnlyRecipe> = {}): WeightOnlyRecipe {
  return recipeWith({ form: 'dequantize', ...more });
}

describe('weights behind a DequantizeLinear with blocks', () => {
  it.each([
    ['weight-int4', true, DATA_TYPE.int4],
    ['weight-int4', false, DATA_TYPE.uint4],
    ['weight-int8', true, DATA_TYPE.int8],
    ['weight-int8', false, DATA_TYPE.uint8],
  ] as const)(
    'hold the same numbers as those for MatMulNBits (%s, symmetric %s)',
    async (format, symmetric, type) => {
      // An odd number of columns, so that pairs of 4-bit codes run over the ends of rows.
      const given = matMulModel(matrix('w', 75, 7));
      const x = floatFeed([ROWS, 75], bellValues(ROWS * 75, 2, 1));
      const a = quantizeCopy(given, portable({ format, symmetric })).quantized;
      const b = quantizeCopy(given, recipeWith({ format, symmetric })).quantized;
      expect(opTypesOf(a)).toEqual(['DequantizeLinear', 'MatMul']);
      expect(initializer(a, 'w_quantized')).toMatchObject({ dims: [75, 7], dataType: type });
      expect(initializer(a, 'w_scale').dims).toEqual([5, 7]);
      const wanted = (await runModel(b, { x }))['y']?.data as Float32Array;
      const found = (await runModel(a, { x }))['y']?.data as Float32Array;
      expect(relativeError(found, [...wanted])).toBeLessThan(1e-5);
    },
  );

  it('are fused to MatMulNBits by the runtime', async () => {
    const { quantized } = quantizeCopy(matMulModel(matrix('w', 75, 7)), portable({ blockSize: 32 }));
    expect((await optimizedGraph(quantized)).node.map(({ opType }) => opType)).toEqual(['MatMulNBits']);
    const x = floatFeed([ROWS, 75], bellValues(ROWS * 75, 2, 1));
    const exact = (await runModel(quantized, { x }))['y']?.data as Float32Array;
    const fused = (await runOptimized(quantized, { x }))['y']?.data as Float32Array;
    // The fused operator rounds activations to int8.
    expect(relativeError(fused, [...exact])).toBeLessThan(0.05);
  });

  it('are copied for a second reader, because those that share initializers are not fused', async () => {
    const given = model(
      graph({
        inputs: [value('x')],
        nodes: [node('MatMul', ['x', 'w'], ['a']), node('MatMul', ['a', 'w'], ['y'])],
        outputs: [value('y')],
        initializers: [matrix('w', 32, 32)],
      }),
      { opset: 21, irVersion: 10 },
    );
    const { quantized } = quantizeCopy(given, portable());
    expect(graphOf(quantized).initializer.map(({ name }) => name)).toEqual([
      'w_quantized',
      'w_scale',
      'w_quantized_1',
      'w_scale_1',
    ]);
    expect((await optimizedGraph(quantized)).node.map(({ opType }) => opType)).toEqual([
      'MatMulNBits',
      'MatMulNBits',
    ]);
  });

  it('may be in half precision', async () => {
    const given = model(
      graph({
        inputs: [value('x')],
        nodes: [
          node('Cast', ['x'], ['h'], { to: DATA_TYPE.float16 }),
          node('MatMul', ['h', 'w'], ['p']),
          node('Cast', ['p'], ['y'], { to: DATA_TYPE.float }),
        ],
        outputs: [value('y')],
        initializers: [tensor('w', [64, 5], bellValues(320, 4), 'float16')],
      }),
      { opset: 21, irVersion: 10 },
    );
    const { quantized } = quantizeCopy(given, portable({ format: 'weight-int8', symmetric: false }));
    expect(initializer(quantized, 'w_scale').dataType).toBe(DATA_TYPE.float16);
    const x = floatFeed([ROWS, 64], bellValues(ROWS * 64, 2, 1));
    const before = (await runModel(given, { x }))['y']?.data as Float32Array;
    const after = (await runModel(quantized, { x }))['y']?.data as Float32Array;
    expect(relativeError(after, [...before])).toBeLessThan(0.02);
  });
});

describe('a Gemm with dequantized weights', () => {
  const k = 40;
  const n = 6;

  async function quantizedGemm(
    attributes: Parameters<typeof node>[3],
    bias: TensorProto | undefined,
  ): Promise<readonly (string | undefined)[]> {
    const transB = attributes?.['transB'] === 1;
    const gemm = node('Gemm', ['x', 'w', ...(bias ? ['c'] : [])], ['y'], attributes);
    const given = matMulModel(transB ? matrix('w', n, k) : matrix('w', k, n), 21, gemm);
    if (bias !== undefined) graphOf(given).initializer.push(bias);
    const { quantized } = quantizeCopy(given, portable({ format: 'weight-int8' }));
    expect(opTypesOf(quantized)).toEqual(['DequantizeLinear', 'Gemm']);
    const feeds = { x: floatFeed([ROWS, k], bellValues(ROWS * k, 3, 1)) };
    const before = (await runModel(given, feeds))['y']?.data as Float32Array;
    const after = (await runModel(quantized, feeds))['y']?.data as Float32Array;
    expect(relativeError(after, [...before])).toBeLessThan(0.01);
    return (await optimizedGraph(quantized)).node.map(({ opType }) => opType);
  }

  const row = () => tensor('c', [n], bellValues(n, 5, 2));

  it('is fused whatever its factors and orientation were', async () => {
    expect(await quantizedGemm({}, undefined)).toEqual(['MatMulNBits']);
    expect(await quantizedGemm({ transB: 1 }, row())).toEqual(['MatMulNBits']);
    expect(await quantizedGemm({ alpha: float(0.5), beta: float(2), transB: 1 }, row())).toEqual([
      'MatMulNBits',
    ]);
    expect(await quantizedGemm({ beta: float(2) }, tensor('c', [1, n], bellValues(n, 5, 2)))).toEqual([
      'MatMulNBits',
    ]);
  });

  it('keeps beta and a bias that is no row', async () => {
    await quantizedGemm(
      { alpha: float(0.5), beta: float(2) },
      tensor('c', [ROWS, n], bellValues(ROWS * n, 5, 2)),
    );
    await quantizedGemm({ transB: 1, beta: float(-1) }, tensor('c', [], [3]));
  });

  it('does not change the bias of others', () => {
    const given = model(
      graph({
        inputs: [value('x')],
        nodes: [node('Gemm', ['x', 'w', 'c'], ['a'], { beta: float(2) }), node('Add', ['a', 'c'], ['y'])],
        outputs: [value('y')],
        initializers: [matrix('w', 32, 4), tensor('c', [4], [1, 2, 3, 4])],
      }),
      { opset: 21 },
    );
    const { quantized } = quantizeCopy(given, portable());
    expect(numbers(quantized, 'c')).toEqual([1, 2, 3, 4]);
    expect(numbers(quantized, 'c_row')).toEqual([2, 4, 6, 8]);
  });
});
