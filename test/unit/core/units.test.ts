import { describe, expect, it } from 'vitest';
import { formatJoules, formatRate, formatSi } from '../../../src/core/units.ts';

describe('formatRate', () => {
  it('has four significant digits, and no exponent for large rates', () => {
    expect([0.01234567, 1, 12.3456, 999.94, 1234.5, 26_885.4].map(formatRate)).toEqual([
      '0.01235',
      '1.000',
      '12.35',
      '999.9',
      '1235',
      '26885',
    ]);
  });
});

it('writes energy in the unit that reads best', () => {
  expect([0.2161, 1.5419, 757.01, 13_895].map(formatJoules)).toEqual([
    '216 mJ',
    '1.54 J',
    '757 J',
    '13.9 kJ',
  ]);
});

describe('formatSi', () => {
  it('has three significant digits and the prefix that reads best', () =>
    expect(
      [0, 0.25, 12.3, 999.4, 999.6, 1.43e11, 2e12, 3e18].map((value) => formatSi(value, 'FLOP/s')),
    ).toEqual([
      '0 FLOP/s',
      '0.25 FLOP/s',
      '12.3 FLOP/s',
      '999 FLOP/s',
      '1.00 kFLOP/s',
      '143 GFLOP/s',
      '2.00 TFLOP/s',
      '3000 PFLOP/s',
    ]));
});
