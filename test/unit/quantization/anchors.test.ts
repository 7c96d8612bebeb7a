import { describe, expect, it } from 'vitest';
import { indexGraph } from '../../../src/onnx/graph-index.ts';
import type { NodeProto, TensorProto } from '../../../src/onnx/messages.ts';
import { anchorRefusal, anchorWeights } from '../../../src/quantization/anchors.ts';
import { float, graph, node, tensor, value } from '../../support/graph-builder.ts';

function zeros(name: string, dims: readonly number[], type: 'float' | 'float16' = 'float'): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return tensor(name, dims, new Array<number>(count).fill(0), type);
}

/** The graph of one anchor that reads x, and of the nodes behind it. */
function around(constants: readonly TensorProto[], ...nodes: readonly NodeProto[]) {
  const [anchor] = nodes;
  if (anchor === undefined) throw new Error('an anchor is needed');
  const index = indexGraph(
    graph({
      inputs: [value('x'), value('v')],
      nodes,
      outputs: [value(nodes.at(-1)?.output[0] ?? '')],
      initializers: constants,
    }),
  );
  return { anchor, index };
}

function refusalOf(constants: readonly TensorProto[], anchor: NodeProto): string | undefined {
  return anchorRefusal(anchor, around(constants, anchor).index);
}

describe('anchorRefusal', () => {
  const conv = node('Conv', ['x', 'w', 'b'], ['y']);
  const gemm = node('Gemm', ['x', 'w', 'b'], ['y']);
  const transposed = node('Gemm', ['x', 'w', 'b'], ['y'], { transB: 1 });
  const matMul = node('MatMul', ['x', 'w'], ['y']);

  it.each([
    ['a Conv with a bias', conv, [zeros('w', [4, 3, 3, 3]), zeros('b', [4])]],
    ['a Conv without one', node('Conv', ['x', 'w'], ['y']), [zeros('w', [4, 3, 3, 3])]],
    ['a Gemm', gemm, [zeros('w', [3, 4]), zeros('b', [4])]],
    ['a Gemm with a row for a bias', gemm, [zeros('w', [3, 4]), zeros('b', [1, 4])]],
    ['a transposed Gemm', transposed, [zeros('w', [4, 3]), zeros('b', [4])]],
    ['a Gemm of one column with a scalar bias', gemm, [zeros('w', [3, 1]), zeros('b', [])]],
    ['a Gemm that leaves its bias out', node('Gemm', ['x', 'w', ''], ['y']), [zeros('w', [3, 4])]],
    ['a MatMul', matMul, [zeros('w', [3, 4])]],
  ])('lets %s pass', (_, anchor, constants) => {
    expect(refusalOf(constants, anchor)).toBeUndefined();
  });

  it.each([
    ['a Conv of varying weights', node('Conv', ['x', 'v'], ['y']), [], 'its weights are not constant'],
    ['a product of two activations', node('MatMul', ['x', 'v'], ['y']), [], 'both inputs vary at run time'],
    [
      'a MatMul with the constant in front',
      node('MatMul', ['w', 'x'], ['y']),
      [zeros('w', [3, 3])],
      'its first input is constant',
    ],
    ['float16 weights', matMul, [zeros('w', [3, 4], 'float16')], 'its weights are not float32'],
    ['a MatMul with a vector', matMul, [zeros('w', [3])], 'its weights have fewer than two dimensions'],
    [
      'a MatMul with a batch of matrices',
      matMul,
      [zeros('w', [2, 3, 4])],
      'its weights are a batch of matrices',
    ],
    ['empty weights', matMul, [zeros('w', [0, 4])], 'its weights are empty'],
    [
      'a varying bias',
      node('Conv', ['x', 'w', 'v'], ['y']),
      [zeros('w', [4, 3, 3])],
      'its bias is not constant',
    ],
    ['a float16 bias', gemm, [zeros('w', [3, 4]), zeros('b', [4], 'float16')], 'its bias is not float32'],
    [
      'a scalar bias for several columns',
      gemm,
      [zeros('w', [3, 4]), zeros('b', [])],
      'its bias is not one value a channel',
    ],
    [
      'one value for several columns',
      gemm,
      [zeros('w', [3, 4]), zeros('b', [1])],
      'its bias is not one value a channel',
    ],
    [
      'a column for a bias, as long as the row would be',
      gemm,
      [zeros('w', [3, 4]), zeros('b', [4, 1])],
      'its bias is not one value a channel',
    ],
    [
      'a matrix for a bias',
      gemm,
      [zeros('w', [3, 4]), zeros('b', [2, 4])],
      'its bias is not one value a channel',
    ],
  ])('refuses %s', (_, anchor, constants, reason) => {
    expect(refusalOf(constants, anchor)).toBe(reason);
  });
});

describe('anchorWeights', () => {
  it.each([
    ['Conv', {}, 0],
    ['Gemm', {}, 1],
    ['Gemm', { transB: 0 }, 1],
    ['Gemm', { transB: 1 }, 0],
    ['MatMul', {}, 1],
  ])('of a %s with %j have their channels on axis %i', (opType, attributes, axis) => {
    const { anchor, index } = around([zeros('w', [4, 4])], node(opType, ['x', 'w'], ['y'], attributes));
    expect(anchorWeights(anchor, index).axis).toBe(axis);
  });

  it("carry Gemm's beta as the factor of the bias", () => {
    const constants = [zeros('w', [3, 4]), zeros('b', [4])];
    const { anchor, index } = around(constants, node('Gemm', ['x', 'w', 'b'], ['y'], { beta: float(0.5) }));
    expect(anchorWeights(anchor, index).bias).toMatchObject({ reader: anchor, inputIndex: 2, factor: 0.5 });
  });

  it.each([
    ['behind', ['p', 'b'], [4], 1],
    ['in front', ['b', 'p'], [4], 0],
    ['as a row', ['p', 'b'], [1, 4], 1],
  ])('of a MatMul take the bias that an Add adds, %s', (_, inputs, dims, inputIndex) => {
    const add = node('Add', inputs, ['y']);
    const constants = [zeros('w', [3, 4]), zeros('b', dims)];
    const { anchor, index } = around(constants, node('MatMul', ['x', 'w'], ['p']), add);
    expect(anchorWeights(anchor, index).bias).toMatchObject({ reader: add, inputIndex, factor: 1 });
  });

  it.each([
    ['an Add of a varying tensor', [node('Add', ['p', 'v'], ['y'])], []],
    ['an Add that broadcasts one value', [node('Add', ['p', 'b'], ['y'])], [zeros('b', [1])]],
    ['an Add that varies along the rows', [node('Add', ['p', 'b'], ['y'])], [zeros('b', [4, 1])]],
    ['an Add that changes the rank', [node('Add', ['p', 'b'], ['y'])], [zeros('b', [1, 1, 4])]],
    ['another operator', [node('Mul', ['p', 'b'], ['y'])], [zeros('b', [4])]],
    [
      'a product that something else reads as well',
      [node('Relu', ['p'], ['r']), node('Add', ['p', 'b'], ['y'])],
      [zeros('b', [4])],
    ],
  ])('of a MatMul leave %s alone', (_, behind, constants) => {
    const { anchor, index } = around(
      [zeros('w', [3, 4]), ...constants],
      node('MatMul', ['x', 'w'], ['p']),
      ...behind,
    );
    expect(anchorWeights(anchor, index).bias).toBeUndefined();
  });
});
