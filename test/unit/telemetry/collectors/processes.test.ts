import { describe, expect, it } from 'vitest';
import { collectProcesses } from '../../../../src/telemetry/collectors/processes.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

describe('collectProcesses', () => {
  it('reads a watched process, whose name may hold brackets and spaces', () => {
    expect(collectProcesses(fixtureHost, [4242])).toEqual({
      ok: true,
      value: [
        {
          pid: 4242,
          startSeconds: 98700,
          ageSeconds: 65.43,
          cpuSeconds: 13,
          childrenCpuSeconds: 0,
          threads: 11,
          majorFaults: 12,
          rssBytes: 311296 * 1024,
          peakRssBytes: 401408 * 1024,
          io: { readBytes: 268435456, writtenBytes: 1048576 },
        },
      ],
    });
  });

  it('leaves out zombies and processes that have ended', () => {
    expect(collectProcesses(fixtureHost, [99, 4243])).toEqual({ ok: true, value: [] });
  });

  it('reads nothing when nothing is watched', () => {
    expect(collectProcesses(hostWith({ 'proc/uptime': null }), [])).toEqual({ ok: true, value: [] });
  });

  it('goes without I/O counters that may not be read', () => {
    // A folder in the place of the file fails to read even for root, whom no permission stops.
    const outcome = collectProcesses(hostWith({ 'proc/4242/io': null, 'proc/4242/io/x': '' }), [4242]);
    expect(outcome).toMatchObject({ ok: true, value: [{ pid: 4242, cpuSeconds: 13 }] });
    expect(outcome).not.toHaveProperty('value.0.io');
  });

  it('is absent on a host without /proc', () => {
    expect(collectProcesses({ ...fixtureHost, procPath: '/nonexistent' }, [4242])).toMatchObject({
      error: { kind: 'absent', place: { file: '/nonexistent/uptime' } },
    });
  });

  it.each([
    ['proc/4242/stat', '4242 node R 1 2 3\n', /command in brackets/],
    ['proc/4242/stat', '4242 (node) R 1 2 3\n', /utime.*nothing/],
    ['proc/4242/status', 'State:\tR (running)\nVmRSS:\t 5 kB\n', /VmHWM/],
    ['proc/4242/status', 'gibberish\n', /status of a process/],
    ['proc/4242/io', 'rchar: 5\n', /read_bytes/],
    ['proc/uptime', 'long\n', /seconds since boot/],
  ])('names the malformed file %s', (path, text, message) => {
    expect(collectProcesses(hostWith({ [path]: text }), [4242])).toMatchObject({
      error: {
        kind: 'malformed',
        message: expect.stringMatching(message),
        place: { file: expect.stringContaining(path) },
      },
    });
  });
});
