import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import type { PlannedNode } from '../../../../src/quantization/placement.ts';
import { type QOperatorReport, toQOperator } from '../../../../src/quantization/qoperator/to-qoperator.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { waveConstant } from '../../../support/constants.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf, runOptimized, sqnrDb } from '../../../support/quantize-in-memory.ts';
import { wavyFeed } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';

function grid(name: string, scale: number, zeroPoint: number): readonly TensorProto[] {
  return [tensor(`${name}_s`, [], [scale]), tensor(`${name}_z`, [], [zeroPoint], 'uint8')];
}

function dequantized(name: string, dims: readonly number[]): readonly TensorProto[] {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const codes = Array.from({ length: count }, (_, index) => ((index * 37) % 255) - 127);
  return [
    tensor(`${name}_q`, dims, codes, 'int8'),
    tensor(`${name}_s`, [], [0.01]),
    tensor(`${name}_z`, [], [0], 'int8'),
  ];
}

function quantize(from: string, to: string, parameters: string, domain?: string): NodeProto {
  const input = [from, `${parameters}_s`, `${parameters}_z`];
  return node('QuantizeLinear', input, [to], {}, domain === undefined ? {} : { domain });
}

function dequantize(from: string, to: string, parameters: string, domain?: string): NodeProto {
  const input = [from, `${parameters}_s`, `${parameters}_z`];
  return node('DequantizeLinear', input, [to], {}, domain === undefined ? {} : { domain });
}

function planOf(
  given: NodeProto,
  bias?: { readonly reader: NodeProto; readonly inputIndex: number },
): PlannedNode {
  const isAnchor = ['Conv', 'Gemm', 'MatMul'].includes(given.opType ?? '');
  const constant = tensor('', [], [0]);
  return {
    node: given,
    activations: [given.input[0] ?? ''],
    constants: [],
    weights: isAnchor
      ? { tensor: constant, inputIndex: 1, axis: 0, bias: bias && { tensor: constant, factor: 1, ...bias } }
      : undefined,
    outputEdges: [given.output[0] ?? ''],
    absorbed: undefined,
  };
}

/** x → Q → DQ → given → Q → DQ → y; `given` reads d and gives f. Other parts replace those of the same name. */
function group(
  given: NodeProto,
  {
    before = [quantize('x', 'q', 'x'), dequantize('q', 'd', 'x'), dequantize('w_q', 'w', 'w')],
    after = [quantize('f', 'r', 'y'), dequantize('r', 'y', 'y')],
    outputs = ['y'],
    dims = [1, 2, 4, 4] as readonly number[],
    constants = dequantized('w', [3, 2, 1, 1]),
    opset = 13,
  } = {},
): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', dims)],
      nodes: [...before, given, ...after],
      outputs: outputs.map((name) => value(name)),
      initializers: [...grid('x', 0.03, 128), ...grid('y', 0.02, 100), ...constants],
    }),
    { opset, imports: { 'com.microsoft': 1 } },
  );
}

async function convert(
  given: OnnxModel,
  plan: PlannedNode,
  dims: readonly number[] = [1, 2, 4, 4],
): Promise<QOperatorReport> {
  const feeds = { x: wavyFeed(...dims) };
  const before = await runOptimized(copyOf(given), feeds);
  const report = unwrap(toQOperator(viewGraph(given), [plan]));
  const after = await runOptimized(given, feeds);
  for (const [name, { data }] of Object.entries(before)) expect(after[name]?.data).toEqual(data);
  return report;
}

