import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { readAsFloat32, readTensorData, tensorFrom } from '../../../../src/onnx/tensor-data.ts';
import { auditDynamic } from '../../../../src/quantization/dynamic/audit-dynamic.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { float, node, tensor } from '../../../support/graph-builder.ts';
import { optimizedGraph, runOptimized, sqnrDb } from '../../../support/quantize-in-memory.ts';
import { type Feeds, runModel, wavyFeed } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { netOf, noise, quantizeCopy, recipeWith } from './quantize-copy.ts';

const feeds: Feeds = { x: wavyFeed(3, 64) };

/** Checks the model as written and as the runtime fuses it against float; returns the kernels and the rest of the ops. */
async function expectClose(
  given: OnnxModel,
  {
    recipe = recipeWith(),
    input = feeds,
    atLeastDb = 34,
  }: { recipe?: ReturnType<typeof recipeWith>; input?: Feeds; atLeastDb?: number } = {},
) {
  const { quantized, report } = quantizeCopy(given, recipe);
  const reference = await runModel(given, input);
  for (const results of [await runModel(quantized, input), await runOptimized(quantized, input)]) {
    expect(Object.values(results).map(({ dims }) => dims)).toEqual(
      Object.values(reference).map(({ dims }) => dims),
    );
    expect(sqnrDb(reference, results)).toBeGreaterThan(atLeastDb);
  }
  const optimized = await optimizedGraph(quantized);
  return {
    quantized,
    report,
    audit: auditDynamic(report.quantized, optimized),
    runsAs: optimized.node.map(({ opType }) => opType),
  };
}

const product = (output = 'y') => node('MatMul', ['x', 'w'], [output]);
const weights = noise('w', [64, 32]);
const bias = noise('b', [32]);

/** A matrix of the same name and shape, each value changed. */
function withValues(matrix: TensorProto, change: (value: number, column: number) => number): TensorProto {
  const { name = '', dims } = matrix;
  const values = unwrap(readAsFloat32(netOf([], []), matrix));
  return tensorFrom(
    name,
    dims,
    values.map((value, at) => change(value, at % (dims[1] ?? 1))),
  );
}

describe('a MatMul with constant weights', () => {
  it('gives what float gives, within 8 bits, and runs as one kernel', async () => {
    const { report, audit, runsAs } = await expectClose(netOf([product()], [weights]));
    expect(report.quantized).toEqual([{ node: 'y_node', op: 'MatMul', weights: 'w_quantized' }]);
    expect(audit).toEqual({
      fused: 1,
      notFused: [],
      kernels: [{ node: 'y_node', op: 'MatMul', kernel: 'DynamicQuantizeMatMul' }],
    });
    expect(runsAs).toEqual(['DynamicQuantizeMatMul']);
  });

  it.each([
    ['second', ['p', 'b']],
    ['first', ['b', 'p']],
  ])('takes the bias that an Add has as its %s operand into the kernel', async (_, operands) => {
    const { runsAs } = await expectClose(
      netOf([product('p'), node('Add', operands, ['y'])], [weights, bias]),
    );
    expect(runsAs).toEqual(['DynamicQuantizeMatMul']);
  });

  it.each([
    ['one dimension', [64]],
    ['three dimensions', [2, 5, 64]],
    ['no rows', [0, 64]],
  ])('takes inputs of %s', async (_, dims) => {
    await expectClose(
      netOf(
        [product()],
        [noise('w', [64, 300])],
        dims.map((dim, axis) => (dim === 64 ? 64 : `d${axis}`)),
      ),
      {
        input: { x: wavyFeed(...dims) },
      },
    );
  });

  it('keeps the dimensions that an added constant brings', async () => {
    const wide = netOf([product('p'), node('Add', ['p', 'b'], ['y'])], [weights, noise('b', [1, 1, 32])]);
    expect((await expectClose(wide)).runsAs).toEqual(['DynamicQuantizeMatMul', 'Sum']);
    const column = netOf(
      [product('p'), node('Add', ['b', 'p'], ['y'])],
      [noise('w', [2000, 1]), noise('b', [5])],
      ['rows', 2000],
    );
    await expectClose(column, { input: { x: wavyFeed(3, 2000) } });
  });

  it('keeps the dimensions of a constant that the runtime computes beforehand', async () => {
    const nodes = [product('p'), node('Unsqueeze', ['b', 'axes'], ['u']), node('Add', ['p', 'u'], ['y'])];
    await expectClose(netOf(nodes, [weights, bias, tensor('axes', [2], [0, 1], 'int64')]));
  });
});

