import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/benchmark/random.ts';
import { startSampler } from '../../src/telemetry/sampler.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';
import { TimelineWriter } from '../../src/telemetry/timeline/timeline-writer.ts';

const SAMPLER = new URL('../../dist/telemetry/sampler-main.js', import.meta.url);
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const DIGITS = fileURLToPath(new URL('../../profiles/digits', import.meta.url));

/** Samples this host 10 times a second with all collectors while the bundled model is quantized again and again. */
export async function recordHost(seconds: number): Promise<readonly Snapshot[]> {
  const sampler = startSampler({ entry: SAMPLER, intervalMs: 100 });
  const snapshots: Snapshot[] = [];
  sampler.onSnapshot((snapshot) => snapshots.push(snapshot));
  const folder = mkdtempSync(join(tmpdir(), 'ptq-perf-quantize-'));
  let over = false;
  const work = (): void => {
    const args = [
      'quantize',
      `${DIGITS}/digits.onnx`,
      '-o',
      `${folder}/q.onnx`,
      '--calibration',
      DIGITS,
      '-q',
    ];
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore' });
    sampler.watch([process.pid, child.pid ?? process.pid]);
    child.on('close', () => (over ? undefined : setTimeout(work, 1_000)));
  };
  work();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  over = true;
  await sampler.stop();
  rmSync(folder, { recursive: true, force: true });
  return snapshots;
}

/**
 * A day at 10 Hz: what was recorded, over and over, as no block depends on one of a minute before; and beside it a GPU under load, whose
 * figures are made up, with the grain that NVML has: percents, milliwatts, millijoules, MiB, steps of 15 MHz, KB/s.
 */
export function* syntheticDay(recorded: readonly Snapshot[], seconds: number): Generator<Snapshot> {
  const first = recorded[0]?.tickNs ?? 0n;
  const last = recorded.at(-1)?.tickNs ?? first;
  const lengthNs = last - first + 100_000_000n;
  const gpu = createGpu();
  for (let shiftNs = 0n; ; shiftNs += lengthNs) {
    for (const snapshot of recorded) {
      // This host may have no GPU, and says so ten times a second.
      if (snapshot.source === 'gpu') continue;
      const tickNs = snapshot.tickNs + shiftNs;
      if (Number(tickNs - first) / 1e9 > seconds) return;
      const wallMs = snapshot.wallMs + Number(shiftNs / 1_000_000n);
      yield { ...snapshot, tickNs, wallMs };
      if (snapshot.source === 'host') yield gpu(tickNs, wallMs);
    }
  }
}

function createGpu(): (tickNs: bigint, wallMs: number) => Snapshot {
  const random = seededRandom(7);
  const noise = (spread: number) => Math.round((random() + random() + random() - 1.5) * spread);
  let milliwatts = 250_000;
  let millijoules = 5_000_000_000;
  let cpuMicroseconds = 0;
  return (tickNs, wallMs) => {
    milliwatts = 250_000 + noise(40_000);
    millijoules += Math.round(milliwatts / 10);
    cpuMicroseconds += 900 + noise(300);
    const reading = {
      backend: 'nvml',
      driverVersion: '570.86.15',
      gpus: [
        {
          uuid: 'GPU-5f0c4e1a-0000-0000-0000-000000000001',
          index: 0,
          name: 'NVIDIA A100-SXM4-80GB',
          pciBusId: '0000:41:00.0',
          state: 'ok',
          utilizationRatio: (95 + noise(6)) / 100,
          memoryActivityRatio: (40 + noise(12)) / 100,
          memory: {
            totalBytes: 80 * 2 ** 30,
            usedBytes: (30_000 + (random() < 0.02 ? noise(200) : 0)) * 2 ** 20,
            freeBytes: 50 * 2 ** 30,
            reservedBytes: 600 * 2 ** 20,
          },
          powerWatts: { instant: milliwatts / 1000, average: (250_000 + noise(4_000)) / 1000 },
          powerLimitWatts: 400,
          energyJoules: millijoules / 1000,
          temperatureCelsius: { gpu: 61 + noise(1), memory: 70 + noise(1) },
          clockHertz: {
            graphics: 1_410e6 - 15e6 * Math.abs(noise(2)),
            sm: 1_410e6,
            memory: 1_593e6,
            video: 1_275e6,
          },
          throttleReasons: random() < 0.02 ? ['sw_power_cap'] : [],
          pcie: {
            rxBytesPerSecond: 1000 * (400_000 + noise(200_000)),
            txBytesPerSecond: 1000 * (50_000 + noise(40_000)),
            replays: 0,
          },
          eccErrors: {
            correctedVolatile: 0,
            uncorrectedVolatile: 0,
            correctedAggregate: 2,
            uncorrectedAggregate: 0,
          },
          processes: [{ pid: 4711, usedBytes: 29_000 * 2 ** 20 }],
        },
      ],
    };
    return {
      tickNs: tickNs + BigInt(3_000_000 + noise(300_000)),
      wallMs,
      source: 'gpu',
      gpus: reading,
      health: { gpus: { status: 'ok', durationSeconds: (900 + noise(300)) / 1e6 } },
      sampler: { pid: 99, intervalMs: 100, cpuSeconds: cpuMicroseconds / 1e6, missedTicks: 0 },
    } as unknown as Snapshot;
  };
}

export interface Written {
  readonly snapshots: number;
  /** CPU time of this process for a snapshot, without what making it up took. */
  readonly cpuSeconds: number;
}

/** Writes snapshots as fast as the disk takes them, without dropping any. */
export async function writeTimeline(file: string, snapshots: () => Iterable<Snapshot>): Promise<Written> {
  const stream = createWriteStream(file, { flags: 'w' });
  const writer = new TimelineWriter(file, stream, { model: 'day' }, { maxBufferedBytes: 2 ** 30 });
  let count = 0;
  const writing = await cpuSecondsOf(async () => {
    for (const snapshot of snapshots()) {
      writer.append(snapshot);
      count += 1;
      if (count % 20_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const closed = await writer.close();
    if (!closed.ok) throw new Error(closed.error.message);
  });
  let made = 0;
  const making = await cpuSecondsOf(async () => {
    for (const snapshot of snapshots()) made += snapshot.wallMs > 0 ? 1 : 0;
  });
  return { snapshots: count, cpuSeconds: Math.max(0, writing - making) / Math.max(1, made) };
}

async function cpuSecondsOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
