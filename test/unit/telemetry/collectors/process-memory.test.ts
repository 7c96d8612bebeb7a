import { describe, expect, it } from 'vitest';
import { createProcessMemory } from '../../../../src/telemetry/collectors/process-memory.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

const ROLLUP = 'proc/4242/smaps_rollup';

describe('createProcessMemory', () => {
  it('reads the shares of a watched process in memory and swap', () => {
    expect(createProcessMemory()(fixtureHost, [4242])).toEqual({
      ok: true,
      value: [{ pid: 4242, pssBytes: 290816 * 1024, swapPssBytes: 2048 * 1024 }],
    });
  });

  it('leaves out zombies and processes that have ended', () => {
    expect(createProcessMemory()(fixtureHost, [99, 4243])).toEqual({ ok: true, value: [] });
  });

  it('leaves out a process that may not be looked at', () => {
    // A folder in the place of the file fails to read even for root, whom no permission stops.
    const host = hostWith({ [ROLLUP]: null, [`${ROLLUP}/x`]: '' });
    expect(createProcessMemory()(host, [4242])).toEqual({ ok: true, value: [] });
  });

  it('does not read a process again that took too long, until another has its pid', () => {
    let nowNs = 0n;
    let stepNs = 60_000_000n;
    const collect = createProcessMemory({
      nowNs: () => {
        nowNs += stepNs;
        return nowNs;
      },
    });
    expect(collect(fixtureHost, [4242])).toMatchObject({ value: [{ pid: 4242 }] });
    stepNs = 1n;
    expect(collect(fixtureHost, [4242])).toEqual({ ok: true, value: [] });
    collect(fixtureHost, []);
    expect(collect(fixtureHost, [4242])).toMatchObject({ value: [{ pid: 4242 }] });
  });

  it('counts no swap on a kernel without it', () => {
    const host = hostWith({ [ROLLUP]: 'Rss: 8 kB\nPss:   4 kB\n' });
    expect(createProcessMemory()(host, [4242])).toMatchObject({
      value: [{ pssBytes: 4096, swapPssBytes: 0 }],
    });
  });

  it.each(['Rss: 8 kB\n', 'Pss: -4 kB\n', 'Pss: 4 MB\n', '\u0000\u0001'])('names the file of %j', (text) => {
    expect(createProcessMemory()(hostWith({ [ROLLUP]: text }), [4242])).toMatchObject({
      error: { kind: 'malformed', place: { file: expect.stringContaining(ROLLUP) } },
    });
  });
});
