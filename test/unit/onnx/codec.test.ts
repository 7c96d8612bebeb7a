import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attempt } from '../../../src/core/problem.ts';
import { memorySource } from '../../../src/onnx/byte-source.ts';
import { decodeMessage } from '../../../src/onnx/decode.ts';
import { encodeToBytes } from '../../../src/onnx/encode.ts';
import type { AnyMessage, MessageSchema } from '../../../src/onnx/message-schema.ts';
import { DATA_TYPE, type ModelProto, type TensorProto } from '../../../src/onnx/messages.ts';
import { modelSchema, tensorSchema } from '../../../src/onnx/schema.ts';
import { arbitraryMessage, tag } from '../../support/arbitrary-message.ts';

const EVERY_FIELD = new URL('../../fixtures/onnx/every-field.onnx', import.meta.url);

function decode(schema: MessageSchema, bytes: Uint8Array): AnyMessage {
  return decodeMessage(schema, memorySource(bytes));
}

function decodeTensor(...bytes: number[]): TensorProto {
  return decode(tensorSchema, Uint8Array.from(bytes)) as unknown as TensorProto;
}

function problemOf(schema: MessageSchema, bytes: Uint8Array): string | undefined {
  const result = attempt(() => decode(schema, bytes));
  return result.ok ? undefined : result.error.kind;
}

describe('reading and writing a message', () => {
  it('gives back every message that can be built, with its unknown fields', () => {
    fc.assert(
      fc.property(arbitraryMessage(modelSchema, 4), (message) => {
        expect(decode(modelSchema, encodeToBytes(modelSchema, message))).toEqual(message);
      }),
      { numRuns: 20 },
    );
  });

  it('gives back the bytes of a file in which the onnx package has set every field', () => {
    const bytes = readFileSync(EVERY_FIELD);
    const message = decode(modelSchema, bytes);

    expect(Buffer.from(encodeToBytes(modelSchema, message)).equals(bytes)).toBe(true);
    expect(unknownFieldsIn(message)).toEqual([]);
  });

  it('reads the values that the onnx package has written', () => {
    const { graph, irVersion } = decode(modelSchema, readFileSync(EVERY_FIELD)) as unknown as ModelProto;
    const tensor = graph?.initializer[0];

    expect(irVersion).toBe(13);
    expect(tensor?.name).toMatch(/^name \d+ é$/);
    expect(tensor?.dims[0]).toBeLessThan(0);
    expect(graph?.node[0]?.attribute[0]?.f).toBeGreaterThan(0);
    expect(
      graph?.valueInfo.map(({ type }) => Object.keys(type ?? {}).find((key) => setIn(type, key))),
    ).toEqual([
      'tensorType',
      'tensorType',
      'sequenceType',
      'mapType',
      'optionalType',
      'sparseTensorType',
      'opaqueType',
    ]);
  });

  it('keeps a default value that is written out', () => {
    expect(decodeTensor(...tag(2, 0), 0).dataType).toBe(DATA_TYPE.undefined);
    expect(decodeTensor().dataType).toBeUndefined();
    expect(encodeToBytes(tensorSchema, decode(tensorSchema, Uint8Array.of(...tag(2, 0), 0)))).toEqual(
      Uint8Array.of(...tag(2, 0), 0),
    );
  });

  it('keeps strings that are not valid UTF-8 byte for byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(200), (noise, padding) => {
        const text = Uint8Array.of(...noise, ...new Uint8Array(padding).fill(0x61));
        const size = text.length < 128 ? [text.length] : [(text.length & 0x7f) | 0x80, text.length >>> 7];
        const bytes = Uint8Array.of(...tag(8, 2), ...size, ...text);
        expect(encodeToBytes(tensorSchema, decode(tensorSchema, bytes))).toEqual(bytes);
      }),
      {
        examples: [
          [Uint8Array.of(0xff, 0x61, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x92, 0x80, 0xef, 0xbb, 0xbf), 0],
        ],
      },
    );
  });
});

