import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sparkline } from '../../../../src/cli/watch/sparkline.ts';

describe('sparkline', () => {
  it.each([
    ['from nothing to the most', [0, 1, 2, 3, 4, 5, 6, 7], 8, 7, '▁▂▃▄▅▆▇█'],
    ['against the largest shown where nothing says what is most', [100, 1, 4], 2, undefined, '▃█'],
    ['the newest at the right', [7], 3, 7, '  █'],
    ['a gap where nothing was measured', [7, undefined, 7], 3, 7, '█ █'],
    ['a flat line of zeros', [0, 0], 2, undefined, '▁▁'],
    ['values beyond the most as full, below zero as none', [9, -1], 2, 1, '█▁'],
    ['nothing where there is no room', [1], 0, 1, ''],
  ])('shows %s', (_what, values, width, most, expected) => {
    expect(sparkline(values, width, most)).toBe(expected);
  });

  it('is always as wide as asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.double({ noNaN: true }), { nil: undefined })),
        fc.nat({ max: 300 }),
        (values, width) => {
          expect(sparkline(values, width)).toHaveLength(width);
        },
      ),
    );
  });
});
