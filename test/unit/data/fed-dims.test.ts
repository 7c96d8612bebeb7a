import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fedDims, formatDims } from '../../../src/data/fed-dims.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';

const rows = fc.array(fc.nat(9), { maxLength: 4 });

describe('fedDims', () => {
  it.each<[string, number[], ModelInput['dims'], unknown]>([
    ['gain a leading 1 where the model has an axis more', [2, 3], ['n', 2, 3], [1, 2, 3]],
    ['gain it where the batch is fixed to 1', [2], [1, 2], [1, 2]],
    ['stay as they are where the ranks are equal', [2, 3], ['time', 3], [2, 3]],
    ['are a scalar for a scalar', [], [], []],
    ['gain a leading 1 where the rank is not known', [2], undefined, [1, 2]],
    ['gain it for a lone number where the rank is not known', [], undefined, [1]],
    ['gain it where the runtime says nothing about the rank', [2], [], [1, 2]],
    ['may be anything where a dimension is free', [7], [-1, ''], [1, 7]],
    ['do not fit where a fixed dimension differs', [2], ['n', 3], undefined],
    ['do not fit a larger batch', [2], [4, 2], undefined],
    ['do not fit where the model has two axes more', [2], ['n', 1, 2], undefined],
    ['do not fit where the model has an axis less', [1, 2], [2], undefined],
  ])('%s', (_case, row, dims, expected) => {
    expect(fedDims(row, dims)).toEqual(expected);
  });

  it('fits whatever has the dimensions of the model, with and without a batch', () => {
    fc.assert(
      fc.property(rows, (row) => {
        expect(fedDims(row, [1, ...row])).toEqual([1, ...row]);
        expect(fedDims(row, row)).toEqual(row);
      }),
    );
  });
});

describe('formatDims', () => {
  it('shows names and sizes, and a question mark for a free one without a name', () => {
    expect(formatDims(['batch', 3, ''])).toBe('batch,3,?');
  });

  it('shows a scalar as nothing and an unknown rank as such', () => {
    expect(formatDims([])).toBe('');
    expect(formatDims(undefined)).toBe('unknown');
  });
});
