import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  activityInCell,
  openActivity,
  readActivity,
  tellActivityOfCell,
} from '../../../src/telemetry/activity.ts';

const COLLECTORS = ['cpu', 'memory'] as const;

describe.skipIf(process.platform !== 'linux')('what a sampler process does (in /proc/PID/comm)', () => {
  const ownName = () => readFileSync('/proc/self/comm', 'utf8').trimEnd();

  it('is told by its name, which says which collector runs, or that none does', () => {
    const before = ownName();
    const activity = openActivity('host');
    const names = [ownName()];
    activity.enter('memory');
    names.push(ownName());
    expect(readActivity(process.pid, COLLECTORS).collector).toBe('memory');
    activity.leave();
    names.push(ownName());
    expect(readActivity(process.pid, COLLECTORS)).not.toHaveProperty('collector');
    expect(names).toEqual(['ptq-host', 'memory', 'ptq-host']);
    openActivity('host').close();
    activity.close();
    expect(before).not.toBe('');
  });

  it('of a thread stands in a cell until somebody writes it into the name', () => {
    const cells = new Int32Array(3);
    const activity = openActivity('host');
    const ofThread = activityInCell(cells, 1, COLLECTORS);
    ofThread.enter('memory');
    expect([ownName(), ...cells]).toEqual(['ptq-host', 0, 2, 0]);
    tellActivityOfCell(activity, cells, 1, COLLECTORS);
    expect(ownName()).toBe('memory');
    ofThread.leave();
    tellActivityOfCell(activity, cells, 1, COLLECTORS);
    expect(ownName()).toBe('ptq-host');
    activity.close();
  });

  it('is running where any of its threads runs, as this one does', () => {
    expect(readActivity(process.pid, COLLECTORS).processState).toBe('R');
  });
});