describe('a group around one node', () => {
  const SAME_GRID = [quantize('f', 'r', 'x'), dequantize('r', 'y', 'x')];
  const pool = () => node('MaxPool', ['d'], ['f'], { kernel_shape: [2, 2] });
  const sigmoid = () => node('Sigmoid', ['d'], ['f']);

  it.each<[string, NodeProto, Parameters<typeof group>[1], string]>([
    ['that moves codes to another grid', pool(), {}, 'its result is rounded to another grid than its input'],
    [
      'that moves what was not rounded',
      pool(),
      { before: [node('Tanh', ['x'], ['d'])] },
      'an input of it is not made of codes',
    ],
    [
      'that computes with what was not rounded',
      node('Add', ['d', 'x'], ['f']),
      {},
      'an input of it is not made of codes',
    ],
    [
      'whose result is also read in float32',
      sigmoid(),
      { outputs: ['y', 'f'] },
      'its result is read in float32',
    ],
    [
      'whose moved result is also read in float32',
      pool(),
      { after: SAME_GRID, outputs: ['y', 'f'] },
      'its result is read in float32',
    ],
    [
      'whose result goes through another node',
      sigmoid(),
      { after: [node('Neg', ['f'], ['g']), quantize('g', 'r', 'y'), dequantize('r', 'y', 'y')] },
      'its result goes through Neg before it is rounded, which changes codes',
    ],
    [
      'whose codes are made by operators of another domain',
      sigmoid(),
      {
        before: [quantize('x', 'q', 'x', 'com.microsoft'), dequantize('q', 'd', 'x', 'com.microsoft')],
      },
      'an input of it is not made of codes',
    ],
    [
      'whose weights are no codes',
      node('Conv', ['d', 'w'], ['f']),
      {
        before: [quantize('x', 'q', 'x'), dequantize('q', 'd', 'x')],
        constants: [waveConstant('w', [3, 2, 1, 1])],
      },
      'an input of it is not made of codes',
    ],
    [
      'of a Conv with a float32 bias',
      node('Conv', ['d', 'w', 'b'], ['f']),
      { constants: [...dequantized('w', [3, 2, 1, 1]), waveConstant('b', [3])] },
      'its bias is float32, and the operator on codes adds int32',
    ],
    [
      'of a Gemm with a float32 bias',
      node('Gemm', ['d', 'w', 'b'], ['f']),
      { dims: [4, 2], constants: [...dequantized('w', [2, 3]), waveConstant('b', [3])] },
      'its bias is float32, and the operator on codes adds int32',
    ],
  ])('%s stays as it is', async (_, given, parts, reason) => {
    const whole = group(given, parts);
    const before = opTypesOf(whole);
    const report = await convert(whole, planOf(given), parts?.dims);
    expect(report).toMatchObject({ converted: 0, left: [{ node: 'f_node', op: given.opType, reason }] });
    expect(opTypesOf(whole)).toEqual(before);
  });

  it('that moves codes on their grid reads and gives codes', async () => {
    const given = pool();
    const whole = group(given, { after: SAME_GRID });
    expect((await convert(whole, planOf(given))).left).toEqual([]);
    expect(given).toMatchObject({ opType: 'MaxPool', input: ['q'], output: ['r'] });
  });

  it.each([
    ['the last axis', {}],
    ['another axis', { axis: 0 }],
  ])('of a Softmax along %s becomes a QLinearSoftmax', async (_, attributes) => {
    const given = node('Softmax', ['d'], ['f'], attributes);
    expect((await convert(group(given), planOf(given))).left).toEqual([]);
    expect(given).toMatchObject({ opType: 'QLinearSoftmax', domain: 'com.microsoft' });
  });

  it('of a MatMul adds a float32 vector in its kernel', async () => {
    const given = node('MatMul', ['d', 'w'], ['p']);
    const add = node('Add', ['b', 'p'], ['y']);
    const whole = group(given, {
      after: [add],
      dims: [2, 4, 2],
      constants: [...dequantized('w', [2, 3]), waveConstant('b', [3])],
    });
    const feeds = { x: wavyFeed(2, 4, 2) };
    const before = await runOptimized(copyOf(whole), feeds);
    unwrap(toQOperator(viewGraph(whole), [planOf(given, { reader: add, inputIndex: 0 })]));
    expect(graphOf(whole).node.at(-1)).toMatchObject({ opType: 'MatMulIntegerToFloat', output: ['y'] });
    expect(sqnrDb(before, await runOptimized(whole, feeds))).toBeGreaterThan(120);
  });
});
