import { describe, expect, it } from 'vitest';
import {
  minimumQueries,
  mostOverLatency,
  overLatencyAllowance,
} from '../../../src/benchmark/early-stopping.ts';

describe('overLatencyAllowance', () => {
  it('agrees with the published test vectors of MLPerf early stopping', () => {
    expect(overLatencyAllowance(10_000, 990)).toBe(77);
    expect(overLatencyAllowance(1_000, 990)).toBe(2);
    expect(overLatencyAllowance(1_000, 900)).toBe(78);
  });

  it('is null one query below the floor and 1 at it', () => {
    expect(overLatencyAllowance(63, 900)).toBeNull();
    expect(overLatencyAllowance(64, 900)).toBe(1);
    expect(overLatencyAllowance(0, 900)).toBeNull();
  });

  it('stays exact where p to the power of n underflows', () => {
    // The normal approximation with continuity: n q - z sqrt(n p q) with z = 2.3263, good to one count at this size.
    const allowance = overLatencyAllowance(1_000_000, 900) as number;
    const approximation = 100_000 - 2.3263 * Math.sqrt(1_000_000 * 0.09) - 0.5;
    expect(Math.abs(allowance - approximation)).toBeLessThan(3);
  });
});

describe('mostOverLatency', () => {
  it('is 0 where a single latency over the bound would be too many, and null where none would not do', () => {
    expect(mostOverLatency(458, 990)).toBeNull();
    expect(mostOverLatency(459, 990)).toBe(0);
    expect(mostOverLatency(661, 990)).toBe(0);
    expect(overLatencyAllowance(661, 990)).toBeNull();
    expect(mostOverLatency(662, 990)).toBe(1);
    expect(mostOverLatency(10_000, 990)).toBe(77);
    expect(mostOverLatency(0, 990)).toBeNull();
  });
});

describe('minimumQueries', () => {
  it.each([
    [900, 44],
    [950, 90],
    [970, 152],
    [990, 459],
    [999, 4_603],
  ])('with no latency over the bound of percentile %i/1000 is %i', (permille, floor) => {
    expect(minimumQueries(permille, 0)).toBe(floor);
  });

  it('is where the allowance reaches so many', () => {
    const queries = minimumQueries(990, 77);
    expect(overLatencyAllowance(queries, 990)).toBe(77);
    expect(overLatencyAllowance(queries - 1, 990)).toBe(76);
    expect(queries).toBeLessThanOrEqual(10_000);
  });

  it.each([
    [900, 64],
    [950, 130],
    [970, 219],
    [990, 662],
    [999, 6_636],
  ])('for the percentile %i/1000 is the MLPerf floor of %i', (permille, floor) => {
    expect(minimumQueries(permille)).toBe(floor);
  });
});
