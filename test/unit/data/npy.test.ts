import { describe, expect, it } from 'vitest';
import { npyHeaderSize, parseNpyHeader } from '../../../src/data/npy.ts';
import { npy } from './npz-writer.ts';

const place = { file: 'data.npz', tensor: 'eval/x' };
const none = new Uint8Array(0);

function parse(file: Uint8Array) {
  return parseNpyHeader(file, place);
}

function problemKind(file: Uint8Array): string | undefined {
  const header = parse(file);
  return header.ok ? undefined : header.error.kind;
}

describe('parseNpyHeader', () => {
  it.each([1, 2, 3] as const)('reads format version %i', (version) => {
    const header = parse(npy('<f4', [100, 3], none, { version }));
    expect(header).toEqual({
      ok: true,
      value: {
        type: 'float32',
        byteOrder: 'little',
        elementSizeBytes: 4,
        shape: [100, 3],
        dataOffset: 128,
        dataSizeBytes: 1200,
      },
    });
  });

  it.each([
    ['<f2', 'float16', 2],
    ['<f8', 'float64', 8],
    ['|b1', 'bool', 1],
    ['|u1', 'uint8', 1],
    ['|i1', 'int8', 1],
    ['<i2', 'int16', 2],
    ['<u2', 'uint16', 2],
    ['<i4', 'int32', 4],
    ['<u4', 'uint32', 4],
    ['<i8', 'int64', 8],
    ['<u8', 'uint64', 8],
  ])('knows the dtype %s as %s of %i bytes', (descr, type, elementSizeBytes) => {
    expect(parse(npy(descr, [2], none))).toMatchObject({ ok: true, value: { type, elementSizeBytes } });
  });

  it('sees that an array is big-endian', () => {
    expect(parse(npy('>f4', [2], none))).toMatchObject({ ok: true, value: { byteOrder: 'big' } });
  });

  it('reads a zero-dimensional and an empty array', () => {
    expect(
      parse(npy('<f4', [], none, { header: "{'descr': '<f4', 'fortran_order': False, 'shape': ()}" })),
    ).toMatchObject({
      value: { shape: [], dataSizeBytes: 4 },
    });
    expect(parse(npy('<f4', [0, 3], none))).toMatchObject({ value: { shape: [0, 3], dataSizeBytes: 0 } });
  });

  it('refuses to unpickle an object array and says why', () => {
    const header = parse(npy('|O', [2], none));
    expect(header).toMatchObject({
      ok: false,
      error: { kind: 'npy-unsupported', message: expect.stringContaining('never unpickled'), place },
    });
  });

  it.each([
    ['text', npy('<U5', [2], none)],
    ['complex numbers', npy('<c8', [2], none)],
    ['dates', npy('<M8', [2], none)],
    ['extended floats', npy('<f16', [2], none)],
    ['Fortran order', npy('<f4', [2, 3], none, { fortran: true })],
    [
      'a structure',
      npy('', [], none, { header: "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}" }),
    ],
  ])('does not support %s', (_case, file) => {
    expect(problemKind(file)).toBe('npy-unsupported');
  });

  it('accepts Fortran order where there is only one axis', () => {
    expect(problemKind(npy('<f4', [6], none, { fortran: true }))).toBeUndefined();
  });

  it.each([
    ['a negative size', "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}"],
    [
      'a size that no file can hold',
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000000000, 1000)}",
    ],
    ['a shape that is no tuple', "{'descr': '<f4', 'fortran_order': False, 'shape': 3}"],
    ['no shape', "{'descr': '<f4', 'fortran_order': False}"],
    ['no order', "{'descr': '<f4', 'shape': (3,)}"],
    ['no dtype', "{'fortran_order': False, 'shape': (3,)}"],
    ['code', 'exit()'],
  ])('calls a header with %s invalid', (_case, header) => {
    expect(problemKind(npy('', [], none, { header }))).toBe('npy-invalid');
  });

  it('calls a header that is cut short invalid', () => {
    const file = npy('<f4', [2], none);
    expect(problemKind(file.subarray(0, file.length - 1))).toBe('npy-invalid');
  });
});

describe('npyHeaderSize', () => {
  it('refuses what does not begin with the magic bytes', () => {
    expect(npyHeaderSize(Buffer.from('not an array'), place)).toMatchObject({
      error: { kind: 'npy-invalid', place },
    });
    expect(npyHeaderSize(new Uint8Array(3), place)).toMatchObject({ error: { kind: 'npy-invalid' } });
  });

  it('refuses a header of gigabytes before anything is allocated', () => {
    const prefix = Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff', 'latin1');
    expect(npyHeaderSize(prefix, place)).toMatchObject({ error: { kind: 'npy-invalid' } });
  });

  it('names a version from the future', () => {
    const prefix = Buffer.from('\x93NUMPY\x09\x00\x40\x00\x00\x00', 'latin1');
    expect(npyHeaderSize(prefix, place)).toMatchObject({ error: { kind: 'npy-unsupported' } });
  });
});
