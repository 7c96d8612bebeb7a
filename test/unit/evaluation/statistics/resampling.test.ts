import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changedUnits,
  createJackknife,
  createResampler,
  resamplingUnits,
} from '../../../../src/evaluation/statistics/resampling.ts';

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}

const anyLabels = fc.array(fc.constantFrom('a', 'b', 'c', 'd', undefined), { minLength: 1, maxLength: 40 });

describe('resamplingUnits', () => {
  it('takes every item for a unit where there are no groups', () => {
    expect(resamplingUnits(3)).toEqual({ n: 3, count: 3, unitOf: Uint32Array.of(0, 1, 2) });
  });

  it('counts groups in order of appearance, wherever their items stand', () => {
    expect(resamplingUnits(5, ['x', 'y', 'x', 'z', 'y'])).toEqual({
      n: 5,
      count: 3,
      unitOf: Uint32Array.of(0, 1, 0, 2, 1),
    });
  });

  it('takes an item without a label for a unit of its own', () => {
    expect(resamplingUnits(4, [undefined, 'x', undefined, 'x']).unitOf).toEqual(Uint32Array.of(0, 1, 2, 1));
  });

  it('knows labels that are names of object properties', () => {
    expect(resamplingUnits(3, ['__proto__', 'constructor', '__proto__']).count).toBe(2);
  });

  it('refuses labels that are not one for each item, and counts that cannot be', () => {
    expect(() => resamplingUnits(3, ['a'])).toThrow('1 group labels for 3 items');
    expect(() => resamplingUnits(-1)).toThrow(RangeError);
    expect(() => resamplingUnits(1.5)).toThrow(RangeError);
  });

  it('has nothing to draw of no items', () => {
    expect(createResampler(resamplingUnits(0), 1)()).toEqual(new Uint32Array());
  });
});

describe('changedUnits', () => {
  it('takes all for changed where nothing is known', () => {
    expect(changedUnits(resamplingUnits(3))).toEqual(Uint32Array.of(0, 1, 2));
  });

  it('lists the items that changed', () => {
    expect(changedUnits(resamplingUnits(4), [1, 0, 1, 0])).toEqual(Uint32Array.of(1, 3));
    expect(changedUnits(resamplingUnits(2), [1, 1])).toEqual(new Uint32Array());
  });

  it('lists a group as soon as one of its items changed', () => {
    const units = resamplingUnits(5, ['x', 'y', 'x', 'y', 'z']);
    expect(changedUnits(units, [1, 1, 0, 1, 1])).toEqual(Uint32Array.of(0));
  });

  it('refuses marks that are not one for each item', () => {
    expect(() => changedUnits(resamplingUnits(3), [1])).toThrow('1 marks for 3 items');
  });
});

describe('createResampler', () => {
  it('draws as many items as there are', () => {
    const draw = createResampler(resamplingUnits(100), 5);
    for (let replicate = 0; replicate < 20; replicate += 1) expect(sum(draw())).toBe(100);
  });

  it('draws the items of a group together, and as many groups as there are', () => {
    fc.assert(
      fc.property(anyLabels, fc.integer(), (labels, seed) => {
        const units = resamplingUnits(labels.length, labels);
        const weights = createResampler(units, seed)();
        const perUnit = new Map<number, number>();
        for (const [item, unit] of units.unitOf.entries()) {
          expect(weights[item]).toBe(perUnit.get(unit) ?? weights[item]);
          perUnit.set(unit, weights[item] as number);
        }
        expect(sum([...perUnit.values()])).toBe(units.count);
      }),
    );
  });

  it('replays the same replicates from the same seed, into one array', () => {
    const first = createResampler(resamplingUnits(50), 9);
    const second = createResampler(resamplingUnits(50), 9);
    const kept = first();
    expect(kept).toEqual(second());
    expect(first()).toBe(kept);
    expect(kept).toEqual(second());
    expect(kept).not.toEqual(createResampler(resamplingUnits(50), 10)());
  });

  it('draws every item alike, once on average with a variance of 1 − 1/n', () => {
    const n = 10;
    const draw = createResampler(resamplingUnits(n), 3);
    const sums = new Float64Array(n);
    const squares = new Float64Array(n);
    const replicates = 20_000;
    for (let replicate = 0; replicate < replicates; replicate += 1) {
      for (const [item, weight] of draw().entries()) {
        sums[item] = (sums[item] as number) + weight;
        squares[item] = (squares[item] as number) + (weight - 1) ** 2;
      }
    }
    for (let item = 0; item < n; item += 1) {
      expect((sums[item] as number) / replicates).toBeCloseTo(1, 1);
      expect(Math.abs((squares[item] as number) / replicates - 0.9)).toBeLessThan(0.06);
    }
  });
});

describe('createJackknife', () => {
  it('leaves out one unit after another', () => {
    const leaveOut = createJackknife(resamplingUnits(3, ['x', 'y', 'x']), 2);
    expect([...leaveOut(0)]).toEqual([0, 1, 0]);
    expect([...leaveOut(1)]).toEqual([1, 0, 1]);
  });

  it('leaves out every unit in exactly one block', () => {
    const leaveOut = createJackknife(resamplingUnits(23), 5);
    const left = new Uint32Array(23);
    for (let block = 0; block < 5; block += 1) {
      for (const [item, weight] of leaveOut(block).entries())
        left[item] = (left[item] as number) + 1 - weight;
    }
    expect([...left]).toEqual(Array.from({ length: 23 }, () => 1));
  });

  it('refuses more blocks than units, and none', () => {
    expect(() => createJackknife(resamplingUnits(2), 3)).toThrow(RangeError);
    expect(() => createJackknife(resamplingUnits(2), 0)).toThrow(RangeError);
  });
});
