import type { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { readTensorData } from '../../../src/onnx/tensor-data.ts';
import { INT8_REDUCED } from '../../../src/quantization/affine.ts';
import { graphOf, opTypesOf } from '../../support/chain.ts';
import { intsConstant, waveConstant } from '../../support/constants.ts';
import { float, graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import {
  expectSamePorts,
  type QuantizedInMemory,
  quantizeInMemory,
  recipeWith,
  runOptimized,
  sqnrDb,
} from '../../support/quantize-in-memory.ts';
import { type Feeds, runModel, wavyFeed } from '../../support/run-model.ts';
import { unwrap } from '../../support/unwrap.ts';

interface Given {
  readonly nodes: readonly NodeProto[];
  readonly constants: readonly TensorProto[];
  readonly dims?: readonly number[];
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

function modelOf({ nodes, constants, dims = [1, 3, 8, 8], outputs = ['y'], opset = 13 }: Given): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', dims)],
      nodes,
      outputs: outputs.map((name) => value(name)),
      initializers: constants,
    }),
    { opset },
  );
}

/**
 * Quantizes, and checks what holds for every model: the ports are the same, the results are close to float, and the
 * runtime's fused kernels compute what the graph says.
 */
async function quantizeAndCheck(
  given: Given,
  more: Parameters<typeof quantizeInMemory>[2] & { readonly leastDb?: number } = {},
): Promise<QuantizedInMemory> {
  const original = modelOf(given);
  const feeds: Feeds = { x: wavyFeed(...(given.dims ?? [1, 3, 8, 8])) };
  const result = await quantizeInMemory(original, [feeds], more);
  expectSamePorts(original, result.quantized);
  const asWritten = await runModel(result.quantized, feeds);
  expect(sqnrDb(await runModel(original, feeds), asWritten)).toBeGreaterThan(more.leastDb ?? 30);
  expect(sqnrDb(asWritten, await runOptimized(result.quantized, feeds))).toBeGreaterThan(45);
  return result;
}

/** The values of a constant by the name that quantization gave it. */
function constantOf({ quantized }: QuantizedInMemory, name: string) {
  const found = graphOf(quantized).initializer.find((constant) => constant.name === name);
  if (found === undefined) throw new Error(`there is no constant ${name}`);
  return { dims: found.dims, data: unwrap(readTensorData(quantized, found)) };
}

function dequantizerOf({ quantized }: QuantizedInMemory, codes: string): NodeProto {
  const found = graphOf(quantized).node.find(
    ({ opType, input }) => opType === 'DequantizeLinear' && input[0] === codes,
  );
  if (found === undefined) throw new Error(`nothing dequantizes ${codes}`);
  return found;
}

function axisOf(dequantize: NodeProto): number | undefined {
  const axis = dequantize.attribute.find(({ name }) => name === 'axis')?.i;
  return axis === undefined ? undefined : Number(axis);
}

