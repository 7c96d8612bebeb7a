import { describe, expect, it } from 'vitest';
import { formatRate } from '../../../src/core/units.ts';

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
