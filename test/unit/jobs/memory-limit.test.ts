import { writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  defaultMemoryLimitBytes,
  memoryLimitExceeded,
  residentMemoryBytes,
  watchResidentMemory,
} from '../../../src/jobs/memory-limit.ts';
import { fixtureHost, hostWith } from '../telemetry/host-tree.ts';

describe('defaultMemoryLimitBytes', () => {
  it('is four fifths of the available memory on a host without a tighter cgroup', () => {
    const expected = Math.floor(98765432 * 1024 * 0.8);
    for (const limit of ['max\n', '999999999999999\n']) {
      const host = hostWith({ 'cgroup/system.slice/memory.max': limit });
      expect(defaultMemoryLimitBytes(host)).toBe(expected);
    }
    expect(defaultMemoryLimitBytes(hostWith({ cgroup: null }))).toBe(expected);
  });

  it('is four fifths of the limit of the cgroup where that is less', () =>
    expect(defaultMemoryLimitBytes(fixtureHost)).toBe(Math.floor(68719476736 * 0.8)));

  it('is unknown where the kernel does not tell', () =>
    expect(defaultMemoryLimitBytes(hostWith({ 'proc/meminfo': null }))).toBeUndefined());
});

describe('watchResidentMemory', () => {
  const status = (kibibytes: number) =>
    `State:\tR (running)\nVmHWM:\t 9999999 kB\nVmRSS:\t ${kibibytes} kB\n`;
  const LIMIT = 300 * 1024;

  function watch(text: string | null) {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { procPath } = hostWith({ 'proc/77/status': text });
    const told: number[] = [];
    const stop = watchResidentMemory(77, LIMIT, (rssBytes) => told.push(rssBytes), { procPath });
    const write = (next: string) => writeFileSync(`${procPath}/77/status`, next);
    return { told, stop, write };
  }

  it('tells once, at the first look after the limit is passed, and looks no more', () => {
    const { told, write } = watch(status(300));
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([]);
    write(status(301));
    vi.advanceTimersByTime(249);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([301 * 1024]);
    write(status(400));
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('holds nothing against a zombie, a process that is gone, or one that has not begun', () => {
    const { told, write } = watch('State:\tZ (zombie)\n');
    vi.advanceTimersByTime(500);
    expect(told).toEqual([]);
    write(status(500));
    vi.advanceTimersByTime(250);
    expect(told).toEqual([500 * 1024]);
    const gone = watch(null);
    vi.advanceTimersByTime(500);
    expect(gone.told).toEqual([]);
  });

  it('tells nothing after it was stopped', () => {
    const { told, stop } = watch(status(500));
    stop();
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('tells both figures and what to do', () =>
  expect(memoryLimitExceeded(3 * 2 ** 30, 2 ** 30)).toEqual({
    kind: 'memory-limit-exceeded',
    message: 'the worker had 3.00 GiB of memory resident, more than the 1.00 GiB that it may have',
    hint: expect.stringContaining('fewer threads'),
  }));

describe('residentMemoryBytes', () => {
  it('reads what a process has resident now, not its peak', () => {
    const { procPath } = hostWith({ 'proc/77/status': 'VmHWM:\t 999 kB\nVmRSS:\t 300 kB\n' });
    expect(residentMemoryBytes(77, procPath)).toBe(300 * 1024);
  });

  it('knows nothing of a zombie, or of a process that is gone', () => {
    const { procPath } = hostWith({ 'proc/77/status': 'State:\tZ (zombie)\n' });
    expect(residentMemoryBytes(77, procPath)).toBeNull();
    expect(residentMemoryBytes(78, procPath)).toBeNull();
  });
});