describe('a Gemm with constant weights', () => {
  const gemm = (attributes: Parameters<typeof node>[3], c = 'b') =>
    node('Gemm', c === '' ? ['x', 'w'] : ['x', 'w', c], ['y'], attributes);

  it('becomes one kernel with its bias, its factors and transposition folded into the constants', async () => {
    const { quantized, runsAs } = await expectClose(
      netOf([gemm({ transB: 1, alpha: float(0.5), beta: float(-2) })], [noise('w', [32, 64]), bias]),
    );
    expect(runsAs).toEqual(['DynamicQuantizeMatMul']);
    expect(graphOf(quantized).initializer.map(({ name, dims }) => ({ name, dims }))).toEqual([
      { name: 'w_quantized', dims: [64, 32] },
      { name: 'w_scale', dims: [32] },
      { name: 'b_bias', dims: [32] },
    ]);
  });

  it.each([
    ['scalar', [], true],
    ['one value', [1], true],
    ['row', [1, 32], true],
    ['column', [3, 1], false],
    ['matrix', [3, 32], false],
  ] as const)('adds a %s', async (_, dims, isInKernel) => {
    const { runsAs } = await expectClose(netOf([gemm({ beta: float(3) })], [weights, noise('b', dims, 4)]));
    expect(runsAs).toEqual(isInKernel ? ['DynamicQuantizeMatMul'] : ['DynamicQuantizeMatMul', 'Add']);
  });

  it('multiplies and adds a bias that varies at run time', async () => {
    const nodes = [
      node('ReduceMean', ['x'], ['c'], { axes: [1], keepdims: 1 }),
      gemm({ beta: float(3) }, 'c'),
    ];
    await expectClose(netOf(nodes, [weights]));
  });

  it('adds nothing when beta is 0, not even NaN', async () => {
    const nan = tensor('b', [32], new Array(32).fill(Number.NaN));
    await expectClose(netOf([gemm({ beta: float(0) })], [weights, nan]));
  });

  it('is right for every combination of factors, transpositions and biases', async () => {
    const cases = fc.record({
      transA: fc.constantFrom(0, 1),
      transB: fc.constantFrom(0, 1),
      alpha: fc.constantFrom(1, -0.25, 3),
      beta: fc.constantFrom(1, 0, -2),
      biasDims: fc.constantFrom(undefined, [], [1], [40], [1, 40], [7, 1], [7, 40]),
      perTensor: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ transA, transB, alpha, beta, biasDims, perTensor }) => {
        const inputDims = transA === 1 ? [50, 7] : [7, 50];
        const given = netOf(
          [gemm({ transA, transB, alpha: float(alpha), beta: float(beta) }, biasDims && 'b')],
          [noise('w', transB === 1 ? [40, 50] : [50, 40]), noise('b', biasDims ?? [], 3)],
          inputDims,
        );
        const { quantized } = quantizeCopy(given, recipeWith({ perTensor }));
        const input = { x: wavyFeed(...inputDims) };
        const results = await runOptimized(quantized, input);
        expect(sqnrDb(await runModel(given, input), results)).toBeGreaterThan(34);
      }),
      { numRuns: 40 },
    );
  });
});

