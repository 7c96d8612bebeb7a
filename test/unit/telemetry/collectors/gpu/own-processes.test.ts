import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OwnProcesses } from '../../../../../src/telemetry/collectors/gpu/own-processes.ts';
import { hostWith } from '../../host-tree.ts';

const LISTED = [
  { pid: 4711, usedBytes: 10 },
  { pid: 17, usedBytes: 20 },
];

describe('our processes on a GPU', () => {
  it('are found by their pid in the first namespace of a host', () => {
    const host = inNamespace('pid:[4026531836]', {});
    expect(find(host, [17, 18])).toEqual([{ pid: 17, usedBytes: 20 }]);
    expect(find(host, [18])).toEqual([]);
    expect(find(host, [])).toEqual([]);
  });

  it('are found by their pid on the host where its procfs is to be seen', () => {
    const host = inNamespace('pid:[4026532001]', {
      'proc/self/status': 'Name:\tnode\nNSpid:\t4700\t5\n',
      'proc/4711/status': 'Name:\tnode\nNSpid:\t4711\t18\n',
      'proc/4712/status': 'Name:\tnode\nNSpid:\t4712\t18\t1\n',
      'proc/18/status': 'Name:\tinit\nNSpid:\t18\n',
      'proc/20/status': 'Name:\told\n',
    });
    // It keeps the name that we have for it.
    expect(find(host, [18])).toEqual([{ pid: 18, usedBytes: 10 }]);
  });

  it('are found by their own pid in a container whose driver translates', () => {
    const host = inNamespace('pid:[4026532001]', { 'proc/self/status': 'NSpid:\t5\n' });
    expect(find(host, [17, 18])).toEqual([{ pid: 17, usedBytes: 20 }]);
  });

  it('cannot be told in a container where the driver lists others only', () => {
    const host = inNamespace('pid:[4026532001]', { 'proc/self/status': 'NSpid:\t5\n' });
    expect(find(host, [18])).toBeUndefined();
    expect(new OwnProcesses().find([], host, [18])).toEqual([]);
  });

  it('are looked up anew when others are watched', () => {
    const host = inNamespace('pid:[4026532001]', {
      'proc/self/status': 'NSpid:\t4700\t5\n',
      'proc/4711/status': 'NSpid:\t4711\t18\n',
    });
    const own = new OwnProcesses();
    expect(own.find(LISTED, host, [18])).toEqual([{ pid: 18, usedBytes: 10 }]);
    rmSync(join(host.procPath, '4711'), { recursive: true });
    expect(own.find(LISTED, host, [18])).toEqual([{ pid: 18, usedBytes: 10 }]);
    expect(own.find(LISTED, host, [18, 19])).toBeUndefined();
  });
});

function find(host: ReturnType<typeof hostWith>, watchedPids: readonly number[]) {
  return new OwnProcesses().find(LISTED, host, watchedPids);
}

function inNamespace(namespace: string, files: Readonly<Record<string, string>>) {
  const host = hostWith({ 'proc/self/ns/mnt': '', ...files });
  symlinkSync(namespace, join(host.procPath, 'self/ns/pid'));
  return host;
}
