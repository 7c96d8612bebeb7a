import { describe, expect, it } from 'vitest';
import { counterPlane } from '../../../../src/trace/build/counter-plane.ts';
import { counterTracks } from '../../../../src/trace/build/counter-tracks.ts';
import { eventsOf } from '../../../support/trace-events.ts';

const column = (name: string, ...mean: (number | null)[]) => ({ name, isRate: false, mean });

/** Tracks with their first value. */
function firstValues(...columns: ReturnType<typeof column>[]) {
  return counterTracks(columns).map(({ name, valueAt }) => [name, valueAt(0)]);
}

describe('tracks of a timeline', () => {
  it.each([
    ['cpuClocks.frequencyHertz.mean', 2.6e9, 'CPU clock mean MHz', 2600],
    ['cpuClocks.throttleEvents.core', 3, 'CPU throttled (core) /s', 3],
    ['memory.cachedBytes', 2 ** 21, 'RAM cached MiB', 2],
    ['cgroup.memory.currentBytes', 2 ** 20, 'cgroup memory MiB', 1],
    ['cgroup.cpu.usageSeconds', 1.5, 'cgroup CPU % of one CPU', 150],
    ['pressure.io.someSeconds', 0.25, 'pressure io some %', 25],
    ['pressure.memory.fullSeconds', 0.5, 'pressure memory full %', 50],
    ['paging.swappedInPages', 7, 'swapped in pages/s', 7],
    ['disks.nvme0n1.readBytes', 2 ** 22, 'disk nvme0n1 read MiB/s', 4],
    ['disks.nvme0n1.writtenBytes', 2 ** 22, 'disk nvme0n1 write MiB/s', 4],
    ['disks.nvme0n1.weightedIoTimeSeconds', 12, 'disk nvme0n1 queue depth', 12],
    ['disks.nvme0n1.ioTimeSeconds', 0.5, 'disk nvme0n1 busy %', 50],
    ['nvmeHealth.drives.nvme0.temperatureCelsius', 40, 'NVMe nvme0 °C', 40],
    ['rapl.zones.package-0.joules', 65, 'power package-0 W', 65],
    ['thermal.zones.thermal_zone0.celsius', 55, 'temperature thermal_zone0 °C', 55],
    ['processes.4711.cpuSeconds', 0.75, 'process 4711 CPU % of one CPU', 75],
    ['processes.4711.rssBytes', 2 ** 20, 'process 4711 RSS MiB', 1],
    ['processMemory.4711.pssBytes', 2 ** 20, 'process 4711 PSS MiB', 1],
    ['gpus.GPU-1.utilizationRatio', 0.9, 'GPU GPU-1 busy %', 90],
    ['gpus.GPU-1.memory.usedBytes', 2 ** 30, 'GPU GPU-1 memory MiB', 1024],
    ['gpus.GPU-1.powerWatts.instant', 300, 'GPU GPU-1 power (instant) W', 300],
    ['gpus.GPU-1.clockHertz.sm', 1.4e9, 'GPU GPU-1 sm clock MHz', 1400],
    ['gpus.GPU-1.pcie.rxBytesPerSecond', 2 ** 20, 'GPU GPU-1 PCIe receive MiB/s', 1],
    ['sampler.gpu.cpuSeconds', 0.01, 'sampler gpu CPU % of one CPU', 1],
  ])('%s of %d is %s', (name, value, track, shown) => {
    expect(firstValues(column(name, value))).toEqual([[track, shown]]);
  });

  it('say how busy all CPUs are together, and with what', () => {
    expect(
      firstValues(
        column('cpu.cpuCount', 4),
        column('cpu.secondsByMode.user', 2),
        column('cpu.secondsByMode.system', 1),
        column('cpu.secondsByMode.iowait', 0.5),
        column('cpu.secondsByMode.idle', 0.5),
      ),
    ).toEqual([
      ['CPU busy %', 75],
      ['CPU user %', 50],
      ['CPU system %', 25],
      ['CPU iowait %', 12.5],
    ]);
  });

  it('say how much memory is used', () => {
    expect(
      firstValues(column('memory.totalBytes', 2 ** 30), column('memory.availableBytes', 2 ** 29)),
    ).toEqual([['RAM used MiB', 512]]);
  });

  it('leave out what tells nothing over time', () => {
    expect(
      firstValues(
        column('processes.1.startSeconds', 5),
        column('health.cpu.durationSeconds', 1),
        column('cpu.cpuCount', 2),
      ),
    ).toEqual([]);
  });
});

describe('the plane of telemetry', () => {
  const planeOf = (...columns: ReturnType<typeof column>[]) => {
    const plane = counterPlane({ startNs: 100n, stepNs: 10n, points: 6, columns }, 110n, 145n);
    const [line] = plane?.lines ?? [];
    if (plane === undefined || line === undefined) throw new Error('there is no plane');
    return { line: line.name, events: eventsOf(plane, line) };
  };

  it('has a sample wherever a value is new, in the time of the trace alone, and one at its end', () => {
    const { line, events } = planeOf(
      column('paging.majorFaults', 1, 1, null, 1, 2, 3),
      column('paging.oomKills', null, 0, 0, 1, 0, 0),
    );
    expect(line).toBe('_counters_');
    expect(events.map(({ name, startNs, endNs, stats }) => [name, startNs, endNs, stats])).toEqual([
      ['major page faults /s', 0, 0, { value: 1 }],
      ['kills for memory /s', 0, 0, { value: 0 }],
      ['kills for memory /s', 20, 20, { value: 1 }],
      ['major page faults /s', 30, 30, { value: 2 }],
      ['kills for memory /s', 30, 30, { value: 0 }],
      ['major page faults /s', 35, 35, { value: 2 }],
      ['kills for memory /s', 35, 35, { value: 0 }],
    ]);
  });

  it('leaves out tracks that are always zero, but for one of each collector', () => {
    const { events } = planeOf(
      column('disks.vda.readBytes', 0, 0, 0, 0, 0, 0),
      column('disks.vda.writtenBytes', 0, 0, 5, 0, 0, 0),
      column('paging.oomKills', 0, 0, 0, 0, 0, 0),
      column('paging.majorFaults', 0, 0, 0, 0, 0, 0),
    );
    expect([...new Set(events.map(({ name }) => name))]).toEqual([
      'major page faults /s',
      'disk vda write MiB/s',
    ]);
  });

  it('is absent where nothing is known', () => {
    expect(counterPlane({ startNs: 0n, stepNs: 10n, points: 2, columns: [] }, 0n, 10n)).toBeUndefined();
  });
});
