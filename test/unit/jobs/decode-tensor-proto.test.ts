import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NumericArray } from '../../../src/core/tensor.ts';
import { decodeTensorProto } from '../../../src/jobs/decode-tensor-proto.ts';
import { encodeToBytes } from '../../../src/onnx/encode.ts';
import { DATA_TYPE, type TensorProto } from '../../../src/onnx/messages.ts';
import { tensorSchema } from '../../../src/onnx/schema.ts';
import { tensorFrom } from '../../../src/onnx/tensor-data.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

function bytesOf(proto: Partial<TensorProto>): Uint8Array {
  const whole = { dims: [], stringData: [], externalData: [], metadataProps: [], ...proto };
  return encodeToBytes(tensorSchema, whole as never);
}

describe('decodeTensorProto', () => {
  it.each<[string, NumericArray, number?]>([
    ['float32', new Float32Array([1.5, Number.NaN])],
    ['float64', new Float64Array([Math.PI, -0])],
    ['float16', new Uint16Array([0x3c00, 0xfc00]), DATA_TYPE.float16],
    ['int8', new Int8Array([-128, 127])],
    ['uint8', new Uint8Array([0, 255])],
    ['int16', new Int16Array([-32_768, 1])],
    ['uint16', new Uint16Array([65_535, 1])],
    ['int32', new Int32Array([-(2 ** 31), 1])],
    ['uint32', new Uint32Array([2 ** 32 - 1, 1])],
    ['int64', new BigInt64Array([-(2n ** 63n), 1n])],
    ['uint64', new BigUint64Array([2n ** 64n - 1n, 1n])],
    ['bool', new Uint8Array([1, 0]), DATA_TYPE.bool],
  ])('reads %s with its name and dimensions', (type, data, dataType) => {
    const proto = tensorFrom('input_0', [1, 2], data, dataType);
    expect(unwrap(decodeTensorProto(bytesOf(proto)))).toEqual({
      name: 'input_0',
      tensor: { type, dims: [1, 2], data },
    });
  });

  it('reads numbers that are written in a field of their type', () => {
    const floatData = { kind: 'memory', bytes: new Uint8Array(new Float32Array([1, 2]).buffer) } as const;
    const found = decodeTensorProto(bytesOf({ name: 'x', dims: [2], dataType: DATA_TYPE.float, floatData }));
    expect(unwrap(found).tensor.data).toEqual(new Float32Array([1, 2]));
  });

  it('reads a scalar, an empty tensor and one without a name', () => {
    const scalar = unwrap(decodeTensorProto(bytesOf(tensorFrom('s', [], new Float32Array([7])))));
    expect(scalar.tensor).toEqual({ type: 'float32', dims: [], data: new Float32Array([7]) });
    const empty = unwrap(decodeTensorProto(bytesOf(tensorFrom('e', [0, 3], new Float32Array(0)))));
    expect(empty.tensor).toEqual({ type: 'float32', dims: [0, 3], data: new Float32Array(0) });
    const { name: _, ...nameless } = tensorFrom('', [1], new Int8Array([1]));
    expect(unwrap(decodeTensorProto(bytesOf(nameless))).name).toBe('');
  });

  it.each([
    ['text', DATA_TYPE.string],
    ['bfloat16', DATA_TYPE.bfloat16],
    ['complex numbers', DATA_TYPE.complex64],
    ['4-bit integers', DATA_TYPE.int4],
    ['no type', 0],
    ['an unknown type', 99],
  ])('refuses %s', (_what, dataType) => {
    expect(decodeTensorProto(bytesOf({ name: 'x', dims: [1], dataType }))).toMatchObject({
      ok: false,
      error: { kind: 'tensor-type-unsupported' },
    });
  });

  it('refuses a tensor with fewer elements than its dimensions say', () => {
    const proto = { ...tensorFrom('x', [2], new Float32Array([1, 2])), dims: [3] };
    expect(decodeTensorProto(bytesOf(proto))).toMatchObject({
      ok: false,
      error: { kind: 'tensor-size-mismatch' },
    });
  });

  it('does not read other files, wherever the tensor says that its elements lie', () => {
    const secret = join(temporaryFolder(), 'secret');
    writeFileSync(secret, 'four');
    for (const location of [secret, 'package.json']) {
      const found = decodeTensorProto(
        bytesOf({
          name: 'x',
          dims: [1],
          dataType: DATA_TYPE.float,
          dataLocation: 1,
          externalData: [
            { key: 'location', value: location },
            { key: 'length', value: '4' },
          ],
        }),
      );
      expect(found.ok, location).toBe(false);
    }
  });

  it('names what is wrong with a file that was cut off, and reads nothing into other bytes', () => {
    const whole = bytesOf(tensorFrom('x', [64], new Float32Array(64)));
    expect(decodeTensorProto(whole.subarray(0, whole.length - 10)).ok).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const found = decodeTensorProto(bytes);
        if (!found.ok) expect(found.error.kind).toMatch(/^[a-z-]+$/);
      }),
    );
  });
});
