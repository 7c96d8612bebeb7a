import { describe, expect, it } from 'vitest';
import { benchSettings, processCount } from '../../../src/benchmark/settings.ts';

describe('benchSettings', () => {
  it('takes a duration alone and lets the maximum follow it', () => {
    expect(benchSettings({ minDurationSeconds: 120 })).toMatchObject({
      ok: true,
      value: { minDurationSeconds: 120, maxDurationSeconds: 720, minQueries: 100, rounds: 24 },
    });
  });

  it('warms up no longer than it measures, within two and ten seconds', () => {
    const warmUpOf = (minDurationSeconds: number) => {
      const settings = benchSettings({ minDurationSeconds });
      return settings.ok ? settings.value.maxWarmUpSeconds : undefined;
    };
    expect([0.3, 4, 120].map(warmUpOf)).toEqual([2, 4, 10]);
    expect(benchSettings({ minDurationSeconds: 0.3, maxWarmUpSeconds: 7 })).toMatchObject({
      value: { maxWarmUpSeconds: 7 },
    });
  });

  it.each([
    [{ rounds: 0 }, 'rounds', 'Expected rounds to be a whole number of at least 1 but found 0'],
    [{ rounds: 2.5 }, 'rounds', 'Expected rounds to be a whole number of at least 1 but found 2.5'],
    [
      { minQueries: Number.NaN },
      'minQueries',
      'Expected minQueries to be a whole number of at least 1 but found NaN',
    ],
    [
      { minDurationSeconds: -1 },
      'minDurationSeconds',
      'Expected minDurationSeconds to be a number above 0 but found -1',
    ],
    [
      { leadInSeconds: -1 },
      'leadInSeconds',
      'Expected leadInSeconds to be a number of at least 0 but found -1',
    ],
    [
      { rounds: 4, processes: 5 },
      'processes',
      'Expected processes to be a whole number from 1 to the 4 rounds that they share but found 5',
    ],
    [
      { rounds: 4, processes: 0 },
      'processes',
      'Expected processes to be a whole number from 1 to the 4 rounds that they share but found 0',
    ],
    [{ seed: 0.5 }, 'seed', 'Expected seed to be a whole number but found 0.5'],
    [
      { minDurationSeconds: 10, maxDurationSeconds: 5 },
      'maxDurationSeconds',
      'Expected maxDurationSeconds to be at least minDurationSeconds (10) but found 5',
    ],
  ])('refuses %o and names the field', (given, field, message) => {
    expect(benchSettings(given)).toEqual({
      ok: false,
      error: { kind: 'invalid-bench-settings', message, place: { field } },
    });
  });
});

describe('processCount', () => {
  it('is what was asked for, else six where there is something to compare and rounds enough', () => {
    expect(processCount({ processes: 2, rounds: 24 }, 1)).toBe(2);
    expect(processCount({ processes: null, rounds: 24 }, 1)).toBe(1);
    expect(processCount({ processes: null, rounds: 24 }, 2)).toBe(6);
    expect(processCount({ processes: null, rounds: 4 }, 2)).toBe(4);
    expect(processCount({ processes: null, rounds: 2 }, 2)).toBe(1);
  });
});
