import { describe, expect, it } from 'vitest';
import { quoteNames } from '../../../src/data/quote-names.ts';

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `n${index + 1}`);

describe('quoteNames', () => {
  it('says where there are none', () => {
    expect(quoteNames([])).toBe('none');
  });

  it('quotes each name', () => {
    expect(quoteNames(['x', 'a b'])).toBe("'x', 'a b'");
  });

  it('lists twelve in full, and counts those beyond', () => {
    expect(quoteNames(numbered(12))).toMatch(/'n12'$/);
    expect(quoteNames(numbered(15))).toMatch(/'n12' and 3 more$/);
  });
});
