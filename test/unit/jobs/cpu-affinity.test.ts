import { describe, expect, it } from 'vitest';
import { affinityOf, onlineCpus, usableCpus } from '../../../src/jobs/cpu-affinity.ts';
import { fixtureHost, hostWith } from '../telemetry/host-tree.ts';

const CPU = 'sys/devices/system/cpu';

function statusWith(list: string): string {
  return `Name:\tnode\nState:\tR (running)\nCpus_allowed_list:\t${list}\n`;
}

describe('onlineCpus', () => {
  it('is what the kernel lists', () =>
    expect(onlineCpus(hostWith({ [`${CPU}/online`]: '0-1,3\n' }))).toEqual({ ok: true, value: [0, 1, 3] }));

  it('names the file that is no list, or not there', () => {
    expect(onlineCpus(hostWith({ [`${CPU}/online`]: 'some\n' }))).toMatchObject({
      error: { kind: 'malformed', place: { file: expect.stringMatching(/cpu\/online$/), line: 1 } },
    });
    expect(onlineCpus(hostWith({ [`${CPU}/online`]: null }))).toMatchObject({ error: { kind: 'absent' } });
  });
});

describe('usableCpus', () => {
  it('takes CPUs that exist, are online and may be used', () =>
    expect(usableCpus('2,0-1', fixtureHost)).toEqual({ ok: true, value: [0, 1, 2] }));

  it('passes on what is wrong with the list itself', () =>
    expect(usableCpus('zero', fixtureHost)).toMatchObject({ error: { kind: 'invalid-cpu-list' } }));

  it('names the CPUs that this host does not have', () => {
    expect(usableCpus('2-5,9', fixtureHost)).toEqual({
      ok: false,
      error: {
        kind: 'invalid-cpu-list',
        message: 'CPUs 4-5,9 are not on this host',
        hint: 'This host has 0-3; leave the others out of the list',
      },
    });
    expect(usableCpus('4', fixtureHost)).toMatchObject({ error: { message: 'CPU 4 is not on this host' } });
  });

  it('names the CPUs that are offline', () => {
    const host = hostWith({ [`${CPU}/online`]: '0,2-3\n' });
    expect(usableCpus('0-2', host)).toMatchObject({
      error: { message: 'CPU 1 is offline', hint: expect.stringContaining('Online are 0,2-3') },
    });
  });

  it('names the CPUs outside of what this process was allowed, as in a container', () => {
    const host = hostWith({ 'proc/self/status': statusWith('1-2') });
    expect(usableCpus('0-3', host)).toMatchObject({
      error: {
        message: 'CPUs 0,3 are not among those that this process may use',
        hint: expect.stringContaining('It may use 1-2'),
      },
    });
    expect(usableCpus('1-2', host).ok).toBe(true);
  });

  it('leaves to the kernel what cannot be checked', () =>
    expect(usableCpus('4000', hostWith({ proc: null, sys: null }))).toEqual({ ok: true, value: [4000] }));
});

describe('affinityOf', () => {
  it('is that of all threads together', () => {
    const host = hostWith({
      'proc/4242/task/4242/status': statusWith('0'),
      'proc/4242/task/4250/status': statusWith('0'),
      'proc/4242/task/4251/status': statusWith('2-3'),
    });
    expect(affinityOf(4242, host)).toEqual({ ok: true, value: [0, 2, 3] });
  });

  it('leaves out a thread that has just ended', () => {
    const host = hostWith({
      'proc/4242/task/4242/status': statusWith('1'),
      'proc/4242/task/4250/stat': '',
    });
    expect(affinityOf(4242, host)).toEqual({ ok: true, value: [1] });
  });

  it('is absent for a process that is gone, or whose threads all are', () => {
    expect(affinityOf(1, fixtureHost)).toMatchObject({ error: { kind: 'absent' } });
    const host = hostWith({ 'proc/4242/task/4242/stat': '' });
    expect(affinityOf(4242, host)).toMatchObject({ error: { kind: 'absent' } });
  });

  it('names the file without the field, or with one that is no list', () => {
    const without = hostWith({ 'proc/4242/task/4242/status': 'Name:\tnode\n' });
    expect(affinityOf(4242, without)).toMatchObject({
      error: { kind: 'malformed', place: { file: expect.stringMatching(/task\/4242\/status$/) } },
    });
    const nonsense = hostWith({ 'proc/4242/task/4242/status': statusWith('x') });
    expect(affinityOf(4242, nonsense)).toMatchObject({ error: { kind: 'malformed' } });
  });
});
