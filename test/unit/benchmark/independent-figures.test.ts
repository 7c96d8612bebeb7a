import { describe, expect, it } from 'vitest';
import { independentFigures } from '../../../src/benchmark/independent-figures.ts';

const of = (process: number, ...values: readonly number[]) => values.map((value) => ({ process, value }));

describe('independentFigures', () => {
  it('takes the geometric mean of each of three processes', () => {
    const { values, areOfProcesses } = independentFigures([...of(0, 1, 4), ...of(1, 9), ...of(2, 2, 2, 2)]);
    expect(areOfProcesses).toBe(true);
    expect(values).toEqual([2, 9, 2].map((value) => expect.closeTo(value, 12)));
  });

  it('leaves single figures of two processes as they are', () => {
    expect(independentFigures([...of(0, 1, 4), ...of(1, 9)])).toEqual({
      values: [1, 4, 9],
      areOfProcesses: false,
    });
  });
});
