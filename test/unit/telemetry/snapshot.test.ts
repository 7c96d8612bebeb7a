import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { COLLECTORS, type CollectorTable } from '../../../src/telemetry/collectors/all.ts';
import { collectorsOf, nextDueNs, takeSnapshot } from '../../../src/telemetry/snapshot.ts';
import { fixtureHost, hostWith } from './host-tree.ts';

/** Every reading of this clock is 1 ms after the one before. */
function steppingClock(): Clock {
  let nowNs = 0n;
  return {
    nowNs: () => {
      nowNs += 1_000_000n;
      return nowNs;
    },
    wallMs: () => 1_700_000_000_000,
  };
}

const cost = { pid: 7, intervalMs: 100, cpuSeconds: 0.5, missedTicks: 2 };

function snapshotOf(host = fixtureHost) {
  return takeSnapshot(
    {
      source: 'host',
      collectors: collectorsOf(COLLECTORS, 'host'),
      host,
      watchedPids: [4242],
      clock: steppingClock(),
    },
    cost,
  );
}

describe('takeSnapshot', () => {
  it('holds every reading, how long each took, and what sampling cost', () => {
    const snapshot = snapshotOf();
    expect(snapshot).toMatchObject({
      tickNs: 1_000_000n,
      wallMs: 1_700_000_000_000,
      source: 'host',
      cpu: { cpuCount: 4 },
      memory: { totalBytes: 131072000 * 1024 },
      pressure: { cpu: { someSeconds: 15.62605 } },
      processes: [{ pid: 4242 }],
      sampler: cost,
    });
    expect(snapshot.disks).toHaveLength(4);
    expect(snapshot.health).toEqual(
      Object.fromEntries(
        ['cpu', 'memory', 'pressure', 'disks', 'processes', 'paging', 'cgroup', 'rapl'].map((name) => [
          name,
          { status: 'ok', durationSeconds: 0.001 },
        ]),
      ),
    );
  });

  it('publishes nothing for a collector that failed, says why, and keeps the others', () => {
    const snapshot = snapshotOf(hostWith({ 'proc/pressure': null, 'proc/stat': 'garbage\n' }));
    expect(snapshot).not.toHaveProperty('pressure');
    expect(snapshot).not.toHaveProperty('cpu');
    expect(snapshot.memory).toBeDefined();
    expect(snapshot.health).toMatchObject({
      cpu: { status: 'failed', problem: { kind: 'malformed' } },
      pressure: { status: 'failed', problem: { kind: 'absent' } },
      memory: { status: 'ok' },
    });
  });

  it('runs a collector no more often than its least interval says, and the others on every tick', () => {
    const reads: string[] = [];
    const reading = (name: string) => () => () => {
      reads.push(name);
      return { ok: true, value: undefined } as const;
    };
    const table: CollectorTable = {
      cpu: { source: 'host', create: reading('cpu') },
      disks: { source: 'host', minIntervalMs: 300, create: reading('disks') },
      memory: { source: 'slow', create: reading('memory') },
    };
    const collectors = collectorsOf(table, 'host');
    // The ticks are 100 ms apart, some of them late.
    for (const tickMs of [0, 130, 200, 301, 400, 500, 599]) {
      const clock = { nowNs: () => BigInt(tickMs) * 1_000_000n, wallMs: () => 0 };
      reads.push(String(tickMs));
      const { health } = takeSnapshot(
        { source: 'host', collectors, host: fixtureHost, watchedPids: [], clock },
        cost,
      );
      expect('disks' in health).toBe(reads.at(-1) === 'disks');
    }
    expect(reads.join(' ')).toBe('0 cpu disks 130 cpu 200 cpu 301 cpu disks 400 cpu 500 cpu 599 cpu disks');
  });

  it('looks for what the host does not have every ten seconds, and says when the next collector is due', () => {
    const absent = { ok: false, error: { kind: 'absent', message: 'none' } } as const;
    const collectors = collectorsOf({ gpus: { source: 'gpu', create: () => () => absent } }, 'gpu');
    const asked = (tickMs: number) => {
      const clock = { nowNs: () => BigInt(tickMs) * 1_000_000n, wallMs: () => 0 };
      const sources = { source: 'gpu', collectors, host: fixtureHost, watchedPids: [], clock } as const;
      return 'gpus' in takeSnapshot(sources, cost).health;
    };
    expect([0, 100, 5000, 9900, 10_000, 10_100].map(asked)).toEqual([true, false, false, false, true, false]);
    expect(nextDueNs(collectors, new Set(), 100)).toBe(19_950_000_000n);
    expect(nextDueNs(collectors, new Set(['gpus']), 100)).toBeUndefined();
  });

  it('names a collector that takes longer than its deadline, and publishes what it read', () => {
    // Two readings of the clock are 1 ms apart.
    const create = () => () => ({ ok: true, value: [] }) as const;
    const table: CollectorTable = {
      disks: { source: 'host', deadlineMs: 1, create },
      processes: { source: 'host', deadlineMs: 0.5, create },
    };
    const collectors = collectorsOf(table, 'host');
    const snapshot = takeSnapshot(
      { source: 'host', collectors, host: fixtureHost, watchedPids: [], clock: steppingClock() },
      cost,
    );
    expect(snapshot.health.disks).toEqual({ status: 'ok', durationSeconds: 0.001 });
    expect(snapshot.health.processes).toMatchObject({
      status: 'slow',
      problem: { kind: 'collector-slow', message: expect.stringMatching(/processes took 1\.0 ms.*0\.5 ms/) },
    });
    expect(snapshot.processes).toEqual([]);
  });

  it.each([
    ['made', () => throwing()],
    ['run', () => throwing],
  ])('keeps a fault of a collector that throws when it is %s from the others', (_when, create) => {
    const table: CollectorTable = {
      cpu: { source: 'host', create },
      memory: { source: 'host', create: () => () => ({ ok: true, value: 7 }) },
    };
    const collectors = collectorsOf(table, 'host');
    const { health, ...readings } = takeSnapshot(
      { source: 'host', collectors, host: fixtureHost, watchedPids: [], clock: steppingClock() },
      cost,
    );
    expect(health).toMatchObject({
      cpu: {
        status: 'failed',
        problem: { kind: 'internal-fault', message: expect.stringContaining('cpu: gone') },
      },
      memory: { status: 'ok' },
    });
    expect(readings).toMatchObject({ memory: 7 });
  });

  it('leaves a collector out without making it, and says which one it is about to run', () => {
    const done: string[] = [];
    const create = (name: string) => () => {
      done.push(`create ${name}`);
      return () => ({ ok: true, value: undefined }) as const;
    };
    const table: CollectorTable = {
      cpu: { source: 'host', create: create('cpu') },
      memory: { source: 'host', create: create('memory') },
    };
    const sources = {
      source: 'host',
      collectors: collectorsOf(table, 'host'),
      host: fixtureHost,
      watchedPids: [],
      clock: steppingClock(),
      activity: {
        enter: (name: string) => void done.push(`enter ${name}`),
        leave: () => void done.push('leave'),
        close: () => {},
      },
    } as const;
    const { health } = takeSnapshot({ ...sources, leftOut: new Set(['cpu' as const]) }, cost);
    expect(Object.keys(health)).toEqual(['memory']);
    takeSnapshot(sources, cost);
    expect(done).toEqual([
      'enter memory',
      'create memory',
      'leave',
      'enter cpu',
      'create cpu',
      'enter memory',
      'leave',
    ]);
  });
});

function throwing(): never {
  throw new Error('gone');
}
