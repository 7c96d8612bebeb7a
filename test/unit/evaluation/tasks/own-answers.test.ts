import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areAlike, showShort } from '../../../../src/evaluation/tasks/own-answers.ts';

describe('areAlike', () => {
  it.each([
    [1, 1],
    [0, -0],
    ['a', 'a'],
    [null, null],
    [5n, 5n],
    [
      [1, [2, 'x']],
      [1, [2, 'x']],
    ],
    [Float32Array.of(1, 2), Float32Array.of(1, 2)],
    [
      { a: 1, b: { c: [true] } },
      { b: { c: [true] }, a: 1 },
    ],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [{}, {}],
  ])('is true for %o and %o', (a, b) => {
    expect(areAlike(a, b)).toBe(true);
  });

  it.each([
    [1, 2],
    [1, '1'],
    [Number.NaN, Number.NaN],
    [Float32Array.of(Number.NaN), Float32Array.of(Number.NaN)],
    [Float32Array.of(1, 2), Float32Array.of(1, 3)],
    [[1], [1, 2]],
    [[], {}],
    [{}, []],
    [{ a: 1 }, { a: 1, b: undefined }],
    [{ a: undefined }, { b: undefined }],
    [{ toString: 1 }, { valueOf: 1 }],
    [{ toString: Object.prototype.toString }, { a: 1 }],
    [null, {}],
    [[1], null],
  ])('is false for %o and %o', (a, b) => {
    expect(areAlike(a, b)).toBe(false);
  });

  it('refuses what does not show what it holds', () => {
    expect(() => areAlike(new Map(), new Map())).toThrow("an answer holds a Map; export 'same'");
    expect(() => areAlike({ at: {} }, { at: new Date() })).toThrow('Date');
  });

  it('is true for copies of any JSON, and false where JSON differs', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(json, (value) => {
        expect(areAlike(value, structuredClone(value))).toBe(true);
        expect(areAlike([value], [value, 1])).toBe(false);
        expect(areAlike({ value }, { value: { value } })).toBe(false);
      }),
    );
  });
});

describe('showShort', () => {
  it('is JSON in at most 80 characters', () => {
    expect(showShort({ a: [1, 'x', null] })).toBe('{"a":[1,"x",null]}');
    const long = showShort('x'.repeat(200));
    expect(long).toHaveLength(80);
    expect(long.endsWith('x…')).toBe(true);
  });

  it('shows the first eight elements of a list, typed or not', () => {
    expect(showShort(Int8Array.of(1, 2, 3))).toBe('[1,2,3]');
    expect(showShort(new Float64Array(9))).toBe('[0,0,0,0,0,0,0,0,"…"]');
  });

  it('shows what JSON has no word for', () => {
    expect(showShort(undefined)).toBe('undefined');
    expect(showShort([Number.NaN, Number.NEGATIVE_INFINITY, 5n])).toBe('["NaN","-Infinity","5"]');
    const loop: Record<string, unknown> = {};
    loop['loop'] = loop;
    expect(showShort(loop)).toBe('[object Object]');
  });
});