describe('weights', () => {
  const wide = [noise('w', [64, 300])];

  it('get a scale for each output, or one in all, which is less exact when outputs differ in size', async () => {
    const w = withValues(weights, (value, column) => value * 10 ** -(column % 4));
    const columns = netOf(
      [product('p'), node('Slice', ['p', 'from', 'to', 'axis'], ['y'])],
      [
        w,
        ...(['from', 'to', 'axis'] as const).map((name, at) =>
          tensor(name, [1], [[3, 4, 1][at] as number], 'int64'),
        ),
      ],
    );
    const reference = await runModel(columns, feeds);
    const db = async (perTensor: boolean) =>
      sqnrDb(reference, await runModel(quantizeCopy(columns, recipeWith({ perTensor })).quantized, feeds));
    expect(await db(false)).toBeGreaterThan(34);
    expect(await db(true)).toBeLessThan(10);
    expect(
      graphOf(quantizeCopy(columns, recipeWith({ perTensor: true })).quantized).initializer,
    ).toContainEqual(expect.objectContaining({ name: 'w_scale', dims: [] }));
  });

  it('stay within ±64 when the range is reduced', async () => {
    const { quantized } = await expectClose(netOf([product()], wide), {
      recipe: recipeWith({ reduceRange: true }),
      atLeastDb: 30,
    });
    const codes = graphOf(quantized).initializer.find(({ name }) => name === 'w_quantized');
    const values = unwrap(readTensorData(quantized, codes as TensorProto)) as Int8Array;
    expect([Math.min(...values), Math.max(...values)]).toEqual([-64, 64]);
  });

  it('may hold outputs of nothing but zeros', async () => {
    const w = withValues(weights, (value, column) => (column < 5 ? 0 : value));
    const { quantized } = await expectClose(netOf([product()], [w]));
    const { y } = await runOptimized(quantized, feeds);
    expect([...((y?.data ?? []) as Float32Array)].slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  });

  it('are stored once when two nodes share them', async () => {
    const nodes = [product('p'), node('MatMul', ['z', 'w'], ['y'])];
    const given = netOf([node('Neg', ['x'], ['z']), ...nodes], wide, undefined, ['y', 'p']);
    const { quantized } = await expectClose(given);
    expect(graphOf(quantized).initializer.map(({ name }) => name)).toEqual(['w_quantized', 'w_scale']);
  });

  it('are stored twice when two nodes ask for different codes of them', async () => {
    const square = [noise('w', [64, 64])];
    const nodes: NodeProto[] = [product('p'), node('Gemm', ['x', 'w'], ['y'], { transB: 1 })];
    const { quantized } = await expectClose(netOf(nodes, square, undefined, ['y', 'p']));
    expect(graphOf(quantized).initializer).toHaveLength(4);
  });
});

describe('an activation that several nodes read', () => {
  it('is rounded once, and the products run as MatMulIntegerToFloat', async () => {
    const nodes = [
      product('p'),
      node('MatMul', ['x', 'v'], ['q']),
      node('Concat', ['p', 'q', 'x'], ['y'], { axis: 1 }),
    ];
    const { quantized, audit } = await expectClose(netOf(nodes, [weights, noise('v', [64, 40])]));
    expect(opTypesOf(quantized).filter((op) => op === 'DynamicQuantizeLinear')).toHaveLength(1);
    expect(audit).toMatchObject({ fused: 2, notFused: [] });
    expect(audit.kernels.map(({ kernel }) => kernel)).toEqual([
      'MatMulIntegerToFloat',
      'MatMulIntegerToFloat',
    ]);
  });
});

it('gives every new node and tensor a name of its own', async () => {
  const taken = ['w_quantized', 'w_scale', 'x_quantized', 'x_scale', 'x_zero_point', 'y_node_Cast'];
  const relays = taken.map((name, at) => node('Relu', [at === 0 ? 'x' : (taken[at - 1] as string)], [name]));
  const nodes = [...relays, product('p'), node('MatMul', ['x', 'v'], ['q']), node('Sum', ['p', 'q'], ['y'])];
  const { quantized } = await expectClose(netOf(nodes, [weights, noise('v', [64, 32])]));
  const { node: made, initializer } = graphOf(quantized);
  const names = [...made.flatMap(({ output }) => output), ...initializer.map(({ name }) => name)];
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(made.map(({ name }) => name)).size).toBe(made.length);
});
