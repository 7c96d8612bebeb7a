import { describe, expect, it } from 'vitest';
import {
  addEnergy,
  type EnergyReading,
  energyBetween,
  energyFigures,
} from '../../../src/benchmark/energy.ts';

const WRAP = 262143.32885;

function reading(
  seconds: number,
  joules: Readonly<Record<string, number>>,
  wrapJoules?: number,
): EnergyReading {
  return {
    atNs: BigInt(Math.round(seconds * 1e9)),
    counters: Object.entries(joules).map(([domain, value]) => ({
      domain,
      joules: value,
      ...(wrapJoules === undefined ? {} : { wrapJoules }),
    })),
  };
}

describe('energyBetween', () => {
  it('adds the packages up', () => {
    const before = reading(1, { 'package-0': 100, 'package-1': 1000 }, WRAP);
    const after = reading(3, { 'package-0': 160, 'package-1': 1010 }, WRAP);
    expect(energyBetween(before, after)).toEqual({
      ok: true,
      value: { joules: 70, durationNs: 2e9, joulesByDomain: { 'package-0': 60, 'package-1': 10 } },
    });
  });

  it('goes on over the point where a counter begins anew, for each package on its own', () => {
    const before = reading(0, { 'package-0': WRAP - 10, 'package-1': 5 }, WRAP);
    const after = reading(1, { 'package-0': 20, 'package-1': 6 }, WRAP);
    const used = energyBetween(before, after);
    expect(used).toMatchObject({ ok: true });
    expect(used.ok && used.value.joules).toBeCloseTo(31, 6);
  });

  it('does not guess when a counter may have come round more than once', () => {
    const before = reading(0, { 'package-0': 5 }, WRAP);
    expect(energyBetween(before, reading(262, { 'package-0': 6 }, WRAP)).ok).toBe(true);
    expect(energyBetween(before, reading(263, { 'package-0': 6 }, WRAP))).toMatchObject({
      error: {
        kind: 'energy-unknown',
        message:
          'the energy is not known: in 4 min 23 s the counter of package-0 may have come round more than once',
      },
    });
  });

  it('takes any time for a counter that does not begin anew, and does not believe that it falls', () => {
    const before = reading(0, { gpu: 5 });
    expect(energyBetween(before, reading(1e5, { gpu: 6 }))).toMatchObject({ value: { joules: 1 } });
    expect(energyBetween(before, reading(1, { gpu: 4 }))).toMatchObject({
      error: { message: expect.stringContaining('the counter of gpu fell') },
    });
  });

  it.each([
    ['a package came', { a: 1 }, { a: 2, b: 1 }, /b was not there at the first/],
    ['a package went', { a: 1, b: 1 }, { a: 2 }, /b was not there at the second/],
  ])('knows nothing where %s', (_what, first, second, message) =>
    expect(
      energyBetween(
        reading(0, first as unknown as Record<string, number>),
        reading(1, second as unknown as Record<string, number>),
      ),
    ).toMatchObject({ error: { message: expect.stringMatching(message) } }),
  );

  it('knows nothing where no time has passed', () => {
    expect(energyBetween(reading(1, { a: 1 }), reading(1, { a: 1 })).ok).toBe(false);
    expect(energyBetween(reading(2, { a: 1 }), reading(1, { a: 1 })).ok).toBe(false);
  });
});

it('adds intervals, domain by domain', () => {
  const first = { joules: 3, durationNs: 1e9, joulesByDomain: { a: 1, b: 2 } };
  const second = { joules: 30, durationNs: 2e9, joulesByDomain: { a: 10, b: 20 } };
  expect(addEnergy([first, second])).toEqual({
    joules: 33,
    durationNs: 3e9,
    joulesByDomain: { a: 11, b: 22 },
  });
  expect(addEnergy([])).toEqual({ joules: 0, durationNs: 0, joulesByDomain: {} });
});

describe('energyFigures', () => {
  const used = { joules: 600, durationNs: 10e9, joulesByDomain: { package: 600 } };
  const idle = { joules: 40, durationNs: 2e9, joulesByDomain: { package: 40 } };

  it('gives mean power and energy a query, and what is above idling beside them', () => {
    expect(energyFigures(used, 2000, idle)).toEqual({
      joules: 600,
      meanWatts: 60,
      millijoulesPerQuery: 300,
      idleWatts: 20,
      aboveIdleJoules: 400,
      aboveIdleMillijoulesPerQuery: 200,
      joulesByDomain: { package: 600 },
    });
  });

  it('keeps the whole where idling was not measured', () => {
    expect(energyFigures(used, 2000)).toEqual({
      joules: 600,
      meanWatts: 60,
      millijoulesPerQuery: 300,
      idleWatts: null,
      aboveIdleJoules: null,
      aboveIdleMillijoulesPerQuery: null,
      joulesByDomain: { package: 600 },
    });
  });

  it('takes from idling what was counted of the benchmark, and nothing where that was not counted', () => {
    const ofTwo = { joules: 90, durationNs: 2e9, joulesByDomain: { package: 40, 'GPU-2': 50 } };
    expect(energyFigures(used, 2000, ofTwo).idleWatts).toBe(20);
    const ofOther = { joules: 50, durationNs: 2e9, joulesByDomain: { 'GPU-2': 50 } };
    expect(energyFigures(used, 2000, ofOther)).toMatchObject({ idleWatts: null, aboveIdleJoules: null });
  });

  it('shows an idle host that was none as less than nothing', () =>
    expect(energyFigures(used, 1, { ...idle, joules: 200, joulesByDomain: { package: 200 } })).toMatchObject({
      aboveIdleJoules: -400,
      joules: 600,
    }));

  it('has nothing to say of a query where there was none', () =>
    expect(energyFigures(used, 0, idle)).toMatchObject({
      millijoulesPerQuery: null,
      aboveIdleMillijoulesPerQuery: null,
      aboveIdleJoules: 400,
    }));
});
