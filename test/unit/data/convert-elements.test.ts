import { describe, expect, it } from 'vitest';
import { convertElements, isConvertible } from '../../../src/data/convert-elements.ts';

describe('isConvertible', () => {
  it('never turns a float into an integer, nor anything into a string', () => {
    expect(isConvertible('float32', 'uint8')).toBe(false);
    expect(isConvertible('float64', 'int64')).toBe(false);
    expect(isConvertible('int64', 'string')).toBe(false);
    expect(isConvertible('string', 'string')).toBe(false);
  });

  it('takes any number for a float and any integer for an integer', () => {
    expect(isConvertible('float64', 'float32')).toBe(true);
    expect(isConvertible('float32', 'float16')).toBe(true);
    expect(isConvertible('uint8', 'float32')).toBe(true);
    expect(isConvertible('int64', 'int32')).toBe(true);
    expect(isConvertible('bool', 'float32')).toBe(true);
  });
});

describe('convertElements', () => {
  it('gives the same array back where the type is the same', () => {
    const data = new Float32Array([1, 2]);
    expect(convertElements(data, 'float32', 'float32')).toEqual({ ok: true, value: data });
  });

  it('rounds float64 to the nearest float32', () => {
    const converted = convertElements(new Float64Array([0.1, -1e-60, Number.NaN]), 'float64', 'float32');
    expect(converted).toEqual({ ok: true, value: new Float32Array([0.1, -0, Number.NaN]) });
  });

  it('refuses a finite float64 that would become infinite, and keeps one that is infinite', () => {
    expect(convertElements(new Float64Array([1, 1e300]), 'float64', 'float32')).toEqual({
      ok: false,
      error: { index: 1, value: '1e+300' },
    });
    expect(convertElements(new Float64Array([Number.NEGATIVE_INFINITY]), 'float64', 'float32')).toEqual({
      ok: true,
      value: new Float32Array([Number.NEGATIVE_INFINITY]),
    });
  });

  it('converts between float16 bits and float32', () => {
    expect(convertElements(new Uint16Array([0x3c00, 0xc000]), 'float16', 'float32')).toEqual({
      ok: true,
      value: new Float32Array([1, -2]),
    });
    expect(convertElements(new Float32Array([1, -2]), 'float32', 'float16')).toEqual({
      ok: true,
      value: new Uint16Array([0x3c00, 0xc000]),
    });
    expect(convertElements(new Float32Array([70000]), 'float32', 'float16')).toMatchObject({ ok: false });
  });

  it('converts integers to floats only where nothing is lost', () => {
    expect(convertElements(new Uint8Array([0, 255]), 'uint8', 'float32')).toEqual({
      ok: true,
      value: new Float32Array([0, 255]),
    });
    expect(convertElements(new Int32Array([2 ** 24, 2 ** 24 + 1]), 'int32', 'float32')).toEqual({
      ok: false,
      error: { index: 1, value: '16777217' },
    });
    expect(convertElements(new BigInt64Array([2n ** 53n + 1n]), 'int64', 'float64')).toMatchObject({
      ok: false,
    });
    expect(convertElements(new Int32Array([2049]), 'int32', 'float16')).toMatchObject({ ok: false });
  });

  it('converts integers to integers only within the range', () => {
    expect(convertElements(new Int32Array([-5, 5]), 'int32', 'int64')).toEqual({
      ok: true,
      value: new BigInt64Array([-5n, 5n]),
    });
    expect(convertElements(new BigInt64Array([2n ** 31n]), 'int64', 'int32')).toEqual({
      ok: false,
      error: { index: 0, value: '2147483648' },
    });
    expect(convertElements(new Int8Array([-1]), 'int8', 'uint64')).toMatchObject({ ok: false });
    expect(convertElements(new Uint8Array([1, 2]), 'uint8', 'bool')).toMatchObject({ error: { index: 1 } });
  });
});
