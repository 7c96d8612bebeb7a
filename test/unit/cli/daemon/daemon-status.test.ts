import { describe, expect, it } from 'vitest';
import { daemonStatus } from '../../../../src/cli/daemon/daemon-status.ts';
import { profileOf } from '../../../support/profile.ts';

describe('what a daemon says of itself in a few words', () => {
  const agent = { profiles: [profileOf('a'), profileOf('b')], queuedCount: () => 3 };

  it('is that it is idle, or what it is at', () => {
    expect(daemonStatus(agent, { run: undefined, phases: [] })).toBe('2 models; idle; 3 waiting');
    const run = { id: '01M8', model: 'a' };
    expect(daemonStatus(agent, { run, phases: [] })).toBe('2 models; a: run (01M8); 3 waiting');
    const phases = [{ phase: 'calibrate', startNs: 0n }] as const;
    expect(daemonStatus(agent, { run, phases })).toBe('2 models; a: calibrate (01M8); 3 waiting');
  });

  it('has one model where there is one', () => {
    const one = { ...agent, profiles: [profileOf('a')] };
    expect(daemonStatus(one, { run: undefined, phases: [] })).toMatch(/^1 model; /);
  });
});
