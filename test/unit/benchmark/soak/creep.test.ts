import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/benchmark/random.ts';
import { type Creep, findCreep } from '../../../../src/benchmark/soak/creep.ts';
import type { SoakWindow } from '../../../../src/benchmark/soak/soak-window.ts';
import { normal } from '../fakes.ts';
import { windowOf } from './windows.ts';

const MIB = 2 ** 20;

/** Windows of half a minute. */
function soak(count: number, of: (index: number) => Partial<SoakWindow>): readonly SoakWindow[] {
  return Array.from({ length: count }, (_, index) => windowOf(index, of(index)));
}

function outcomes(windows: readonly SoakWindow[]): Record<string, string> {
  return Object.fromEntries(findCreep(windows).map(({ figure, outcome }) => [figure, outcome]));
}

const memory = (windows: readonly SoakWindow[]) => findCreep(windows)[2] as Creep;

describe('findCreep', () => {
  it('finds nothing in windows that are all alike', () => {
    const creep = findCreep(soak(12, () => ({})));
    expect(creep.map(({ figure }) => figure)).toEqual(['median-latency', 'p99-latency', 'resident-memory']);
    for (const { outcome, windows } of creep)
      expect({ outcome, windows }).toEqual({ outcome: 'steady', windows: 11 });
  });

  it('tells the growth of memory an hour and over the soak, without the first window', () => {
    // 121 windows of half a minute: the hour from the second on is grown by 12 MiB.
    const windows = soak(121, (index) => ({
      rssBytes: index === 0 ? 50 * MIB : (100 + (index - 1) / 10) * MIB,
    }));
    const { outcome, perHour, change } = memory(windows);
    expect(outcome).toBe('creeps');
    expect((perHour?.estimate ?? 0) / MIB).toBeCloseTo(12, 6);
    // The base is the median of the first quarter, 101.5 MiB.
    expect(change?.estimate).toBeCloseTo(11.9 / 101.5, 6);
  });

  it('tells growing latencies, each by its own figure', () => {
    const grows = (index: number) => 1e-3 * (1 + index / 200);
    expect(outcomes(soak(40, (index) => ({ p50Seconds: grows(index) })))).toEqual({
      'median-latency': 'creeps',
      'p99-latency': 'steady',
      'resident-memory': 'steady',
    });
    expect(outcomes(soak(40, (index) => ({ p99Seconds: grows(index) })))['p99-latency']).toBe('creeps');
  });

  it('is no concern when a figure falls', () => {
    const falls = soak(40, (index) => ({
      p50Seconds: 1e-3 * (1 - index / 200),
      rssBytes: (100 - index) * MIB,
    }));
    expect(Object.values(outcomes(falls))).toEqual(['steady', 'steady', 'steady']);
    expect(findCreep(falls)[0]?.change?.upper).toBeLessThan(0);
  });

  it('leaves growth below 2 % of the soak, or of memory below 1 MiB an hour, alone', () => {
    expect(outcomes(soak(40, (index) => ({ p50Seconds: 1 + (index * 0.019) / 38 })))['median-latency']).toBe(
      'steady',
    );
    expect(outcomes(soak(40, (index) => ({ p50Seconds: 1 + (index * 0.022) / 38 })))['median-latency']).toBe(
      'creeps',
    );
    const grow = (mibPerHour: number, fromMib: number) =>
      memory(soak(121, (index) => ({ rssBytes: (fromMib + (index * mibPerHour) / 120) * MIB }))).outcome;
    expect(grow(12, 700)).toBe('steady');
    expect(grow(12, 100)).toBe('creeps');
    expect(grow(0.9, 10)).toBe('steady');
    expect(grow(1.1, 10)).toBe('creeps');
  });

  it('does not take what fills up, or a single step, for creep', () => {
    const fills = soak(60, (index) => ({ p50Seconds: 1e-3 * (1.1 - 0.1 * Math.exp(-index / 8)) }));
    expect(outcomes(fills)['median-latency']).toBe('steady');
    const steps = soak(60, (index) => ({ p50Seconds: index < 25 ? 1e-3 : 1.1e-3 }));
    expect(outcomes(steps)['median-latency']).toBe('levelled-off');
  });

  it('counts whole windows alone, and says when they are too few', () => {
    const windows = soak(12, (index) => ({ complete: index < 11 }));
    expect(findCreep(windows)[0]).toMatchObject({ outcome: 'steady', windows: 10 });
    expect(findCreep(windows.slice(0, 10))[0]).toMatchObject({
      outcome: 'too-few-windows',
      windows: 9,
      perHour: null,
      change: null,
    });
    expect(findCreep([])[0]).toMatchObject({ outcome: 'too-few-windows', windows: 0 });
  });

  it('says of a figure that some window does not have that it was not measured', () => {
    const windows = soak(14, (index) => ({ p99Seconds: index === 5 ? null : 2e-3, rssBytes: null }));
    expect(outcomes(windows)).toEqual({
      'median-latency': 'steady',
      'p99-latency': 'not-measured',
      'resident-memory': 'not-measured',
    });
  });

  it.each([12, 40, 120])('blames at most 6 of 100 sound soaks of %i windows for anything', (count) => {
    const random = seededRandom(8);
    let blamed = 0;
    for (let trial = 0; trial < 500; trial++) {
      let wander = 0;
      let rss = 100;
      const windows = soak(count, () => {
        wander = 0.5 * wander + normal(random);
        rss += random() < 0.1 ? normal(random) : 0;
        return {
          p50Seconds: 1e-3 * (1 + 0.03 * wander),
          p99Seconds: 2e-3 * (1 + 0.1 * Math.abs(normal(random))),
          rssBytes: (rss + Math.abs(normal(random))) * MIB,
        };
      });
      if (Object.values(outcomes(windows)).includes('creeps')) blamed += 1;
    }
    expect(blamed / 5).toBeLessThanOrEqual(6);
    expect(blamed).toBeGreaterThan(0);
  });

  it('finds a leak of 12 MiB an hour in an hour, under a heap that comes and goes', () => {
    const random = seededRandom(9);
    let found = 0;
    for (let trial = 0; trial < 100; trial++) {
      const windows = soak(120, (index) => ({
        rssBytes: (100 + index / 10 + Math.abs(normal(random))) * MIB,
      }));
      if (memory(windows).outcome === 'creeps') found += 1;
    }
    expect(found).toBeGreaterThan(90);
  });
});
