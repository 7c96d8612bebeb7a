import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NumericArray } from '../../../src/core/tensor.ts';
import { DATA_TYPE, type Payload, type TensorProto } from '../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { readAsFloat32, readTensorData, tensorFrom } from '../../../src/onnx/tensor-data.ts';
import { graph, model } from '../../support/graph-builder.ts';
import { unwrap } from '../../support/unwrap.ts';

const MODEL: OnnxModel = model(graph({ nodes: [], outputs: [] }));

function tensor(dataType: number, dims: number[], data: Partial<TensorProto>): TensorProto {
  return { name: 'w', dims, dataType, stringData: [], externalData: [], metadataProps: [], ...data };
}

function memory(bytes: ArrayLike<number> | ArrayBuffer): Payload {
  return { kind: 'memory', bytes: new Uint8Array(bytes as ArrayLike<number>) };
}

function read(from: TensorProto) {
  return unwrap(readTensorData(MODEL, from));
}

const ARRAYS: readonly (readonly [string, NumericArray])[] = [
  ['float32', Float32Array.of(1.5, -0, Number.NaN, Number.POSITIVE_INFINITY)],
  ['float64', Float64Array.of(Math.PI, -1e300)],
  ['int8', Int8Array.of(-128, 127)],
  ['uint8', Uint8Array.of(0, 255)],
  ['int16', Int16Array.of(-32768, 32767)],
  ['uint16', Uint16Array.of(0, 65535)],
  ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
  ['uint32', Uint32Array.of(0, 2 ** 32 - 1)],
  ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
  ['uint64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
];

describe('a tensor made from a typed array', () => {
  it.each(ARRAYS)('gives back %s', (_type, data) => {
    expect(read(tensorFrom('w', [data.length], data))).toEqual(data);
  });

  it('does not share memory with the array, nor what is read from it', () => {
    const data = Float32Array.of(1, 2);
    const made = tensorFrom('w', [2], data);
    data[0] = 9;
    const first = read(made) as Float32Array;
    first[1] = 9;
    expect(read(made)).toEqual(Float32Array.of(1, 2));
  });

  it('takes a scalar and an empty tensor', () => {
    expect(read(tensorFrom('w', [], Float32Array.of(3)))).toEqual(Float32Array.of(3));
    expect(read(tensorFrom('w', [0, 4], new Float32Array(0)))).toEqual(new Float32Array(0));
  });

  it('takes bits of another type, and packed ones', () => {
    expect(tensorFrom('w', [1], Uint16Array.of(0x3c00), DATA_TYPE.float16).dataType).toBe(DATA_TYPE.float16);
    expect(read(tensorFrom('w', [3], Uint8Array.of(0xf8, 0x07), DATA_TYPE.int4))).toEqual(
      Int8Array.of(-8, -1, 7),
    );
  });

  it('refuses an array of the wrong size', () => {
    expect(() => tensorFrom('w', [3], Float32Array.of(1, 2))).toThrow(/Expected 12 bytes .* found 8/);
  });
});

describe('reading raw data', () => {
  it('does not depend on where in memory the bytes lie', () => {
    const bytes = new Uint8Array(9);
    new DataView(bytes.buffer).setFloat64(1, Math.E, true);
    const rawData: Payload = { kind: 'memory', bytes: bytes.subarray(1) };
    expect(read(tensor(DATA_TYPE.double, [1], { rawData }))).toEqual(Float64Array.of(Math.E));
  });

  it('unpacks elements of less than a byte, the first in the lowest bits', () => {
    const rawData = memory([0x21, 0x0f]);
    expect(read(tensor(DATA_TYPE.uint4, [3], { rawData }))).toEqual(Uint8Array.of(1, 2, 15));
    expect(read(tensor(DATA_TYPE.int4, [3], { rawData }))).toEqual(Int8Array.of(1, 2, -1));
    expect(read(tensor(DATA_TYPE.uint2, [4], { rawData: memory([0b11100100]) }))).toEqual(
      Uint8Array.of(0, 1, 2, 3),
    );
    expect(read(tensor(DATA_TYPE.int2, [4], { rawData: memory([0b11100100]) }))).toEqual(
      Int8Array.of(0, 1, -2, -1),
    );
  });
});

describe('reading typed data', () => {
  it('reads floats and doubles as they lie', () => {
    const floats = Float32Array.of(1.25, -2);
    const doubles = Float64Array.of(1e-300);
    expect(read(tensor(DATA_TYPE.float, [2], { floatData: memory(floats.buffer) }))).toEqual(floats);
    expect(read(tensor(DATA_TYPE.double, [1], { doubleData: memory(doubles.buffer) }))).toEqual(doubles);
  });

  it('reads small integers and halves from varints', () => {
    const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    const int32Data = memory([...minusOne, 0x80, 0x01]);
    expect(read(tensor(DATA_TYPE.int32, [2], { int32Data }))).toEqual(Int32Array.of(-1, 128));
    expect(read(tensor(DATA_TYPE.int8, [2], { int32Data }))).toEqual(Int8Array.of(-1, -128));
    expect(read(tensor(DATA_TYPE.float16, [2], { int32Data }))).toEqual(Uint16Array.of(0xffff, 128));
    expect(read(tensor(DATA_TYPE.bool, [2], { int32Data: memory([1, 0]) }))).toEqual(Uint8Array.of(1, 0));
    expect(read(tensor(DATA_TYPE.int4, [2], { int32Data: memory([0xf1, 0x01]) }))).toEqual(
      Int8Array.of(1, -1),
    );
  });

  it('reads every 64-bit integer from varints', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), (values) => {
        const data = memory(values.flatMap(varint));
        const unsigned = BigUint64Array.from(values);
        expect(read(tensor(DATA_TYPE.uint64, [values.length], { uint64Data: data }))).toEqual(unsigned);
        expect(read(tensor(DATA_TYPE.int64, [values.length], { int64Data: data }))).toEqual(
          new BigInt64Array(unsigned.buffer),
        );
      }),
    );
  });

  it('reads strings', () => {
    const stringData = [Buffer.from('a'), Buffer.from('é')];
    expect(read(tensor(DATA_TYPE.string, [2], { stringData }))).toEqual(['a', 'é']);
  });
});