describe('weights', () => {
  const bias = waveConstant('b', [4], { amplitude: 0.3 });

  it.each([
    ['a Conv', [4, 3, 3, 3], [1, 3, 8, 8], 'Conv', {}, 0],
    ['a Conv over one axis', [4, 3, 3], [1, 3, 8], 'Conv', {}, 0],
    ['a Conv over three axes', [4, 3, 3, 3, 3], [1, 3, 5, 5, 5], 'Conv', {}, 0],
    ['a grouped Conv', [4, 2, 3, 3], [1, 4, 8, 8], 'Conv', { group: 2 }, 0],
    ['a depthwise Conv', [4, 1, 3, 3], [1, 4, 8, 8], 'Conv', { group: 4 }, 0],
    ['a Gemm', [16, 4], [2, 16], 'Gemm', {}, 1],
    ['a transposed Gemm', [4, 16], [2, 16], 'Gemm', { transB: 1 }, 0],
  ])('of %s get one scale a channel', async (_, dims, inputDims, opType, attributes, axis) => {
    const result = await quantizeAndCheck({
      nodes: [node(opType, ['x', 'w', 'b'], ['y'], attributes)],
      constants: [waveConstant('w', dims), bias],
      dims: inputDims,
    });
    const codes = constantOf(result, 'w_quantized');
    expect(codes.dims).toEqual(dims);
    expect(codes.data).toBeInstanceOf(Int8Array);
    expect(Math.max(...(codes.data as Int8Array))).toBeLessThanOrEqual(127);
    expect(Math.min(...(codes.data as Int8Array))).toBeGreaterThanOrEqual(-127);
    expect(axisOf(dequantizerOf(result, 'w_quantized'))).toBe(axis);
    expect(constantOf(result, 'w_scale').dims).toEqual([4]);
    expect(constantOf(result, 'b_quantized').data).toBeInstanceOf(Int32Array);
  });

  it('of a MatMul get one scale a column, and the bias behind it becomes int32', async () => {
    const result = await quantizeAndCheck({
      nodes: [node('MatMul', ['x', 'w'], ['p']), node('Add', ['p', 'b'], ['y'])],
      constants: [waveConstant('w', [16, 4]), bias],
      dims: [1, 5, 16],
    });
    expect(axisOf(dequantizerOf(result, 'w_quantized'))).toBe(1);
    expect(constantOf(result, 'b_quantized').data).toBeInstanceOf(Int32Array);
    expect(opTypesOf(result.quantized)).toContain('Add');
  });

  it('get one scale in all where the recipe asks for that', async () => {
    const result = await quantizeAndCheck(
      {
        nodes: [node('Conv', ['x', 'w', 'b'], ['y'])],
        constants: [waveConstant('w', [4, 3, 3, 3]), bias],
      },
      { recipe: recipeWith({ perTensor: true }) },
    );
    expect(constantOf(result, 'w_scale').dims).toEqual([]);
    expect(constantOf(result, 'b_scale').dims).toEqual([]);
    expect(axisOf(dequantizerOf(result, 'w_quantized'))).toBeUndefined();
  });

  it('stay within seven bits on a reduced grid', async () => {
    const result = await quantizeAndCheck(
      {
        nodes: [node('Conv', ['x', 'w', 'b'], ['y'])],
        constants: [waveConstant('w', [4, 3, 3, 3]), bias],
      },
      { grid: INT8_REDUCED, leastDb: 25 },
    );
    const { data } = constantOf(result, 'w_quantized');
    expect(Math.max(...(data as Int8Array).map(Math.abs))).toBe(64);
  });

  it('shared by two convolutions are quantized for each, and a shared bias too, as its grid depends on the input', async () => {
    const result = await quantizeAndCheck({
      nodes: [
        node('Conv', ['x', 'w', 'b'], ['c'], { pads: [1, 1, 1, 1] }),
        node('Conv', ['c', 'w', 'b'], ['y']),
      ],
      constants: [waveConstant('w', [3, 3, 3, 3], { amplitude: 0.3 }), waveConstant('b', [3])],
    });
    expect(constantOf(result, 'w_quantized').data).toEqual(constantOf(result, 'w_quantized_1').data);
    expect(constantOf(result, 'b_quantized').data).not.toEqual(constantOf(result, 'b_quantized_1').data);
  });

  it('that float nodes read as well stay there as they are', async () => {
    const { quantized } = await quantizeAndCheck({
      nodes: [
        node('Conv', ['x', 'w', 'b'], ['c']),
        node('ReduceMax', ['w'], ['z'], { keepdims: 0 }),
        node('Add', ['c', 'z'], ['y']),
      ],
      constants: [waveConstant('w', [4, 3, 3, 3]), bias],
    });
    expect(graphOf(quantized).initializer.map(({ name }) => name)).toContain('w');
  });

  it('with alpha and beta of a Gemm folded in leave neither attribute behind', async () => {
    const result = await quantizeAndCheck({
      nodes: [node('Gemm', ['x', 'w', 'b'], ['y'], { alpha: float(0.5), beta: float(-3), transB: 1 })],
      constants: [waveConstant('w', [4, 16]), waveConstant('b', [1, 4])],
      dims: [2, 16],
    });
    const gemm = graphOf(result.quantized).node.find(({ opType }) => opType === 'Gemm');
    expect(gemm?.attribute.map(({ name }) => name)).toEqual(['transB']);
  });

  it('of almost nothing do not cost their channel its bias', async () => {
    const weights = waveConstant('w', [4, 3, 3, 3]);
    const data = Float32Array.from({ length: 108 }, (_, i) => (i < 27 ? 0 : i < 54 ? 1e-30 : Math.sin(i)));
    const { quantized } = await quantizeInMemory(
      modelOf({
        nodes: [node('Conv', ['x', 'w', 'b'], ['y'])],
        constants: [tensor('w', weights.dims, [...data]), tensor('b', [4], [0.125, -7.5, 0.3, 1])],
      }),
      [{ x: wavyFeed(1, 3, 8, 8) }],
    );
    const { y } = await runOptimized(quantized, { x: wavyFeed(1, 3, 8, 8) });
    const [zero = 0] = (y as Tensor).data as Float32Array;
    const tiny = ((y as Tensor).data as Float32Array)[36] ?? 0;
    // One step of the output's grid is about 0.1 here.
    expect(Math.abs(zero - 0.125)).toBeLessThan(0.1);
    expect(Math.abs(tiny + 7.5)).toBeLessThan(0.1);
  });
});