describe('reading what other writers make', () => {
  it('reads repeated numbers packed and one by one alike', () => {
    expect(decodeTensor(...tag(1, 2), 3, 2, 3, 4).dims).toEqual([2, 3, 4]);
    expect(decodeTensor(...tag(1, 0), 2, ...tag(1, 0), 3, ...tag(1, 0), 4).dims).toEqual([2, 3, 4]);
  });

  it('joins typed data that comes unpacked, packed, or in several parts', () => {
    const one = [0, 0, 0x80, 0x3f];
    const two = [0, 0, 0, 0x40];
    const bytes = Uint8Array.from([...one, ...two]);

    expect(decodeTensor(...tag(4, 2), 8, ...one, ...two).floatData).toEqual({ kind: 'memory', bytes });
    expect(decodeTensor(...tag(4, 5), ...one, ...tag(4, 5), ...two).floatData).toEqual({
      kind: 'memory',
      bytes,
    });
    expect(decodeTensor(...tag(4, 2), 4, ...one, ...tag(4, 5), ...two).floatData).toEqual({
      kind: 'memory',
      bytes,
    });
  });

  it('takes the last of two values and of two members of a oneof', () => {
    expect(decodeTensor(...tag(2, 0), 1, ...tag(2, 0), 7).dataType).toBe(DATA_TYPE.int64);
    expect(decodeTensor(...tag(9, 2), 1, 5, ...tag(9, 2), 2, 6, 7).rawData).toEqual({
      kind: 'memory',
      bytes: Uint8Array.of(6, 7),
    });
    const dimension = [...tag(1, 0), 3, ...tag(2, 2), 1, 0x4e];
    const shape = [...tag(1, 2), dimension.length, ...dimension];
    const tensorType = [...tag(2, 2), shape.length, ...shape];
    const type = [...tag(1, 2), tensorType.length, ...tensorType];
    const value = [...tag(2, 2), type.length, ...type];
    const graph = [...tag(11, 2), value.length, ...value];
    const model = decode(modelSchema, Uint8Array.of(...tag(7, 2), graph.length, ...graph));
    expect((model as unknown as ModelProto).graph?.input[0]?.type?.tensorType?.shape?.dim).toEqual([
      { dimParam: 'N' },
    ]);
  });

  it('merges a message that comes twice', () => {
    const name = [...tag(2, 2), 1, 0x67, ...tag(500, 0), 1];
    const node = [...tag(1, 2), 0, ...tag(500, 0), 2];
    const bytes = Uint8Array.of(...tag(7, 2), name.length, ...name, ...tag(7, 2), node.length, ...node);
    const { graph } = decode(modelSchema, bytes) as unknown as ModelProto;

    expect(graph?.name).toBe('g');
    expect(graph?.node).toHaveLength(1);
    expect(graph?.unknown).toEqual(Uint8Array.of(...tag(500, 0), 1, ...tag(500, 0), 2));
  });

  it('keeps a known field of another wire type as an unknown one', () => {
    const bytes = Uint8Array.of(...tag(8, 0), 5);
    expect(decode(tensorSchema, bytes).unknown).toEqual(bytes);
  });
});

describe('refusing hostile input', () => {
  it.each([
    ['a length beyond the end', [...tag(8, 2), 100, 1], 'truncated'],
    ['an integer that stops in the middle', [...tag(2, 0), 0x80], 'truncated'],
    ['an integer of more than ten bytes', [...tag(2, 0), ...new Array(10).fill(0x80), 1], 'malformed'],
    ['field number 0', [0x02, 0], 'malformed'],
    ['wire type 7', [0x0f], 'malformed'],
    ['a group without an end', [...tag(60, 3), ...tag(1, 0), 1], 'malformed'],
    ['the end of a group that never began', [...tag(60, 4)], 'malformed'],
    ['floats of 3 bytes', [...tag(4, 2), 3, 0, 0, 0], 'malformed'],
    [
      'a message that runs out of the one around it',
      [...tag(13, 2), 2, ...tag(1, 2), 9, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      'malformed',
    ],
    ['packed numbers that run out of their field', [...tag(1, 2), 1, 0x80, 1], 'malformed'],
    [
      'a dimension of 2^53',
      [...tag(1, 0), ...[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
      'integer-out-of-range',
    ],
  ])('names %s', (_what, bytes, kind) => {
    expect(problemOf(tensorSchema, Uint8Array.from(bytes))).toBe(kind);
  });

  it('names messages and groups that nest too deep', () => {
    let type: number[] = [];
    for (let depth = 0; depth < 60; depth++) {
      const sequence = [...tag(1, 2), ...size(type.length), ...type];
      type = [...tag(4, 2), ...size(sequence.length), ...sequence];
    }
    const value = [...tag(2, 2), ...size(type.length), ...type];
    const graph = [...tag(11, 2), ...size(value.length), ...value];
    const bytes = Uint8Array.of(...tag(7, 2), ...size(graph.length), ...graph);

    expect(problemOf(modelSchema, bytes)).toBe('too-deep');
    expect(problemOf(modelSchema, new Uint8Array(300).fill(tag(12, 3)[0] ?? 0))).toBe('too-deep');
  });

  it('never fails in another way when bytes of a model are changed', () => {
    const original = readFileSync(EVERY_FIELD);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (edits) => {
          const bytes = Uint8Array.from(original);
          for (const [at, byte] of edits) bytes[at] = byte;
          const result = attempt(() => decode(modelSchema, bytes));
          if (!result.ok) return;
          const again = decode(modelSchema, encodeToBytes(modelSchema, result.value));
          expect(again).toEqual(result.value);
        },
      ),
      { numRuns: 30 },
    );
  });
});

function size(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, value >>> 7];
}

function setIn(message: object | undefined, key: string): boolean {
  return message !== undefined && key !== 'denotation' && Reflect.get(message, key) !== undefined;
}

function unknownFieldsIn(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const own = 'unknown' in value && value.unknown !== undefined ? [value.unknown] : [];
  return [...own, ...Object.values(value).flatMap(unknownFieldsIn)];
}
