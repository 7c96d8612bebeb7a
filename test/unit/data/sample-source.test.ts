import { describe, expect, it } from 'vitest';
import { isFreeDim } from '../../../src/data/sample-source.ts';

describe('isFreeDim', () => {
  it.each(['batch', '', -1])('takes %j for a dimension of any size', (dim) => {
    expect(isFreeDim(dim)).toBe(true);
  });

  it.each([0, 1, 224])('takes %j for a fixed one', (dim) => {
    expect(isFreeDim(dim)).toBe(false);
  });
});
