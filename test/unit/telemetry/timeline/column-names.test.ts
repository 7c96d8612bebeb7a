import { describe, expect, it } from 'vitest';
import { columnName, isCounter, matchesColumn } from '../../../../src/telemetry/timeline/column-names.ts';

describe('columnName', () => {
  it.each([
    [['host', 'cpu', 'secondsByMode', 'user'], 'cpu.secondsByMode.user'],
    [['host', 'disks', { device: 'nvme0n1' }, 'readBytes'], 'disks.nvme0n1.readBytes'],
    [['gpu', 'gpus', 'gpus', { uuid: 'GPU-1' }, 'powerWatts', 'instant'], 'gpus.GPU-1.powerWatts.instant'],
    [['gpu', 'sampler', 'cpuSeconds'], 'sampler.gpu.cpuSeconds'],
    [['host', 'gpus', 3], 'gpus.3'],
  ])('of %j is %s', (path, name) => {
    expect(columnName(path)).toBe(name);
  });
});

describe('matchesColumn', () => {
  it.each([
    ['cpu', 'cpu.secondsByMode.user', true],
    ['cpu', 'cpus', false],
    ['disks.*.readBytes', 'disks.nvme0n1.readBytes', true],
    ['disks.*.readBytes', 'disks.nvme0n1.readBytesTotal', false],
    ['*.readBytes', 'disks.sda.readBytes', true],
    ['gpus.GPU-1(a)', 'gpus.GPU-1(a).index', true],
    ['cpu.secondsByMode.user', 'cpu.secondsByMode.user', true],
    ['', 'cpu', false],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(matchesColumn(pattern, name)).toBe(expected);
  });
});

describe('isCounter', () => {
  it.each([
    'cpu.secondsByMode.idle',
    'disks.sda.weightedIoTimeSeconds',
    'processes.12.io.writtenBytes',
    'gpus.GPU-1.energyJoules',
    'rapl.zones.package-0.joules',
    'cpuClocks.throttleEvents.core',
    'paging.majorFaults',
    'cgroup.cpu.quota.throttledSeconds',
    'cgroup.memory.oomKills',
    'disks.sda.discardedBytes',
    'processes.12.childrenCpuSeconds',
  ])('knows %s', (name) => {
    expect(isCounter(name)).toBe(true);
  });

  it.each([
    'memory.availableBytes',
    'disks.sda.inFlight',
    'processes.12.rssBytes',
    'processes.12.ageSeconds',
    'cgroup.cpu.quotaCpus',
    'cgroup.memory.peakBytes',
    'cpuClocks.frequencyHertz.mean',
    'gpus.GPU-1.powerWatts.instant',
  ])('takes %s as it is', (name) => {
    expect(isCounter(name)).toBe(false);
  });
});
