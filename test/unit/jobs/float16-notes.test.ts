import { expect, it } from 'vitest';
import { float16Notes } from '../../../src/jobs/float16-notes.ts';

const constants = (...names: string[]) => names.map((tensor, index) => ({ tensor, count: index + 1 }));

it('says nothing where every constant fits', () =>
  expect(float16Notes({ clamped: [], raised: [] })).toEqual([]));

it('names up to three constants, with the values of all', () =>
  expect(float16Notes({ clamped: constants('a', 'b', 'c'), raised: [] })).toEqual([
    "6 values of 'a', 'b', 'c' lie beyond ±65504 and were clamped",
  ]));

it('counts the constants beyond the third', () =>
  expect(float16Notes({ clamped: [], raised: constants('a', 'b', 'c', 'd', 'e') })).toEqual([
    "15 values of 'a', 'b', 'c' and 2 more constants are too small for float16 and were raised to ±2^-24",
  ]));