describe('activations', () => {
  const constants = [
    waveConstant('w', [4, 3, 3, 3]),
    waveConstant('b', [4]),
    waveConstant('v', [5, 4, 3, 3]),
    waveConstant('d', [5]),
    waveConstant('k', [4, 1, 1]),
  ];
  const first = node('Conv', ['x', 'w', 'b'], ['c'], { pads: [1, 1, 1, 1] });
  const last = (from: string) => node('Conv', [from, 'v', 'd'], ['y']);
  const between = (...nodes: readonly NodeProto[]) => ({
    nodes: [first, ...nodes, last(nodes.at(-1)?.output[0] ?? 'c')],
    constants,
  });

  it('have one pair of Q and DQ an edge, and parameters shared along operators that move data', async () => {
    const { quantized } = await quantizeAndCheck(
      between(
        node('Relu', ['c'], ['r']),
        node('MaxPool', ['r'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }),
      ),
    );
    const quantizers = graphOf(quantized).node.filter(({ opType }) => opType === 'QuantizeLinear');
    expect(quantizers.map(({ input }) => input.slice(1))).toEqual([
      ['x_scale', 'x_zero_point'],
      ['r_scale', 'r_zero_point'],
      ['r_scale', 'r_zero_point'],
      ['y_scale', 'y_zero_point'],
    ]);
  });

  it.each([
    ['a tensor added to itself', [node('Add', ['c', 'c'], ['m'])]],
    ['a constant', [node('LeakyRelu', ['c'], ['l']), node('Mul', ['k', 'l'], ['m'])]],
    ['a Sigmoid and a Mul', [node('Sigmoid', ['c'], ['s']), node('Mul', ['c', 's'], ['m'])]],
    ['a LeakyRelu', [node('LeakyRelu', ['c'], ['m'], { alpha: float(0.2) })]],
    ['an AveragePool', [node('AveragePool', ['c'], ['m'], { kernel_shape: [2, 2], count_include_pad: 1 })]],
    ['a Transpose', [node('Transpose', ['c'], ['m'], { perm: [0, 1, 3, 2] })]],
  ])('between two convolutions survive %s', async (_, nodes) => {
    const { placement } = await quantizeAndCheck(between(...nodes));
    expect(placement.nodes).toHaveLength(2 + nodes.length);
  });

  it.each([
    [
      'that leaves a cell out at the end',
      { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1, count_include_pad: 1, pads: [1, 1, 1, 1] },
      13,
    ],
    ['with dilations', { kernel_shape: [2, 2], dilations: [2, 2] }, 19],
    ['with dilations that say nothing', { kernel_shape: [2, 2], dilations: [1, 1] }, 19],
  ])(
    'are right behind an AveragePool %s, which the runtime would fuse wrongly',
    async (_, attributes, opset) => {
      await quantizeAndCheck({ ...between(node('AveragePool', ['c'], ['m'], attributes)), opset });
    },
  );

  it.each([
    ['a Relu', ['c'], 'Relu'],
    ['a Clip to bounds that the grid ends at', ['c', 'low', 'high'], 'Clip'],
  ])('lose %s that rounding does anyway', async (_, inputs, opType) => {
    const { quantized } = await quantizeAndCheck({
      nodes: [first, node(opType, inputs, ['m']), last('m')],
      constants: [...constants, tensor('low', [], [-0.7]), tensor('high', [], [1.3])],
    });
    expect(opTypesOf(quantized)).not.toContain(opType);
  });

  it('keep a Clip that cuts inside the grid', async () => {
    const { quantized } = await quantizeAndCheck({
      nodes: [first, node('Clip', ['c', 'low'], ['m']), last('m')],
      constants: [...constants, tensor('low', [], [0.5])],
    });
    expect(opTypesOf(quantized)).toContain('Clip');
  });

  it('keep a Relu whose result a float node reads too', async () => {
    const { quantized } = await quantizeAndCheck({
      nodes: [
        node('Neg', ['x'], ['n']),
        node('Relu', ['n'], ['r']),
        node('Conv', ['r', 'w', 'b'], ['y']),
        node('Tanh', ['r'], ['z']),
      ],
      constants,
      outputs: ['y', 'z'],
    });
    expect(opTypesOf(quantized)).toContain('Relu');
  });

  it('keep their names for float readers and the caller, whether their producer runs in int8 or not', async () => {
    const { quantized } = await quantizeAndCheck({
      nodes: [first, node('Tanh', ['c'], ['t']), node('Add', ['t', 'c'], ['s']), last('s')],
      constants,
      outputs: ['y', 'c', 's', 't'],
    });
    const makers = new Map(graphOf(quantized).node.flatMap((n) => n.output.map((name) => [name, n.opType])));
    expect([makers.get('c'), makers.get('t'), makers.get('s')]).toEqual(['DequantizeLinear', 'Tanh', 'Add']);
  });

  it('of a body are untouched, and what it captures keeps its name', async () => {
    const branch = (opType: string, result: string) =>
      graph({ nodes: [node(opType, ['c', 'c'], [result])], outputs: [value(result)] });
    const given = {
      nodes: [
        first,
        node('ReduceMax', ['x'], ['max'], { keepdims: 0 }),
        node('Cast', ['max'], ['flag'], { to: 9 }),
        node('If', ['flag'], ['i'], { then_branch: branch('Add', 't'), else_branch: branch('Mul', 'e') }),
        last('i'),
      ],
      constants,
    };
    const { quantized } = await quantizeAndCheck(given);
    expect(opTypesOf(quantized)).toContain('If');
  });

  it('may be an input of the graph that is an output as well', async () => {
    const { quantized } = await quantizeAndCheck({ ...between(), outputs: ['y', 'x'] });
    expect(graphOf(quantized).output.map(({ name }) => name)).toEqual(['y', 'x']);
  });

  it('give names that clash with none of the graph', async () => {
    const names = ['x_quantized', 'c_scale', 'c_float', 'w_quantized', 'y_QuantizeLinear'];
    let from = 'c';
    const nodes = names.map((name) => {
      const made = node('Neg', [from], [name], {}, { name: `${name}` });
      from = name;
      return made;
    });
    const { quantized } = await quantizeAndCheck(between(...nodes));
    const outputs = graphOf(quantized).node.flatMap(({ output }) => output);
    expect(new Set(outputs).size).toBe(outputs.length);
  });

  it('of a dynamic batch keep its named dimension', async () => {
    const given = modelOf(between());
    const [input] = graphOf(given).input;
    if (input?.type?.tensorType !== undefined) {
      input.type.tensorType.shape = {
        dim: [{ dimParam: 'batch' }, { dimValue: 3 }, { dimValue: 8 }, { dimValue: 8 }],
      };
    }
    const { quantized } = await quantizeInMemory(given, [{ x: wavyFeed(1, 3, 8, 8) }]);
    expectSamePorts(given, quantized);
    const { y } = await runOptimized(quantized, { x: wavyFeed(4, 3, 8, 8) });
    expect(y?.dims).toEqual([4, 5, 6, 6]);
  });

  it('of several outputs of a Split are quantized one by one', async () => {
    const { placement } = await quantizeAndCheck({
      nodes: [
        first,
        node('Split', ['c', 'parts'], ['s', 't'], { axis: 1 }),
        node('Concat', ['t', 's'], ['m'], { axis: 1 }),
        last('m'),
      ],
      constants: [...constants, intsConstant('parts', 1, 3)],
    });
    expect(placement.nodes).toHaveLength(4);
  });
});
