import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import { readQuantizedGraph } from '../../../../src/quantization/explain/quantized-graph.ts';
import type { QuantizedNode } from '../../../../src/quantization/explain/quantized-node.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { FITTING, qdqChain } from '../../../support/explained-models.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';

const MICROSOFT = { domain: 'com.microsoft' };

function read(nodes: readonly NodeProto[], initializers: readonly TensorProto[], opset = 13) {
  return readQuantizedGraph(
    viewGraph(
      model(graph({ inputs: [value('x', 'float', [1, 2])], nodes, outputs: [value('y')], initializers }), {
        opset,
        imports: { 'com.microsoft': 1 },
      }),
    ),
  );
}

const weightsOf = (found: QuantizedNode | undefined) => {
  const coded = found?.inputs.find((input) => input.kind === 'coded');
  return coded?.kind === 'coded' ? [...coded.constant.values()] : undefined;
};

const GRIDS = [
  tensor('xs', [], [0.5]),
  tensor('xz', [], [10], 'uint8'),
  tensor('ys', [], [0.25]),
  tensor('yz', [], [0], 'uint8'),
  tensor('ws', [2], [0.1, 1]),
  tensor('wz', [2], [0, 0], 'int8'),
];
const ROUND_X = node('QuantizeLinear', ['x', 'xs', 'xz'], ['xq']);
const GIVE_Y = node('DequantizeLinear', ['yq', 'ys', 'yz'], ['y']);

describe('readQuantizedGraph', () => {
  it('reads nodes between DequantizeLinear and QuantizeLinear', () => {
    const { nodes, unread } = readQuantizedGraph(viewGraph(qdqChain(FITTING)));
    expect(unread).toEqual([]);
    expect(nodes.map(({ name, op }) => `${name} ${op}`)).toEqual([
      'first MatMul',
      'second MatMul',
      'third MatMul',
    ]);
    expect(nodes[0]?.inputs[0]).toMatchObject({
      kind: 'rounded',
      tensor: { id: 'x', grid: { zeroPoint: 128, codes: { min: 0, max: 255 } } },
    });
    expect(nodes[0]?.rounded).toMatchObject({ id: 'h0', grid: { zeroPoint: 0 }, seen: { float: 'h0_dq' } });
    expect(nodes[2]?.rounded).toBeUndefined();
  });

  it('reads operators on codes in the terms of the float operator', () => {
    const conv = read(
      [
        ROUND_X,
        node('QLinearConv', ['xq', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz', 'b'], ['yq'], {}, { name: 'c' }),
        GIVE_Y,
      ],
      [...GRIDS, tensor('w', [2, 1, 1, 1], [3, -4], 'int8'), tensor('b', [2], [20, 2], 'int32')],
    );
    expect(conv.unread).toEqual([]);
    const [found] = conv.nodes;
    expect(found).toMatchObject({ name: 'c', op: 'Conv', rounded: { aliases: ['y', 'yq'] } });
    expect(weightsOf(found)?.map((w) => Number(w.toFixed(4)))).toEqual([0.3, -4]);
    const bias = found?.inputs[2];
    // The scale of a bias is the product of those of the factors.
    expect(bias?.kind === 'coded' ? [...bias.constant.values()] : []).toEqual([
      expect.closeTo(1),
      expect.closeTo(1),
    ]);
  });

  it('reads sums, concatenations and what moves codes between them', () => {
    const { nodes, unread } = read(
      [
        ROUND_X,
        node('QLinearAdd', ['xq', 'xs', 'xz', 'xq', 'xs', 'xz', 'ys', 'yz'], ['sq'], {}, MICROSOFT),
        node('Reshape', ['sq', 'shape'], ['rq']),
        node(
          'QLinearConcat',
          ['ys', 'yz', 'rq', 'ys', 'yz', 'sq', 'ys', 'yz'],
          ['yq'],
          { axis: 0 },
          MICROSOFT,
        ),
        GIVE_Y,
      ],
      [...GRIDS, tensor('shape', [2], [1, 2], 'int64')],
    );
    expect(unread).toEqual([]);
    expect(nodes.map(({ op }) => op)).toEqual(['Add', 'Reshape', 'Concat']);
    expect(nodes[1]?.rounded?.grid?.scale).toBe(0.25);
    expect(nodes[2]?.inputs).toHaveLength(2);
  });

  it('reads products whose input is rounded anew each time, with the scale that is multiplied in behind them', () => {
    const { nodes } = read(
      [
        node('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
        node('MatMulInteger', ['xq', 'w', 'xz'], ['p'], {}, { name: 'm' }),
        node('Cast', ['p'], ['f'], { to: 1 }),
        node('Mul', ['xs', 'ws'], ['both']),
        node('Mul', ['f', 'both'], ['y']),
      ],
      [tensor('w', [2, 2], [1, 2, 3, 4], 'int8'), tensor('ws', [2], [0.5, 10])],
    );
    expect(nodes).toMatchObject([
      { name: 'm', op: 'MatMul', output: 'y', inputs: [{ tensor: { id: 'x', grid: undefined } }, {}] },
    ]);
    expect(weightsOf(nodes[0])).toEqual([0.5, 20, 1.5, 40]);
  });

  it('reads 4-bit weights in blocks, in both forms', () => {
    // Two columns of four weights in blocks of two; of two codes in a byte the first is the low one.
    const nbits = read(
      [
        node(
          'MatMulNBits',
          ['x', 'w', 's', 'z'],
          ['y'],
          { K: 4, N: 2, bits: 4, block_size: 2 },
          { ...MICROSOFT, name: 'm' },
        ),
      ],
      [
        tensor('w', [2, 2, 1], [0x21, 0x43, 0x65, 0x87], 'uint8'),
        tensor('s', [2, 2], [1, 10, 100, 1000]),
        tensor('z', [2, 1], [0x10, 0x32], 'uint8'),
      ],
    );
    expect(weightsOf(nbits.nodes[0])).toEqual([1, 300, 2, 400, 20, 4000, 30, 5000]);
    const blocks = read(
      [
        node('DequantizeLinear', ['w', 's'], ['wd'], { axis: 0, block_size: 2 }),
        node('MatMul', ['x', 'wd'], ['y']),
      ],
      [tensor('w', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8], 'int8'), tensor('s', [2, 2], [1, 10, 100, 1000])],
      21,
    );
    expect(weightsOf(blocks.nodes[0])).toEqual([1, 20, 3, 40, 500, 6000, 700, 8000]);
  });

  it('reads weights that are rounded when the model runs', () => {
    const { nodes } = read(
      [
        node('QuantizeLinear', ['w', 'ys', 'yz'], ['wq']),
        node('DequantizeLinear', ['wq', 'ys', 'yz'], ['wd']),
        node('MatMul', ['x', 'wd'], ['y']),
      ],
      [...GRIDS, tensor('w', [2, 1], [0.3, 0.9])],
    );
    expect(weightsOf(nodes[0])).toEqual([0.25, 1]);
  });

  it('names operators on codes that it does not know', () => {
    const { unread } = read(
      [ROUND_X, node('QLinearWhere', ['xq', 'xs', 'xz'], ['yq'], {}, { ...MICROSOFT, name: 'odd' }), GIVE_Y],
      GRIDS,
    );
    expect(unread).toEqual([{ node: 'odd', op: 'QLinearWhere' }]);
  });
});
