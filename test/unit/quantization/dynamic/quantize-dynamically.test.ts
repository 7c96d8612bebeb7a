import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { auditDynamic } from '../../../../src/quantization/dynamic/audit-dynamic.ts';
import { quantizeDynamically } from '../../../../src/quantization/dynamic/quantize-dynamically.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import {
  copyOf,
  expectSamePorts,
  optimizedGraph,
  runOptimized,
  sqnrDb,
} from '../../../support/quantize-in-memory.ts';
import { runModel, wavyFeed } from '../../../support/run-model.ts';
import { netOf, noise, quantizeCopy, recipeWith } from './quantize-copy.ts';

const product = (weights: string, input = 'x', output = 'y') => node('MatMul', [input, weights], [output]);

describe('quantizeDynamically', () => {
  it('leaves float what the recipe excludes, by operator and by name', () => {
    const given = netOf(
      [product('w', 'x', 'a'), product('v', 'a', 'b'), node('Gemm', ['b', 'u'], ['y'])],
      [noise('w', [64, 64]), noise('v', [64, 64]), noise('u', [64, 64])],
    );
    const exclude = { opTypes: ['Gemm'], nodes: ['a_*'], tensors: [] };
    const { report, quantized } = quantizeCopy(given, recipeWith({ exclude }));
    expect(report.quantized.map((found) => found.node)).toEqual(['b_node']);
    expect(report.float).toEqual([
      { node: 'a_node', op: 'MatMul', reason: 'excluded by the recipe' },
      { node: 'y_node', op: 'Gemm', reason: 'excluded by the recipe' },
    ]);
    expect(opTypesOf(quantized)).toEqual(
      expect.arrayContaining(['MatMul', 'DynamicQuantizeLinear', 'MatMulInteger', 'Gemm']),
    );
  });

  it.each([
    ['a batch of matrices', [2, 64, 64], 'its weights are a batch of matrices'],
    ['a vector', [64], 'its weights have fewer than two dimensions'],
    ['no columns', [64, 0], 'its weights are empty'],
    ['few values', [64, 16], 'its weights are so few that rounding its input costs more than int8 saves'],
  ])('leaves a MatMul with %s in float and says why', (_, dims, reason) => {
    const given = netOf([product('w')], [noise('w', dims)]);
    const { report, quantized } = quantizeCopy(given);
    expect(report).toEqual({ quantized: [], float: [{ node: 'y_node', op: 'MatMul', reason }] });
    expect(quantized).toEqual(copyOf(given));
  });

  it('asks for more weights where the input is known to have one row', () => {
    const weights = [noise('w', [64, 100])];
    const count = (dims: readonly (number | string)[]) =>
      quantizeCopy(netOf([product('w')], weights, dims)).report.quantized.length;
    expect([count([1, 64]), count([1, 1, 64]), count([2, 64]), count(['rows', 64])]).toEqual([0, 0, 1, 1]);
  });

  it('leaves products of activations and of other types in float and says why', () => {
    const given = netOf(
      [
        node('Transpose', ['x'], ['t']),
        product('t', 'x', 'a'),
        node('Cast', ['x'], ['d'], { to: 11 }),
        product('w', 'd', 'b'),
        product('x', 'v', 'c'),
      ],
      [tensor('w', [64, 64], new Array(64 * 64).fill(1), 'double'), noise('v', [64, 64])],
      [64, 64],
      ['a', 'b', 'c'],
    );
    expect(quantizeCopy(given).report.float.map(({ reason }) => reason)).toEqual([
      'its second input is no constant',
      'its weights are not float32',
      'its first input is constant',
    ]);
  });

  it('leaves operators without a fast int8 kernel in float and says why', () => {
    const given = netOf(
      [
        node('Conv', ['x', 'w'], ['c']),
        node('ConvTranspose', ['x', 'w'], ['d']),
        node('GRU', ['s', 'gw', 'gr'], ['y'], { hidden_size: 8 }),
      ],
      [noise('w', [3, 3, 1, 1]), noise('s', [2, 1, 8]), noise('gw', [1, 24, 8]), noise('gr', [1, 24, 8])],
      [1, 3, 4, 4],
      ['c', 'd', 'y'],
    );
    expect(quantizeCopy(given).report.float).toEqual([
      {
        node: 'c_node',
        op: 'Conv',
        reason: 'dynamic int8 convolution is slower than float on the CPU provider',
      },
      { node: 'd_node', op: 'ConvTranspose', reason: 'the CPU provider has no dynamic int8 kernel for it' },
      { node: 'y_node', op: 'GRU', reason: 'the CPU provider has no dynamic int8 kernel for it' },
    ]);
  });

  it('quantizes the products of bodies, with weights of their own or captured, and keeps what they capture', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [3, 64]), value('condition', 'bool', [])],
        nodes: [
          product('w', 'x', 'p'),
          node('If', ['condition'], ['y'], {
            then_branch: graph({ nodes: [product('w', 'p', 'yes_out')], outputs: [value('yes_out')] }),
            else_branch: graph({
              nodes: [product('own', 'p', 'q'), node('Neg', ['q'], ['no_out'])],
              outputs: [value('no_out')],
              initializers: [noise('own', [64, 64], 0.2)],
            }),
          }),
        ],
        outputs: [value('y')],
        initializers: [noise('w', [64, 64], 0.2)],
      }),
    );
    const { report, quantized } = quantizeCopy(given);
    expect(report.quantized.map((found) => found.node)).toEqual(['p_node', 'yes_out_node', 'q_node']);
    expect(report.float).toEqual([]);
    expect(new Set(report.quantized.map(({ weights }) => weights)).size).toBe(3);
    expectSamePorts(given, quantized);
    const optimized = await optimizedGraph(quantized);
    expect(auditDynamic(report.quantized, optimized)).toMatchObject({ fused: 3, notFused: [] });
    for (const condition of [true, false]) {
      const feeds = { x: wavyFeed(3, 64), condition: new Tensor('bool', [condition], []) };
      expect(sqnrDb(await runModel(given, feeds), await runOptimized(quantized, feeds))).toBeGreaterThan(30);
    }
  });

  it('takes a name that a body defines for itself as no constant of the graph around it', () => {
    const body = graph({
      nodes: [node('Identity', ['x'], ['w']), product('w', 'x', 'out')],
      outputs: [value('out')],
    });
    const given = netOf(
      [node('If', ['flag'], ['y'], { then_branch: body, else_branch: body })],
      [noise('w', [64, 64])],
    );
    given.proto.graph?.initializer.push(tensor('flag', [], [1], 'bool'));
    expect(quantizeDynamically(viewGraph(given), recipeWith())).toMatchObject({
      value: { quantized: [], float: [{ reason: 'its second input is no constant' }, {}] },
    });
  });

  it.each([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
  ])('names the node and the tensor that hold %s, and changes nothing', (_, bad) => {
    const values = Array.from({ length: 64 * 64 }, (_, at) => (at === 1000 ? bad : Math.sin(at)));
    const given = netOf(
      [product('v', 'x', 'a'), product('w', 'a', 'y')],
      [noise('v', [64, 64]), tensor('w', [64, 64], values)],
    );
    const before = copyOf(given);
    expect(quantizeDynamically(viewGraph(given), recipeWith())).toEqual({
      ok: false,
      error: {
        kind: 'non-finite-weight',
        message: "the constant 'w' holds NaN or infinity",
        place: { node: 'y_node', tensor: 'w' },
        hint: 'repair the model, or exclude the node from quantization',
      },
    });
    expect(copyOf(given)).toEqual(before);
    expect(graphOf(given).node.map(({ opType }) => opType)).toEqual(['MatMul', 'MatMul']);
  });
});
