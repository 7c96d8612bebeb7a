import { describe, expect, it } from 'vitest';
import type { Suite } from '../../../src/config/suite.ts';
import { planOf } from '../../../src/jobs/orders.ts';
import { profileOf } from '../../support/profile.ts';

const SINGLE_STREAM = {
  name: 'single-stream',
  scenario: 'single-stream',
  preset: 'quick',
  durationSeconds: 4,
} as const;
const OFFLINE = { name: 'offline', scenario: 'offline', preset: 'quick', durationSeconds: 6 } as const;
const SERVER = { name: 'busy', scenario: 'server', preset: 'standard', rateShare: 0.9 } as const;
const REPLAY = { name: 'replay', scenario: 'replay', preset: 'quick', trace: { file: '/t.jsonl' } } as const;

const nightly: Suite = {
  name: 'nightly',
  measurements: [SERVER, REPLAY],
  limits: { maxDurationSeconds: 60 },
};
const own: Suite = { name: 'profile', measurements: [SINGLE_STREAM, OFFLINE], limits: {} };

const profile = profileOf('tiny', {
  bench: { threads: 2, scenarios: [SINGLE_STREAM, OFFLINE], suites: [nightly] },
});

describe('planOf', () => {
  it('does all that the profile says for a full run: its own scenarios, then its suites', () => {
    expect(planOf(profile, { kind: 'pipeline' })).toEqual({
      evaluate: true,
      suites: [own, nightly],
      threads: 2,
    });
  });

  it('explains what the profile says besides full runs and evaluations, and what an order says by itself', () => {
    const explain = { samples: 7, timeLimitSeconds: 60, top: 5 };
    const explained = profileOf('tiny', { explain });
    for (const kind of ['pipeline', 'evaluate'] as const) {
      expect(planOf(explained, { kind }).explain).toEqual({ ...explain, isOrdered: false });
      expect(planOf(profile, { kind }).explain).toBeUndefined();
    }
    expect(planOf(explained, { kind: 'quantize' }).explain).toBeUndefined();
    expect(planOf(explained, { kind: 'explain', samples: 3, variants: ['int8'] })).toEqual({
      evaluate: false,
      suites: [],
      threads: explained.bench.threads,
      variants: ['int8'],
      explain: { samples: 3, timeLimitSeconds: 60, top: 5, isOrdered: true },
    });
    // A profile that says nothing of it is taken for one that says `explain: true`.
    expect(planOf(profile, { kind: 'explain', top: 2, timeLimitSeconds: 9 }).explain).toEqual({
      samples: 32,
      timeLimitSeconds: 9,
      top: 2,
      isOrdered: true,
    });
  });

  it('traces what the profile says, unless the order says otherwise', () => {
    const trace = { queries: 9, calibration: false, evaluation: true };
    const traced = profileOf('tiny', { trace });
    expect(planOf(profile, { kind: 'pipeline' }).trace).toBeUndefined();
    expect(planOf(profile, { kind: 'bench', trace: true }).trace).toEqual({
      queries: 50,
      calibration: true,
      evaluation: true,
    });
    expect(planOf(traced, { kind: 'pipeline' }).trace).toEqual(trace);
    expect(planOf(traced, { kind: 'pipeline', trace: { queries: 3 } }).trace).toEqual({
      ...trace,
      queries: 3,
    });
    expect(planOf(traced, { kind: 'bench', trace: false }).trace).toBeUndefined();
  });

  it('runs suites alone where the profile has no scenarios of its own', () => {
    const bench = { threads: 1, scenarios: [], suites: [nightly] };
    expect(planOf(profileOf('tiny', { bench }), { kind: 'pipeline' }).suites).toEqual([nightly]);
  });

  it("takes a benchmark's gaps from the profile, and does not evaluate", () => {
    expect(planOf(profile, { kind: 'bench' })).toEqual({
      evaluate: false,
      suites: [own, nightly],
      threads: 2,
    });
  });

  it('lets the order win over the profile', () => {
    const order = { kind: 'bench', scenario: 'offline', threads: 0, variants: ['int8'] } as const;
    expect(planOf(profile, order)).toEqual({
      evaluate: false,
      suites: [{ ...own, measurements: [OFFLINE] }],
      threads: 0,
      variants: ['int8'],
    });
    expect(planOf(profile, { ...order, durationSeconds: 1.5 }).suites[0]?.measurements).toEqual([
      { ...OFFLINE, durationSeconds: 1.5 },
    ]);
  });

  it('runs the suite that is ordered, or one scenario of it', () => {
    expect(planOf(profile, { kind: 'bench', suite: 'nightly' }).suites).toEqual([nightly]);
    expect(planOf(profile, { kind: 'bench', suite: 'profile' }).suites).toEqual([own]);
    expect(planOf(profile, { kind: 'bench', suite: 'nightly', scenario: 'server' }).suites).toEqual([
      { ...nightly, measurements: [SERVER] },
    ]);
  });

  it('finds a scenario in the suites where the profile itself does not list it', () => {
    expect(planOf(profile, { kind: 'bench', scenario: 'server' }).suites).toEqual([
      { ...nightly, measurements: [SERVER] },
    ]);
  });

  it('gives every measurement the duration that was ordered, but a replay that of its trace', () => {
    const plan = planOf(profile, { kind: 'bench', durationSeconds: 0.5 });
    const durations = plan.suites.flatMap(({ measurements }) =>
      measurements.map((measurement) => measurement.durationSeconds),
    );
    expect(durations).toEqual([0.5, 0.5, 0.5, undefined]);
  });

  it('measures quickly what nobody lists', () => {
    const plan = planOf(profileOf('tiny'), { kind: 'bench', scenario: 'offline' });
    expect(plan.suites).toEqual([
      {
        name: 'profile',
        measurements: [{ name: 'offline', scenario: 'offline', preset: 'quick' }],
        limits: {},
      },
    ]);
  });

  it('samples as the order says, and not as measurements do', () => {
    const busy = { ...SERVER, sampling: '50hz' } as const;
    const bench = { threads: 1, scenarios: [SINGLE_STREAM], suites: [{ ...nightly, measurements: [busy] }] };
    const sampled = profileOf('tiny', { bench });
    const rates = (order: Parameters<typeof planOf>[1]) => {
      const { sampling, suites } = planOf(sampled, order);
      return [sampling, ...suites.flatMap(({ measurements }) => measurements.map((of) => of.sampling))];
    };
    expect(rates({ kind: 'pipeline' })).toEqual([undefined, undefined, '50hz']);
    expect(rates({ kind: 'pipeline', sampling: 'slow' })).toEqual(['slow', 'slow', 'slow']);
    expect(rates({ kind: 'bench', sampling: 'off' })).toEqual(['off', 'off', 'off']);
  });
});
