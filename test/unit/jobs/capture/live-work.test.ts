import { describe, expect, it } from 'vitest';
import { problem } from '../../../../src/core/problem.ts';
import { LiveWork } from '../../../../src/jobs/capture/live-work.ts';
import { fakeSystem } from '../../../support/fake-system.ts';

describe('LiveWork', () => {
  it('knows the run and its phases while they last', () => {
    const live = new LiveWork();
    const ended: string[] = [];
    live.listen({ phaseEnded: ({ phase }) => void ended.push(phase) });
    live.runStarted({ id: 'one', model: 'tiny' });
    live.phaseBegan({ phase: 'quantize', subject: 'int8', startNs: 1n });
    live.phaseBegan({ phase: 'calibrate', subject: 'int8', startNs: 2n });
    live.phaseEnded({ phase: 'calibrate', subject: 'int8', startNs: 2n, endNs: 3n });
    expect(live.phases).toEqual([{ phase: 'quantize', subject: 'int8', startNs: 1n }]);
    expect(ended).toEqual(['calibrate']);
    live.runEnded();
    expect(live.phases).toEqual([]);
    expect(live.run).toBeUndefined();
  });

  it('forgets a system once it has ended, and a listener once it listens no more', async () => {
    const live = new LiveWork();
    const started: string[] = [];
    const stop = live.listen({ systemStarted: ({ identity }) => void started.push(identity.variant) });
    const { system, exit } = fakeSystem('fp32');
    live.systemStarted(system);
    expect(live.systems).toEqual([system]);
    exit(problem('worker-killed', 'gone'));
    await system.exited;
    expect(live.systems).toEqual([]);
    stop();
    live.systemStarted(fakeSystem('int8').system);
    expect(started).toEqual(['fp32']);
  });

  it('knows when systems were traced, also while they are', () => {
    const live = new LiveWork();
    let nowNs = 100n;
    const end = live.beginCapture(() => nowNs);
    expect(live.wasCaptured(0n, 99n)).toBe(false);
    expect(live.wasCaptured(0n, 100n)).toBe(true);
    expect(live.wasCaptured(500n, 600n)).toBe(true);
    nowNs = 200n;
    end();
    expect(live.wasCaptured(0n, 99n)).toBe(false);
    expect(live.wasCaptured(150n, 160n)).toBe(true);
    expect(live.wasCaptured(200n, 300n)).toBe(true);
    expect(live.wasCaptured(201n, 300n)).toBe(false);
  });
});
