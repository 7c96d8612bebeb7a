import { describe, expect, it } from 'vitest';
import { planOf } from '../../../src/jobs/orders.ts';
import { profileOf } from '../../support/profile.ts';

const profile = profileOf('tiny', {
  bench: {
    threads: 2,
    scenarios: [
      { scenario: 'single-stream', durationSeconds: 4 },
      { scenario: 'offline', durationSeconds: 6 },
    ],
  },
});

describe('planOf', () => {
  it('does all that the profile says for a full run', () => {
    expect(planOf(profile, { kind: 'pipeline' })).toEqual({
      evaluate: true,
      scenarios: profile.bench.scenarios,
      threads: 2,
    });
  });

  it("takes a benchmark's gaps from the profile, and does not evaluate", () => {
    expect(planOf(profile, { kind: 'bench' })).toEqual({
      evaluate: false,
      scenarios: profile.bench.scenarios,
      threads: 2,
    });
  });

  it('lets the order win over the profile', () => {
    const order = { kind: 'bench', scenario: 'offline', threads: 0, variants: ['int8'] } as const;
    expect(planOf(profile, order)).toEqual({
      evaluate: false,
      scenarios: [{ scenario: 'offline', durationSeconds: 6 }],
      threads: 0,
      variants: ['int8'],
    });
    expect(planOf(profile, { ...order, durationSeconds: 1.5 }).scenarios).toEqual([
      { scenario: 'offline', durationSeconds: 1.5 },
    ]);
  });

  it('gives every scenario the duration that was ordered', () => {
    const plan = planOf(profile, { kind: 'bench', durationSeconds: 0.5 });
    expect(plan.scenarios.map(({ durationSeconds }) => durationSeconds)).toEqual([0.5, 0.5]);
  });

  it('measures a scenario that the profile does not list for ten seconds', () => {
    const plan = planOf(profileOf('tiny'), { kind: 'bench', scenario: 'offline' });
    expect(plan.scenarios).toEqual([{ scenario: 'offline', durationSeconds: 10 }]);
  });
});
