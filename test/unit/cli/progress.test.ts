import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgressView } from '../../../src/cli/progress.ts';
import type { JobProgress } from '../../../src/jobs/worker-protocol.ts';
import { capturedTerminal } from '../../support/captured-terminal.ts';

const calibrated = (done: number, subject = 'int8'): JobProgress => ({
  phase: 'calibrate',
  subject,
  done,
  total: 100,
  unit: 'samples',
});

describe('createProgressView where there is no terminal', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('prints a line when something begins, every five seconds, and when it is done', () => {
    const { terminal, err, out } = capturedTerminal();
    const view = createProgressView(terminal, { quiet: false });
    for (let done = 1; done <= 100; done += 1) {
      view.update(calibrated(done));
      vi.advanceTimersByTime(100);
    }
    view.stop();
    expect(err().trim().split('\n')).toEqual([
      'calibrate int8: 1 of 100 samples',
      'calibrate int8: 51 of 100 samples',
      'calibrate int8: 100 of 100 samples',
    ]);
    expect(out()).toBe('');
  });

  it('says how much longer it takes where that is long', () => {
    const { terminal, err } = capturedTerminal();
    const view = createProgressView(terminal, { quiet: false });
    view.update(calibrated(0));
    vi.advanceTimersByTime(6000);
    view.update(calibrated(10));
    vi.advanceTimersByTime(54_000);
    view.update(calibrated(99));
    expect(err().trim().split('\n')).toEqual([
      'calibrate int8: 0 of 100 samples',
      'calibrate int8: 10 of 100 samples, 54.0 s left',
      'calibrate int8: 99 of 100 samples',
    ]);
  });

  it('gives every subject lines of its own', () => {
    const { terminal, err } = capturedTerminal();
    const view = createProgressView(terminal, { quiet: false });
    view.update(calibrated(1, 'a'));
    view.update(calibrated(1, 'b'));
    expect(err()).toBe('calibrate a: 1 of 100 samples\ncalibrate b: 1 of 100 samples\n');
  });

  it('takes the turns of a benchmark for one thing, whichever variant has its turn', () => {
    const { terminal, err } = capturedTerminal();
    const view = createProgressView(terminal, { quiet: false });
    const turn = (subject: string, done: number): JobProgress => ({
      phase: 'bench',
      subject,
      done,
      total: 26,
      unit: 'turns',
    });
    view.update(turn('offline fp32', 0));
    view.update(turn('offline int8', 1));
    expect(err()).toBe('bench offline fp32: 0 of 26 turns\n');
  });

  it('leaves out a total that cannot be known', () => {
    const { terminal, err } = capturedTerminal();
    createProgressView(terminal, { quiet: false }).update({ phase: 'load', done: 3, unit: 'MiB' });
    expect(err()).toBe('load: 3 MiB\n');
  });

  it('prints nothing when it is told to be quiet', () => {
    const { terminal, err } = capturedTerminal({ isTTY: true });
    const view = createProgressView(terminal, { quiet: true });
    view.update(calibrated(1));
    view.stop();
    expect(err()).toBe('');
  });
});

describe('createProgressView on a terminal', () => {
  it('draws bars on stderr and leaves the last state standing', () => {
    const { terminal, err, out } = capturedTerminal({ isTTY: true });
    const view = createProgressView(terminal, { quiet: false });
    view.update(calibrated(0));
    view.update(calibrated(100));
    view.stop();
    expect(err()).toContain('calibrate int8');
    expect(err()).toContain('100/100 samples');
    expect(out()).toBe('');
  });
});
