import { vi } from 'vitest';
import type { HostSnapshot } from '../../../src/metrics/host-snapshot.ts';
import type { InventorySnapshot } from '../../../src/metrics/inventory-metrics.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';

export const BENCH = {
  model: 'digits',
  variant: 'int8',
  provider: 'cpu',
  scenario: 'single-stream',
  suite: 'standard',
  measurement: 'alone',
} as const;

const MEMORY = {
  totalBytes: 137_438_953_472,
  availableBytes: 100_000_000_000,
  freeBytes: 50_000_000_000,
  cachedBytes: 60_000_000_000,
  swapTotalBytes: 8_589_934_592,
  swapFreeBytes: 8_589_934_592,
};

export const DISK = {
  device: 'nvme0n1',
  readBytes: 4096,
  writtenBytes: 8192,
  reads: 1,
  writes: 2,
  inFlight: 3,
  readSeconds: 0.01,
  writeSeconds: 0.02,
  ioTimeSeconds: 0.5,
  weightedIoTimeSeconds: 0.75,
};

export const WORKER = {
  pid: 4711,
  startSeconds: 100,
  cpuSeconds: 1.5,
  rssBytes: 90_000_000,
  threads: 12,
  io: { readBytes: 1000, writtenBytes: 2000 },
};

export const GPU = {
  uuid: 'GPU-1',
  index: 0,
  name: 'NVIDIA A100-SXM4-40GB',
  pciBusId: '0000:41:00.0',
  state: 'ok',
  utilizationRatio: 0.75,
  memoryActivityRatio: 0.5,
  memory: { totalBytes: 42e9, usedBytes: 2e9, freeBytes: 39e9, reservedBytes: 1e9 },
  powerWatts: { instant: 250.5, average: 240 },
  powerLimitWatts: 400,
  energyJoules: 123_456.789,
  temperatureCelsius: { gpu: 55, memory: 60 },
  clockHertz: { graphics: 1.41e9, sm: 1.41e9, memory: 1.215e9, video: 1.275e9 },
  throttleReasons: ['sw_power_cap'],
  pcie: { rxBytesPerSecond: 1e6, txBytesPerSecond: 2e6, replays: 4 },
  eccErrors: { correctedVolatile: 1, uncorrectedVolatile: 0, correctedAggregate: 5, uncorrectedAggregate: 2 },
  processes: [{ pid: 4711, usedBytes: 1.5e9 }],
  mig: [
    {
      uuid: 'MIG-1',
      name: '1g.5gb',
      gpuInstanceId: 7,
      computeInstanceId: 0,
      memory: { totalBytes: 5e9, usedBytes: 1e9, freeBytes: 4e9 },
    },
  ],
} as const;

export const INVENTORY: InventorySnapshot = {
  os: {
    distribution: 'Debian GNU/Linux',
    release: '12',
    kernel: '6.1.0',
    architecture: 'x64',
    virtualization: 'KVM',
  },
  cpu: { model: 'Xeon Gold 6430', sockets: 2, physicalCores: 64 },
  disks: [
    {
      device: 'nvme0n1',
      model: 'SAMSUNG MZ7',
      firmware: 'GDC5',
      sizeBytes: 3.84e12,
      type: 'NVMe',
      interface: 'PCIe',
    },
  ],
};

export const HOST: HostSnapshot = {
  cpu: {
    cpuCount: 2,
    secondsByMode: { user: 12.5, system: 3.25, idle: 9000.01 },
  },
  cpuClocks: {
    frequencyHertz: { min: 8e8, mean: 2.4e9, max: 3.5e9 },
    throttleEvents: { core: 3, package: 1 },
  },
  memory: MEMORY,
  pressure: {
    cpu: { someSeconds: 1.5, fullSeconds: 0 },
    io: { someSeconds: 0.25, fullSeconds: 0.125 },
    memory: { someSeconds: 0, fullSeconds: 0 },
  },
  disks: [DISK],
  processes: [WORKER],
  processMemory: [{ pid: WORKER.pid, pssBytes: 80_000_000 }],
  paging: { swappedInPages: 3, swappedOutPages: 4, majorFaults: 500, oomKills: 1 },
  cgroup: {
    memory: {
      currentBytes: 2_000_000_000,
      peakBytes: 3_000_000_000,
      limitBytes: 64_000_000_000,
      swapBytes: 0,
      limitEvents: 2,
      oomKills: 1,
    },
    cpu: { usageSeconds: 100.5, quotaCpus: 1.5, quota: { throttledSeconds: 2.5 } },
  },
  rapl: { zones: [{ zone: 'package-0', joules: 1234.5 }] },
  thermal: { zones: [{ zone: 'thermal_zone0', type: 'x86_pkg_temp', celsius: 48 }] },
  nvmeHealth: {
    drives: [
      {
        device: 'nvme0',
        temperatureCelsius: 41.85,
        percentageUsedRatio: 0.02,
        availableSpareRatio: 1,
        mediaErrors: 0,
        criticalWarning: 0,
        unsafeShutdowns: 17,
        dataReadBytes: 512e9,
        dataWrittenBytes: 1024e9,
      },
    ],
  },
  gpus: { backend: 'nvml', driverVersion: '570.86.15', cudaVersion: '12.8', gpus: [GPU] },
  health: {
    cpu: { status: 'ok', durationSeconds: 0.000_05, lastSuccessMs: 1_790_000_000_250 },
    memory: { status: 'ok', durationSeconds: 0.000_02, lastSuccessMs: 1_790_000_000_250 },
    disks: { status: 'failed', durationSeconds: 0.2, problem: { kind: 'unreadable' } },
    pressure: { status: 'failed', durationSeconds: 0.000_01, problem: { kind: 'absent' } },
  },
  sources: {
    host: { state: 'up', restarts: 0, cost: { cpuSeconds: 0.5, missedTicks: 3 } },
    gpu: { state: 'starting', restarts: 1 },
  },
};

