import { describe, expect, it } from 'vitest';
import { capturedSuite } from '../../../src/config/captured-suite.ts';
import type { Suite } from '../../../src/config/suite.ts';
import { profileOf } from '../../support/profile.ts';

const suite: Suite = {
  name: 'night',
  measurements: [
    { name: 'busy', scenario: 'offline', preset: 'quick' },
    { name: 'calm', scenario: 'server', preset: 'quick' },
  ],
  limits: { maxDurationSeconds: 7 },
};
const { bench } = profileOf('tiny');
const chosen = (capture?: string) =>
  capturedSuite({
    bench: { ...bench, suites: [suite], ...(capture === undefined ? {} : { capture }) },
  });

describe('capturedSuite', () => {
  it('is a single stream where the profile does not say', () =>
    expect(chosen()).toMatchObject({
      value: { measurements: [{ scenario: 'single-stream', preset: 'quick' }] },
    }));

  it('is a scenario of the profile, with its settings', () =>
    expect(chosen('single-stream')).toMatchObject({
      value: { name: 'profile', measurements: [{ durationSeconds: 1 }] },
    }));

  it('is a measurement of a suite, or the first of it', () => {
    expect(chosen('night/calm')).toMatchObject({
      value: { name: 'night', limits: { maxDurationSeconds: 7 }, measurements: [{ scenario: 'server' }] },
    });
    const first = chosen('night');
    expect(first).toMatchObject({ value: { measurements: [{ name: 'busy' }] } });
    expect(first.ok && first.value.measurements).toHaveLength(1);
  });

  it('says what there is where there is no such thing', () =>
    expect(chosen('day')).toMatchObject({
      error: {
        kind: 'unknown-suite',
        hint: 'the profile has single-stream, night/busy, night/calm, night',
      },
    }));
});