describe('reading as float32', () => {
  it('converts float16 exactly', () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x0400);
    const made = tensorFrom('w', [bits.length], bits, DATA_TYPE.float16);
    expect([...unwrap(readAsFloat32(MODEL, made))]).toEqual([
      1,
      -2,
      2 ** -24,
      -0,
      65504,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      2 ** -14,
    ]);
  });

  it('converts bfloat16 and float64', () => {
    const half = tensorFrom('w', [2], Uint16Array.of(0x3f80, 0xc049), DATA_TYPE.bfloat16);
    expect(unwrap(readAsFloat32(MODEL, half))).toEqual(Float32Array.of(1, -3.140625));
    const double = tensorFrom('w', [1], Float64Array.of(0.1));
    expect(unwrap(readAsFloat32(MODEL, double))).toEqual(Float32Array.of(0.1));
  });

  it('refuses integers', () => {
    const result = readAsFloat32(MODEL, tensorFrom('w', [1], Int8Array.of(1)));
    expect(result).toMatchObject({ error: { kind: 'tensor-type-unsupported', place: { tensor: 'w' } } });
  });
});

describe('refusing damaged tensors', () => {
  it.each([
    [
      'too few raw bytes',
      tensor(DATA_TYPE.float, [2], { rawData: memory([0, 0, 0, 0]) }),
      'tensor-size-mismatch',
    ],
    ['too many raw bytes', tensor(DATA_TYPE.uint8, [1], { rawData: memory([0, 0]) }), 'tensor-size-mismatch'],
    ['too few values', tensor(DATA_TYPE.int64, [3], { int64Data: memory([1, 2]) }), 'tensor-size-mismatch'],
    ['no data', tensor(DATA_TYPE.float, [2], {}), 'tensor-size-mismatch'],
    ['too few strings', tensor(DATA_TYPE.string, [1], {}), 'tensor-size-mismatch'],
    [
      'an enormous shape',
      tensor(DATA_TYPE.int32, [2 ** 40], { int32Data: memory([1]) }),
      'tensor-size-mismatch',
    ],
    ['a negative dimension', tensor(DATA_TYPE.float, [-1], {}), 'tensor-shape-invalid'],
    ['a shape beyond all numbers', tensor(DATA_TYPE.float, [2 ** 50, 2 ** 50], {}), 'tensor-shape-invalid'],
    ['an unknown type', tensor(99, [1], { rawData: memory([0]) }), 'tensor-type-unsupported'],
    ['no type', tensor(DATA_TYPE.undefined, [1], { rawData: memory([0]) }), 'tensor-type-unsupported'],
  ])('names %s', (_what, damaged, kind) => {
    expect(readTensorData(MODEL, damaged)).toMatchObject({ error: { kind, place: { tensor: 'w' } } });
  });
});

function varint(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  return value < 128n ? [low] : [low | 0x80, ...varint(value >> 7n)];
}