export function create(more: Partial<Parameters<typeof createMetrics>[0]> = {}): Metrics {
  return createMetrics({
    ...more,
    buildInfo: { version: '0.1.0', nodeVersion: '20.20.2', ortVersion: '1.30.0' },
    readProcess: () => ({ cpuSeconds: 1.5, residentMemoryBytes: 1e8, startTimeSeconds: 1_789_999_000 }),
  });
}

/** Every metric that there can be has a series in it. */
export function createFull(): Metrics {
  const metrics = create();
  metrics.workerStarted(WORKER.pid, 'bench');
  metrics.observeSnapshot(HOST);
  metrics.setHost(HOST);
  metrics.setInventory(INVENTORY);
  metrics.setJobs({ queued: 2, running: 1 });
  metrics.countJobFailure('worker_crashed');
  metrics.countCapture('succeeded');
  metrics.recordReload({ successful: true, lastSuccessWallMs: 1_790_000_000_000, restartNeeded: 1 });
  metrics.setConnections(3);
  metrics.countDropped('slow_reader');
  metrics.setStorage({
    bytes: { artifacts: 5e8, database: 2e6 },
    quotaBytes: 1e11,
    freeBytes: 2e11,
    minFreeBytes: 1e9,
    isShort: false,
  });
  metrics.countRemoved('artifacts', 'age', 1e6);
  metrics.countRemovalFailures(0);
  const quantization = { model: 'digits', method: 'minmax', outcome: 'succeeded' } as const;
  vi.useFakeTimers({ now: 1_790_000_000_500 });
  metrics.expectModel({ model: 'digits', methods: ['minmax'], scheduleSeconds: 86_400 });
  metrics.recordQuantization({
    ...quantization,
    durationSeconds: 0.7,
    calibrationSamples: 256,
    runId: '01M83N04WMG5BZ7Q701Z9NB7JD',
  });
  vi.useRealTimers();
  metrics.countInferences({ model: 'digits', variant: 'int8', provider: 'cpu' }, 12_345);
  metrics.observeQueries({
    ...BENCH,
    counts: [0, 0, 3, 5, ...new Array<number>(12).fill(0), 1],
    sumSeconds: 15.5,
    traced: [
      { traceRun: '2026_09_21_13_33_20', seconds: 0.00075, wallMs: 1_790_000_000_250 },
      { traceRun: '2026_09_21_13_33_20', seconds: 12, wallMs: 1_790_000_001_500 },
    ],
  });
  metrics.setModelSize({ model: 'digits', variant: 'fp32', sizeBytes: 400_000 });
  metrics.setModelSize({ model: 'digits', variant: 'int8', sizeBytes: 110_000 });
  metrics.recordBench({
    ...BENCH,
    valid: true,
    inferencesPerSecond: 12_345.6,
    latencySeconds: { p50: 0.000_08, p90: 0.000_09, p99: 0.000_12 },
    peakRssBytes: 90_000_000,
    peakGpuMemoryBytes: 1_500_000_000,
    arenaBytes: 3_000_000,
    joulesPerQuery: 0.005,
    speedUp: { ratio: 2.5, lower: 2.25, upper: 2.75, outcome: 'faster' },
    finishedWallMs: 1_790_000_001_000,
  });
  metrics.recordEvaluation({
    model: 'digits',
    variant: 'int8',
    dataset: 'eval',
    accuracy: { metric: 'top1', unit: 'proportion', value: 0.964, baselineValue: 0.968, lossBudget: 0.01 },
    agreementRatio: 0.994,
    sqnrDb: 31.4,
    changedAnswers: 6,
    driftedAnswers: 0,
    verdict: 'non_inferior',
  });
  metrics.recordEvaluation({
    model: 'depth',
    variant: 'int8',
    dataset: 'eval',
    accuracy: { metric: 'mae', unit: 'number', value: 2.25, baselineValue: 2.125, lossBudget: 0.25 },
    verdict: 'inconclusive',
  });
  metrics.showLatencyWatch({
    ...BENCH,
    state: 'regressed',
    expectedSeconds: 0.000_064,
    limitSeconds: 0.000_068,
    changeRatio: 1.25,
  });
  metrics.countNotification('sent');
  metrics.showAccuracyWatch({
    model: 'digits',
    variant: 'int8',
    state: 'regressed',
    drop: { metric: 'top1', ratio: 0.0625 },
  });
  metrics.recordRun({
    model: 'digits',
    durationSeconds: 61.5,
    finishedWallMs: 1_790_000_002_000,
    phases: [
      {
        phase: 'quantize',
        subject: 'int8',
        seconds: 0.5,
        peakRssBytes: 200_000_000,
        peakGpuMemoryBytes: 1e9,
        readBytes: 4096,
        writtenBytes: 110_000,
        cpuSeconds: 0.75,
        raplJoules: 12.5,
        gpuJoules: 50,
      },
      { phase: 'evaluate', subject: '', seconds: 2 },
    ],
  });
  return metrics;
}

/** The lines of a scrape that are values, of the metrics that `name` matches. */
export async function series(metrics: Metrics, name: RegExp): Promise<readonly string[]> {
  const { body } = await metrics.render();
  return body.split('\n').filter((line) => !line.startsWith('#') && name.test(line));
}
