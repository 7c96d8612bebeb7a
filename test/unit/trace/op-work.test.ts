import { describe, expect, it } from 'vitest';
import { opWork } from '../../../src/trace/op-work.ts';
import { readShapes } from '../../../src/trace/work/typed-shape.ts';

const float = (...dims: number[]) => ({ type: 'float', dims });
const uint8 = (...dims: number[]) => ({ type: 'uint8', dims });
const int8 = (...dims: number[]) => ({ type: 'int8', dims });
const int64 = (...dims: number[]) => ({ type: 'int64', dims });
type Shape = ReturnType<typeof float>;
type Call = readonly [
  op: string,
  inputs: readonly Shape[],
  outputs: readonly Shape[],
  flops: number | null,
  bytes: number | null,
];

describe('the work of an operator', () => {
  it.each<Call>([
    // 2·(1·16·10·10)·(3·3·3), and 4 bytes for each of 192, 432, 16 and 1600.
    ['Conv', [float(1, 3, 12, 12), float(16, 3, 3, 3), float(16)], [float(1, 16, 10, 10)], 86_400, 9920],
    // Of 16 groups.
    ['Conv', [float(1, 16, 8, 8), float(16, 1, 3, 3)], [float(1, 16, 8, 8)], 18_432, 8768],
    [
      'FusedConv',
      [float(1, 129, 4), float(128, 129, 3), float(128)],
      [float(1, 128, 4)],
      396_288,
      4 * (516 + 49_536 + 128 + 512),
    ],
    [
      'ConvInteger',
      [uint8(1, 2, 4, 4), int8(3, 2, 1, 1), uint8()],
      [{ type: 'int32', dims: [1, 3, 4, 4] }],
      192,
      231,
    ],
    [
      'QLinearConv',
      [uint8(1, 2, 4, 4), float(), uint8(), int8(3, 2, 3, 3), float(), int8(), float(), uint8()],
      [uint8(1, 3, 2, 2)],
      432,
      113,
    ],
    // 2·(1·4·5·5)·(2·3·3)
    ['ConvTranspose', [float(1, 4, 5, 5), float(4, 2, 3, 3)], [float(1, 2, 7, 7)], 3600, 4 * (100 + 72 + 98)],
    ['Gemm', [float(2, 8), float(8, 4), float(4)], [float(2, 4)], 128, 4 * (16 + 32 + 4 + 8)],
    ['Gemm', [float(8, 2), float(4, 8)], [float(2, 4)], 128, 4 * (16 + 32 + 8)],
    ['MatMul', [float(3, 5, 7), float(7, 2)], [float(3, 5, 2)], 420, 4 * (105 + 14 + 30)],
    ['MatMul', [float(7), float(7)], [float()], 14, 4 * 15],
    ['MatMul', [float(5, 7), float(7)], [float(5)], 70, 4 * 47],
    [
      'FusedMatMul',
      [float(2, 99, 64), float(2, 99, 64)],
      [float(2, 99, 99)],
      2 * 2 * 99 * 99 * 64,
      4 * 2 * (2 * 6336 + 9801),
    ],
    // A transposed: [K, M].
    ['FusedMatMul', [float(7, 5), float(7, 2)], [float(5, 2)], 140, 4 * (35 + 14 + 10)],
    [
      'QLinearMatMul',
      [uint8(4, 6), float(), uint8(), int8(6, 2), float(), int8(), float(), uint8()],
      [uint8(4, 2)],
      96,
      24 + 12 + 8 + 12 + 3,
    ],
    [
      'LSTM',
      [float(2, 1, 3), float(1, 20, 3), float(1, 20, 5), float(1, 40)],
      [float(2, 1, 1, 5), float(1, 1, 5), float(1, 1, 5)],
      2 * 2 * 20 * 8,
      4 * (6 + 60 + 100 + 40 + 10 + 5 + 5),
    ],
    [
      'GRU',
      [float(2, 1, 3), float(2, 15, 3), float(2, 15, 5)],
      [float(2, 1, 5)],
      2 * 2 * 2 * 15 * 8,
      4 * (6 + 90 + 150 + 10),
    ],
    [
      'RNN',
      [float(1, 2, 4), float(1, 4, 4), float(1, 4, 4)],
      [float(1, 2, 4)],
      2 * 2 * 4 * 8,
      4 * (8 + 16 + 16 + 8),
    ],
    // Projections 2·(1·3·8)·24, then two products of 2·3·3·8.
    [
      'Attention',
      [float(1, 3, 8), float(8, 24), float(24)],
      [float(1, 3, 8)],
      1152 + 288,
      4 * (24 + 192 + 24 + 24),
    ],
    [
      'Attention',
      [float(1, 2, 3, 4), float(1, 2, 5, 4), float(1, 2, 5, 4)],
      [float(1, 2, 3, 4)],
      2 * 6 * 5 * 8,
      4 * (24 + 40 + 40 + 24),
    ],
    [
      'MultiHeadAttention',
      [float(1, 3, 8), float(1, 5, 8), float(1, 5, 8)],
      [float(1, 3, 8)],
      2 * 3 * 5 * 16,
      4 * (24 + 40 + 40 + 24),
    ],
    ['Add', [float(2, 3), float(3)], [float(2, 3)], 6, 60],
    ['Sigmoid', [float(10)], [float(10)], 40, 80],
    ['Max', [float(4), float(4), float(4)], [float(4)], 8, 64],
    ['Softmax', [float(2, 10)], [float(2, 10)], 100, 160],
    ['ReduceMean', [float(2, 10)], [float(2, 1)], 20, 88],
    ['LayerNormalization', [float(2, 10), float(10), float(10)], [float(2, 10)], 140, 240],
    ['GlobalAveragePool', [float(1, 4, 7, 7)], [float(1, 4, 1, 1)], 196, 4 * 200],
    ['QuantizeLinear', [float(8), float(), uint8()], [uint8(8)], 16, 45],
    ['DequantizeLinear', [uint8(8), float(), uint8()], [float(8)], 16, 45],
    ['DynamicQuantizeLinear', [float(8)], [uint8(8), float(), uint8()], 32, 45],
    ['Reshape', [float(2, 4), int64(1)], [float(8)], 0, 72],
    ['Gather', [float(1000, 4), int64(2)], [float(2, 4)], 0, 80],
    ['Shape', [float(1000, 4)], [int64(2)], 0, 16],
    ['Cast', [int64(4)], [{ type: 'float16', dims: [4] }], 0, 40],
  ])('%s on %j is what one counts by hand', (op, inputs, outputs, flops, bytes) => {
    expect(opWork({ op, inputs, outputs })).toEqual({ flops, bytes });
  });

  it.each<Call>([
    // 8 of A, 4 of the bias, 4 of Y, and 32 of B.
    ['Gemm', [float(1, 8), float(4)], [float(1, 4)], 64, 4 * 48],
    ['MatMul', [float(3, 5, 7)], [float(3, 5, 2)], 420, 4 * (105 + 14 + 30)],
    [
      'QGemm',
      [uint8(1, 8), float(), uint8(), float(4), int8(4)],
      [float(1, 4)],
      64,
      8 + 4 + 1 + 16 + 4 + 16 + 32,
    ],
    ['DynamicQuantizeMatMul', [float(2, 8), float(4)], [float(2, 4)], 128, 64 + 16 + 32 + 32],
    [
      'MatMulIntegerToFloat',
      [uint8(2, 8), float(), float(4), uint8()],
      [float(2, 4)],
      128,
      16 + 4 + 16 + 1 + 32 + 32,
    ],
    ['LSTM', [float(1, 1, 5), float(1, 40)], [float(1, 1, 1, 5)], 2 * 20 * 10, 4 * (5 + 40 + 5 + 100 + 100)],
    ['Attention', [float(1, 3, 8), float(24)], [float(1, 3, 8)], 1440, 4 * (24 + 192 + 24 + 24)],
  ])(
    '%s on %j counts weights that the runtime has packed and does not list',
    (op, inputs, outputs, flops, bytes) => {
      expect(opWork({ op, inputs, outputs })).toEqual({ flops, bytes });
    },
  );

  it('takes weights that do not follow from other shapes from the graph', () => {
    const call = {
      op: 'QLinearConv',
      inputs: [uint8(1, 8, 8, 4), float(), uint8(), float(2), int8(2), float(), uint8()],
      outputs: [uint8(1, 8, 8, 2)],
    };
    expect(opWork(call)).toEqual({ flops: null, bytes: null });
    const facts = { weights: [float(), int8(2, 4, 3, 3), int8(2)] };
    expect(opWork({ ...call, facts })).toEqual({
      flops: 2 * 128 * 36,
      bytes: 256 + 4 + 1 + 8 + 2 + 4 + 1 + 128 + 72,
    });
  });

  it('knows the products of weights of a few bits, and their bytes with the graph', () => {
    const call = {
      op: 'MatMulNBits',
      inputs: [float(2, 64), float(8, 2), uint8(8, 1)],
      outputs: [float(2, 8)],
    };
    expect(opWork(call)).toEqual({ flops: 2048, bytes: null });
    const facts = { weights: [uint8(8, 2, 16), float(8, 2), uint8(8, 1)] };
    expect(opWork({ ...call, facts })).toEqual({ flops: 2048, bytes: 512 + 64 + 8 + 64 + 256 });
  });

  it('of pooling depends on the kernel', () => {
    const call = { op: 'MaxPool', inputs: [float(1, 2, 8, 8)], outputs: [float(1, 2, 4, 4)] };
    expect(opWork(call)).toEqual({ flops: null, bytes: 4 * 160 });
    expect(opWork({ ...call, facts: { kernelShape: [3, 3] } })).toEqual({ flops: 288, bytes: 4 * 160 });
  });

  it.each([
    [
      'an operator that nobody knows',
      { op: 'Mystery', inputs: [float(2)], outputs: [float(2)] },
      { flops: null, bytes: 16 },
    ],
    [
      'elements without a size',
      { op: 'Mystery', inputs: [{ type: 'string', dims: [2] }], outputs: [float(2)] },
      { flops: null, bytes: null },
    ],
    [
      'an operator with bodies',
      { op: 'If', inputs: [{ type: 'bool', dims: [] }], outputs: [float(2)] },
      { flops: null, bytes: null },
    ],
    ['a call without shapes', { op: 'Add', inputs: [], outputs: [] }, { flops: null, bytes: null }],
    [
      'a Gemm of what is no matrix',
      { op: 'Gemm', inputs: [float(2)], outputs: [float(2)] },
      { flops: null, bytes: null },
    ],
    [
      'attention to what is remembered',
      {
        op: 'MultiHeadAttention',
        inputs: [float(1, 3, 8), float(1, 2, 5, 4), float(1, 2, 5, 4)],
        outputs: [float(1, 3, 8)],
      },
      { flops: null, bytes: null },
    ],
  ])('is not guessed for %s', (_, call, work) => {
    expect(opWork(call)).toEqual(work);
  });
});

describe('shapes in a profile', () => {
  it('are types with dimensions', () => {
    expect(readShapes('[{"float":[1,4]},{"int64":[]}]')).toEqual([float(1, 4), int64()]);
  });

  it.each(['', '{}', '[1]', '[null]', '[{"float":4}]', '[{"float":["n"]}]', '[{"float":[-1]}]'])(
    'are none in %j',
    (text) => {
      expect(readShapes(text)).toEqual([]);
    },
  );
});
