import { startSampler } from '../../src/telemetry/sampler.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';

export interface SamplerCostResult {
  readonly intervalMs: number;
  readonly snapshots: number;
  /** CPU time of the sampler process over wall time, after its start; 1 is one core. */
  readonly samplerCpuRatio: number;
  /** The same for this process, which receives the snapshots and does nothing else. */
  readonly parentCpuRatio: number;
  /** Mean time of all collectors together. */
  readonly collectSeconds: number;
  readonly missedTicks: number;
}

const ENTRY = new URL('../../dist/telemetry/sampler-main.js', import.meta.url);
const WARM_UP_SECONDS = 1;

/** What sampling this host costs at 10 and at 100 snapshots per second, watching one process. Needs `npm run build`. */
export async function samplerCost(seconds: number): Promise<readonly SamplerCostResult[]> {
  return [await costAt(100, seconds), await costAt(10, seconds)];
}

async function costAt(intervalMs: number, seconds: number): Promise<SamplerCostResult> {
  const sampler = startSampler({ entry: ENTRY, intervalMs });
  sampler.watch([process.pid]);
  await sleep(WARM_UP_SECONDS);
  const snapshots: Snapshot[] = [];
  const unsubscribe = sampler.onSnapshot((snapshot) => snapshots.push(snapshot));
  const parentBefore = process.cpuUsage();
  await sleep(seconds);
  const parent = process.cpuUsage(parentBefore);
  unsubscribe();
  await sampler.stop();
  const first = snapshots[0];
  const last = snapshots.at(-1);
  if (first === undefined || last === undefined || first === last) {
    throw new Error(`the sampler sent ${snapshots.length} snapshots in ${seconds} s`);
  }
  const collectSeconds = snapshots.map(({ health }) =>
    Object.values(health).reduce(
      (sum, collector) => sum + (collector.status === 'down' ? 0 : collector.durationSeconds),
      0,
    ),
  );
  return {
    intervalMs,
    snapshots: snapshots.length,
    samplerCpuRatio:
      (last.sampler.cpuSeconds - first.sampler.cpuSeconds) / (Number(last.tickNs - first.tickNs) / 1e9),
    parentCpuRatio: (parent.user + parent.system) / 1e6 / seconds,
    collectSeconds: collectSeconds.reduce((a, b) => a + b) / collectSeconds.length,
    missedTicks: last.sampler.missedTicks - first.sampler.missedTicks,
  };
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
