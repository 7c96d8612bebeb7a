import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../../src/telemetry/snapshot.ts';
import { summarizePhases } from '../../../../src/telemetry/summary/phase-summary.ts';
import { memoryOf, ns, snapshotAt } from '../snapshots.ts';

/** A snapshot with readings of collectors that need devices. */
function at(seconds: number, readings: object): Snapshot {
  return snapshotAt(seconds, readings as Partial<Snapshot>);
}

function summaryOf(snapshots: readonly Snapshot[], startSeconds: number, endSeconds: number) {
  const span = { phase: 'bench', startNs: ns(startSeconds), endNs: ns(endSeconds) } as const;
  return summarizePhases(snapshots, [span])[0];
}

const gpu = (more: object) => ({ uuid: 'GPU-1', index: 0, name: 'A100', ...more });

describe('the GPUs of a phase', () => {
  it('have means, peaks, the growth of their energy counter and what slowed them down', () => {
    const reading = (t: number, more: object = {}) =>
      at(t, {
        source: 'gpu',
        gpus: {
          gpus: [
            gpu({
              utilizationRatio: t / 4,
              memory: { usedBytes: 100 + 100 * t },
              powerWatts: { instant: 100 + 50 * t, average: 7 },
              energyJoules: 5000 + 200 * t,
              temperatureCelsius: { gpu: 40 + t },
              throttleReasons: ['idle'],
              processes: [
                { pid: 1, usedBytes: 10 * t },
                { pid: 2, usedBytes: 5 },
              ],
              ...more,
            }),
          ],
        },
      });
    const snapshots = [
      reading(0),
      reading(1),
      reading(2, { throttleReasons: ['hw_thermal', 'sw_power_cap'] }),
      reading(3),
    ];
    expect(summaryOf(snapshots, 1, 3)?.gpus).toEqual([
      {
        uuid: 'GPU-1',
        index: 0,
        name: 'A100',
        utilizationMeanRatio: 0.5,
        memoryMeanBytes: 300,
        memoryPeakBytes: 400,
        processMemoryPeakBytes: 35,
        powerMeanWatts: 200,
        powerPeakWatts: 250,
        energyJoules: 400,
        temperatureMaxCelsius: 43,
        throttledBy: ['hw_thermal', 'sw_power_cap'],
        throttledSeconds: 1,
      },
    ]);
  });

  it('leave out what their drivers do not tell, and are kept apart by what identifies them', () => {
    const reading = (t: number) =>
      at(t, { gpus: { gpus: [gpu({ uuid: 'B', index: 1 }), gpu({ uuid: 'A', processes: [{ pid: 1 }] })] } });
    expect(summaryOf([reading(0), reading(1)], 0, 1)?.gpus).toEqual([
      { uuid: 'A', index: 0, name: 'A100', throttledBy: [], throttledSeconds: 0 },
      { uuid: 'B', index: 1, name: 'A100', throttledBy: [], throttledSeconds: 0 },
    ]);
  });
});

describe('energy of the processors', () => {
  const rapl = (joules: number) => ({
    rapl: {
      zones: [
        { zone: 'package-0', joules, wrapJoules: 1000 },
        { zone: 'dram-0', joules: 5, wrapJoules: 9 },
      ],
    },
  });

  it('is counted over the wrap of its counter', () => {
    const snapshots = [at(0, rapl(900)), at(1, rapl(990)), at(2, rapl(80))];
    expect(summaryOf(snapshots, 0, 2)?.rapl).toEqual({ joules: 180, meanWatts: 90 });
  });

  it('is shared out evenly within a step', () => {
    expect(summaryOf([at(0, rapl(0)), at(4, rapl(100))], 1, 2)?.rapl).toEqual({ joules: 25, meanWatts: 25 });
  });
});

describe('heat and paging', () => {
  it('name the hottest zone, and count throttling and pages', () => {
    const reading = (t: number) =>
      at(t, {
        source: 'slow',
        thermal: {
          zones: [
            { zone: 'thermal_zone0', type: 'acpitz', celsius: 50 },
            { zone: 'thermal_zone1', type: 'x86_pkg_temp', celsius: 60 + t },
          ],
        },
        cpuClocks: { throttleEvents: { core: 2 * t, package: t } },
        paging: { swappedInPages: 10 * t, majorFaults: 3 },
      });
    expect(summaryOf([reading(0), reading(2)], 0, 2)).toMatchObject({
      thermal: { maxCelsius: 62, type: 'x86_pkg_temp' },
      cpuThrottleEvents: 6,
      paging: { swappedInPages: 20, majorFaults: 0 },
    });
  });

  it('are absent where the host tells nothing of them', () => {
    const summary = summaryOf([at(0, { cpuClocks: {} }), at(1, { cpuClocks: {} })], 0, 1);
    for (const part of ['thermal', 'cpuThrottleEvents', 'paging', 'gpus', 'rapl'])
      expect(summary).not.toHaveProperty(part);
  });
});

describe('sources that tick on their own', () => {
  it('are each interpolated between their own samples, and only those of the host count', () => {
    const snapshots = [
      at(0, { memory: memoryOf(0) }),
      at(0.5, { source: 'gpu', gpus: { gpus: [gpu({ energyJoules: 0 })] } }),
      at(1, { memory: memoryOf(10) }),
      at(1.5, { source: 'gpu', gpus: { gpus: [gpu({ energyJoules: 100 })] } }),
      at(2, { memory: memoryOf(20) }),
    ];
    const summary = summaryOf(snapshots, 0.5, 1.5);
    expect(summary).toMatchObject({ samples: 1, coverageRatio: 1, longestGapSeconds: 1 });
    expect(summary?.gpus?.[0]?.energyJoules).toBe(100);
    expect(summary?.memory).toMatchObject({
      availableMinBytes: 5,
      usedPeakBytes: 1e10 - 5,
      usedMeanBytes: 1e10 - 10,
    });
  });

  it('may send a snapshot twice, which then counts once', () => {
    const snapshot = at(1, { memory: memoryOf(10) });
    expect(summaryOf([at(0, { memory: memoryOf(0) }), snapshot, snapshot], 0, 1)).toMatchObject({
      samples: 2,
      memory: { availableMinBytes: 0 },
    });
  });
});
