import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import {
  COLLECTORS,
  type CollectorName,
  type CollectorTable,
} from '../../../src/telemetry/collectors/all.ts';
import type { HostRoots } from '../../../src/telemetry/collectors/collector.ts';
import { OpenFiles } from '../../../src/telemetry/collectors/open-files.ts';
import { collectorsOf, nextDueNs } from '../../../src/telemetry/running-collector.ts';
import type { SamplerCost, Snapshot } from '../../../src/telemetry/snapshot.ts';
import { SnapshotTape, type SnapshotTapeOptions } from '../../../src/telemetry/snapshot-tape.ts';
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

interface Sources extends Pick<SnapshotTapeOptions, 'source' | 'collectors' | 'clock' | 'activity'> {
  readonly host: HostRoots;
  readonly watchedPids: readonly number[];
  readonly leftOut?: ReadonlySet<CollectorName>;
}

/** One snapshot by collectors that read by themselves. */
function takeSnapshot(
  { host, watchedPids, leftOut = new Set(), ...options }: Sources,
  sampler: SamplerCost,
): Snapshot {
  const tape = new SnapshotTape({ ...options, roots: host, files: new OpenFiles(), copiesFiles: false });
  tape.record({ watchedPids, leftOut, sampler });
  const [snapshot] = tape.develop();
  if (snapshot === undefined) throw new Error('expected a snapshot');
  return snapshot;
}

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

describe('a snapshot', () => {
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

describe('a tape of snapshots that copies files', () => {
  const table: CollectorTable = {
    cpu: COLLECTORS.cpu,
    memory: COLLECTORS.memory,
    processes: COLLECTORS.processes,
  };

  function setUp(host = hostWith({})) {
    let nowNs = 0n;
    const tape = new SnapshotTape({
      source: 'host',
      collectors: collectorsOf(table, 'host'),
      roots: host,
      files: new OpenFiles(),
      clock: { nowNs: () => nowNs, wallMs: () => Number(nowNs / 1_000_000n) },
      copiesFiles: true,
    });
    const write = (path: string, text: string) => writeFileSync(join(host.procPath, path), text);
    return {
      tape,
      host,
      write,
      record: (watchedPids: readonly number[] = []) => {
        nowNs += 100_000_000n;
        tape.record({ watchedPids, leftOut: new Set(), sampler: cost });
      },
    };
  }

  const meminfo = (freeKilobytes: number) =>
    ['MemTotal', 'MemAvailable', 'MemFree', 'Cached', 'Buffers', 'SReclaimable', 'SwapTotal', 'SwapFree']
      .map((field) => `${field}: ${freeKilobytes} kB\n`)
      .join('');

  it('has what the files held at each tick, however late it is asked', () => {
    const { tape, write, record } = setUp();
    for (const kilobytes of [1, 22, 333, 4]) {
      write('meminfo', meminfo(kilobytes));
      record();
    }
    write('meminfo', meminfo(9));
    expect(tape.length).toBe(4);
    expect(tape.firstTickNs).toBe(100_000_000n);
    const snapshots = tape.develop();
    expect(snapshots.map(({ tickNs, wallMs }) => [Number(tickNs) / 1e6, wallMs])).toEqual([
      [100, 100],
      [200, 200],
      [300, 300],
      [400, 400],
    ]);
    expect(snapshots.map(({ memory }) => memory?.freeBytes)).toEqual([1024, 22 * 1024, 333 * 1024, 4 * 1024]);
    expect(snapshots.map(({ health }) => health.memory?.status)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(snapshots.map(({ cpu }) => cpu?.cpuCount)).toEqual([4, 4, 4, 4]);
    expect(tape.develop()).toEqual([]);
    record();
    expect(tape.develop().map(({ memory }) => memory?.freeBytes)).toEqual([9 * 1024]);
  });

  it('says of a file that could not be read, or was not what it should be, that it was so at that tick', () => {
    const { tape, write, record, host } = setUp();
    record([4242]);
    write('meminfo', 'garbage\n');
    record([4242]);
    write('meminfo', meminfo(5));
    record([4242]);
    // The descriptors stay; a process that has ended cannot be read by them.
    expect(tape.develop().map(({ health }) => health.memory?.status)).toEqual(['ok', 'failed', 'ok']);
    // After a failure the collector reads by itself until it succeeds.
    rmSync(join(host.procPath, 'meminfo'));
    record([4242]);
    const [snapshot] = tape.develop();
    expect(snapshot?.processes).toHaveLength(1);
    expect(snapshot).not.toHaveProperty('health.memory.problem.kind', 'internal-fault');
  });

  it('reads other files as soon as other processes are watched', () => {
    const { tape, record } = setUp();
    record();
    record();
    tape.forgetFiles();
    record([4242]);
    record([4242]);
    record([4242]);
    expect(tape.develop().map(({ processes }) => processes?.map(({ pid }) => pid))).toEqual([
      [],
      [],
      [4242],
      [4242],
      [4242],
    ]);
  });

  it('has no reading of a tick at which a file was not copied that the collector turns out to want, and copies it then', () => {
    const { tape, record } = setUp();
    record();
    record();
    // The files of a watched process are not known yet when nobody forgets those that are.
    record([4242]);
    expect(tape.develop().map((snapshot) => 'memory' in snapshot)).toEqual([true, true, true]);
    const asks = ['stat', 'stat', 'meminfo', 'meminfo'];
    const wants: CollectorTable = {
      cpu: {
        source: 'host',
        create: () => (host) => {
          host.files?.read(join(host.procPath, asks.shift() ?? 'stat'));
          return { ok: true, value: undefined };
        },
      },
    };
    const other = new SnapshotTape({
      source: 'host',
      collectors: collectorsOf(wants, 'host'),
      roots: fixtureHost,
      files: new OpenFiles(),
      clock: steppingClock(),
      copiesFiles: true,
    });
    const isRead = () => {
      other.record({ watchedPids: [], leftOut: new Set(), sampler: cost });
      return other.develop().map(({ health }) => health.cpu !== undefined);
    };
    expect([isRead(), isRead(), isRead(), isRead(), isRead()]).toEqual([
      [true],
      [true],
      [false],
      [true],
      [false],
    ]);
  });

  it('keeps more than its first room, and files longer than what is left of it', () => {
    const { tape, write, record } = setUp();
    const long = (kilobytes: number) => `${meminfo(kilobytes)}${'x'.repeat(200_000)}\n`;
    for (const kilobytes of [1, 2, 3, 4, 5]) {
      write('meminfo', long(kilobytes));
      record();
    }
    expect(tape.develop().map(({ memory }) => (memory?.freeBytes ?? 0) / 1024)).toEqual([1, 2, 3, 4, 5]);
  });
});

function throwing(): never {
  throw new Error('gone');
}
