import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { createCollectors } from '../../../src/telemetry/collectors/all.ts';
import { takeSnapshot } from '../../../src/telemetry/snapshot.ts';
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
    { collectors: createCollectors(), host, watchedPids: [4242], clock: steppingClock() },
    cost,
  );
}

describe('takeSnapshot', () => {
  it('holds every reading, how long each took, and what sampling cost', () => {
    const snapshot = snapshotOf();
    expect(snapshot).toMatchObject({
      tickNs: 1_000_000n,
      wallMs: 1_700_000_000_000,
      cpu: { cpuCount: 4 },
      memory: { totalBytes: 131072000 * 1024 },
      pressure: { cpu: { someSeconds: 15.62605 } },
      processes: [{ pid: 4242 }],
      sampler: cost,
    });
    expect(snapshot.disks).toHaveLength(4);
    expect(Object.values(snapshot.health)).toEqual(
      Array.from({ length: 5 }, () => ({ status: 'ok', durationSeconds: 0.001 })),
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
});
