import { describe, expect, it } from 'vitest';
import type { ObservedTensor } from '../../../../src/quantization/calibration/observation.ts';
import {
  createObserver,
  needsValues,
  valuesPerRun,
} from '../../../../src/quantization/calibration/observers.ts';
import { CALIBRATION_METHODS, type CalibrationSettings } from '../../../../src/quantization/recipe.ts';

const extremes: ObservedTensor = { kind: 'extremes', tensor: 't', maxOutput: 't_max', minOutput: 't_min' };
const values: ObservedTensor = { kind: 'values', tensor: 't', valuesOutput: 't_values' };

function float32(values: readonly number[]) {
  return { type: 'float32' as const, dims: [values.length], data: Float32Array.from(values) };
}

/** The range after runs that gave these values. */
function rangeAfter(settings: CalibrationSettings, ...runs: readonly (readonly number[])[]) {
  const observer = createObserver(settings, [needsValues(settings) ? values : extremes]);
  runs.forEach((run, sample) => {
    const ends = { t_max: float32([Math.max(...run)]), t_min: float32([Math.min(...run)]) };
    observer.add(sample, { ...ends, t_values: float32(run) });
  });
  return observer.ranges().get('t');
}

/** So many values evenly over 0…end. */
function even(count: number, end: number): number[] {
  return Array.from({ length: count }, (_, index) => ((index + 0.5) * end) / count);
}

describe('createObserver', () => {
  it('keeps the extremes of any sample for minmax, whichever comes last', () => {
    expect(rangeAfter({ method: 'minmax' }, [-1, 5], [-3, 2], [-2, 1])).toEqual({ min: -3, max: 5 });
  });

  it('moves by a hundredth towards every further sample for moving-average', () => {
    const range = rangeAfter({ method: 'moving-average' }, [-1, 1], [-3, 2]);
    expect(range?.min).toBeCloseTo(-1 - 0.01 * 2, 12);
    expect(range?.max).toBeCloseTo(1 + 0.01 * 1, 12);
  });

  it('keeps the percentile that the settings name, and 99.99 otherwise', () => {
    const values = even(50_000, 1);
    expect(rangeAfter({ method: 'percentile', percentile: 80 }, values)?.max).toBeCloseTo(0.8, 2);
    expect(rangeAfter({ method: 'percentile' }, values)?.max).toBeCloseTo(1, 2);
  });

  it('lets no loud sample widen the range of the quiet ones for mse', () => {
    // A hundred samples of size 1 and one of size 100: by plain squares the loud one would be all that counts.
    const quiet = Array.from({ length: 100 }, () => even(200, 1));
    const loud = even(200, 100);
    expect(rangeAfter({ method: 'mse' }, ...quiet)?.max).toBeGreaterThan(0.9);
    expect(rangeAfter({ method: 'mse' }, ...quiet, loud)?.max).toBeLessThan(60);
  });

  it('takes a sample of zeros as saying nothing', () => {
    const values = even(500, 1);
    const zeros = new Array<number>(500).fill(0);
    expect(rangeAfter({ method: 'mse' }, zeros, values)).toEqual(rangeAfter({ method: 'mse' }, values));
  });
});

it('looks at values for the methods that judge distributions, and for no other', () =>
  expect(CALIBRATION_METHODS.filter((method) => needsValues({ method }))).toEqual([
    'percentile',
    'entropy',
    'mse',
  ]));

describe('what is counted of a tensor', () => {
  /** The range of a run of `values`, of which about `most` are counted, for the percentile 60. */
  function thinned(values: Float32Array, most: number) {
    const tensor: ObservedTensor = { kind: 'values', tensor: 't', valuesOutput: 't_values' };
    const observer = createObserver({ method: 'percentile', percentile: 60 }, [tensor], most);
    observer.add(0, { t_values: { type: 'float32', dims: [values.length], data: values } });
    return observer.ranges().get('t');
  }

  it('is picked so that no column of a row is met more often than another', () => {
    // Rows of nine: a stride of three or nine would see only the first column, or every third.
    const rows = Float32Array.from({ length: 9 * 400 }, (_, i) => (i % 9 === 0 ? 100 : 1));
    for (const most of [3600, 1200, 400, 130]) expect(thinned(rows, most)?.max, `${most}`).toBeLessThan(2);
  });

  it('is more of each run where there are few, and never next to nothing', () => {
    expect(valuesPerRun(1)).toBe(valuesPerRun(50) * 50);
    expect(valuesPerRun(1_000_000)).toBe(1024);
  });
});

it.each([
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['what MaxPool makes of minus infinity', -3.4028234663852886e38],
])('names tensor and sample where values hold %s', (_, bad) => {
  for (const method of ['percentile', 'entropy', 'mse'] as const) {
    expect(() => rangeAfter({ method }, [1, 2], [0, bad, 1])).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({
          kind: 'non-finite-activation',
          place: { tensor: 't', sample: 1 },
        }),
      }),
    );
  }
});

it.each(['percentile', 'entropy', 'mse'] as const)(
  'gives a tensor of zeros the range of 0 alone for %s',
  (method) => expect(rangeAfter({ method }, [0, 0, 0])).toEqual({ min: 0, max: 0 }),
);
