import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import type { CollectorTable } from '../../../src/telemetry/collectors/all.ts';
import { NewestReadings } from '../../../src/telemetry/latest-readings.ts';
import type { CollectorHealth } from '../../../src/telemetry/snapshot.ts';
import type { SourceHealth } from '../../../src/telemetry/source-sampler.ts';
import { cpuOf, diskOf, memoryOf, ns, snapshotAt } from './snapshots.ts';

const create = () => () => ({ ok: true, value: undefined }) as const;
const table: CollectorTable = {
  cpu: { source: 'host', create },
  memory: { source: 'slow', create },
  disks: { source: 'slow', minIntervalMs: 10_000, create },
};
const up: SourceHealth = { state: 'up', restarts: 0, pid: 1 };
const good = { status: 'ok', durationSeconds: 0.001 } as const;
const failed = (kind: 'absent' | 'unreadable'): CollectorHealth => ({
  status: 'failed',
  durationSeconds: 0.001,
  problem: problem(kind, 'no'),
});

function setUp() {
  let nowSeconds = 0;
  const newest = new NewestReadings(table, { nowNs: () => ns(nowSeconds), wallMs: () => 0 });
  return {
    newest,
    at: (seconds: number, sources = { host: up, slow: up }) => {
      nowSeconds = seconds;
      return newest.latest(sources);
    },
  };
}

describe('NewestReadings', () => {
  it('joins the newest readings of every source', () => {
    const { newest, at } = setUp();
    newest.add(snapshotAt(1, { health: { cpu: good }, cpu: cpuOf(1, 1) }));
    newest.add(snapshotAt(1.5, { source: 'slow', health: { memory: good }, memory: memoryOf(5) }));
    newest.add(snapshotAt(2, { health: { cpu: good }, cpu: cpuOf(2, 2) }));
    expect(at(2)).toEqual({
      cpu: cpuOf(2, 2),
      memory: memoryOf(5),
      health: {
        cpu: { ...good, lastSuccessMs: 1_700_000_002_000 },
        memory: { ...good, lastSuccessMs: 1_700_000_001_500 },
      },
      sources: { host: { ...up, cost: snapshotAt(2).sampler }, slow: { ...up, cost: snapshotAt(2).sampler } },
    });
  });

  it('keeps a reading between two that are due, and drops it after three intervals', () => {
    const { newest, at } = setUp();
    newest.add(
      snapshotAt(1, {
        source: 'slow',
        health: { memory: good, disks: good },
        memory: memoryOf(5),
        disks: [diskOf(1)],
      }),
    );
    expect(at(6)).toMatchObject({ memory: memoryOf(5), disks: [diskOf(1)] });
    expect(at(30.9)).toMatchObject({
      disks: [diskOf(1)],
      health: {
        memory: { status: 'down', problem: { kind: 'collector-stale' }, lastSuccessMs: 1_700_000_001_000 },
      },
    });
    expect(at(30.9)).not.toHaveProperty('memory');
    expect(at(31.1)).not.toHaveProperty('disks');
  });

  it('drops the reading of a collector that failed at once, and remembers its last success', () => {
    const { newest, at } = setUp();
    newest.add(snapshotAt(1, { health: { cpu: good }, cpu: cpuOf(1, 1) }));
    newest.add(snapshotAt(2, { health: { cpu: failed('unreadable') } }));
    newest.add(snapshotAt(3, { health: { cpu: failed('unreadable') } }));
    expect(at(3)).not.toHaveProperty('cpu');
    expect(at(3).health.cpu).toMatchObject({ status: 'failed', lastSuccessMs: 1_700_000_001_000 });
  });

  it('shows the collectors of a process that is down as down, and those of the others as before', () => {
    const { newest, at } = setUp();
    newest.add(snapshotAt(1, { health: { cpu: good }, cpu: cpuOf(1, 1) }));
    newest.add(snapshotAt(1, { source: 'slow', health: { disks: good }, disks: [diskOf(1)] }));
    const slow: SourceHealth = { state: 'down', restarts: 1, problem: problem('sampler-silent', 'silent') };
    const seen = at(1.1, { host: up, slow });
    expect(seen.cpu).toEqual(cpuOf(1, 1));
    expect(seen).not.toHaveProperty('disks');
    // Memory was never heard of, and is not to be had either.
    expect(seen.health).toMatchObject({
      cpu: { status: 'ok' },
      disks: { status: 'down', problem: { kind: 'sampler-silent' }, lastSuccessMs: 1_700_000_001_000 },
      memory: { status: 'down' },
    });
    expect(seen.sources.slow).not.toHaveProperty('cost');
  });

  it('does not call down what the host does not have', () => {
    const { newest, at } = setUp();
    newest.add(snapshotAt(1, { health: { cpu: failed('absent') } }));
    const down: SourceHealth = { state: 'down', restarts: 0, problem: problem('sampler-silent', 'silent') };
    expect(at(100, { host: down, slow: up }).health.cpu?.status).toBe('failed');
  });

  it('says nothing of a collector while its process starts', () => {
    const { at } = setUp();
    expect(at(1, { host: { state: 'starting', restarts: 0 }, slow: up }).health).toEqual({});
  });
});
