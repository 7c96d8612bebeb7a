import { setTimeout as delay } from 'node:timers/promises';
import { VALUES_PER_RUN } from '../../benchmark/load/run-records.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { formatSeconds } from '../../core/units.ts';
import type { Sampler } from '../../telemetry/sampler.ts';
import type { Snapshot } from '../../telemetry/snapshot.ts';
import type { LiveSystem } from '../live-system.ts';
import type { LiveWork } from './live-work.ts';

/** What could be seen of the work without touching it. */
export interface WorkSeen {
  /** Some lines for people. */
  readonly text: string;
  /** Of the GPUs, or of the processor where there is none that tells. */
  readonly deviceIdlePercent?: number;
  /** Of the runs that were completed meanwhile. */
  readonly stepMs?: { readonly avg: number; readonly min: number; readonly max: number };
}

const DEFAULT_MONITOR_MS = 1_000;
const MAX_MONITOR_MS = 60_000;

/** Looks on for so long. Problems: `capture-out-of-range`, `cancelled`. */
export async function monitorWork(
  durationMs: number,
  { live, sampler }: { readonly live: LiveWork; readonly sampler: Sampler },
  signal: AbortSignal,
): Promise<Result<WorkSeen, Problem>> {
  const duration = durationMs === 0 ? DEFAULT_MONITOR_MS : durationMs;
  if (!(duration > 0 && duration <= MAX_MONITOR_MS)) {
    return err(problem('capture-out-of-range', `the work is watched for 1 ms to ${MAX_MONITOR_MS / 1000} s`));
  }
  const snapshots: Snapshot[] = [];
  const runs = new Map<string, RunTimes>();
  const watch = (system: LiveSystem) =>
    system.onEvent((event) => {
      if (event.kind === 'runs') addRuns(runs, system.identity.variant, event.records);
    });
  const stops = [
    sampler.onSnapshot((snapshot) => void snapshots.push(snapshot)),
    live.listen({ systemStarted: (system) => void stops.push(watch(system)) }),
    ...live.systems.map(watch),
  ];
  await delay(duration, undefined, { signal }).catch(() => {});
  for (const stop of stops) stop();
  if (signal.aborted) return err(problem('cancelled', 'nobody waits for the answer any more'));
  return ok(describe(live, duration, runs, snapshots));
}

interface RunTimes {
  count: number;
  totalMs: number;
  minMs: number;
  maxMs: number;
}

function addRuns(runs: Map<string, RunTimes>, variant: string, records: Float64Array): void {
  const times = runs.get(variant) ?? { count: 0, totalMs: 0, minMs: Number.POSITIVE_INFINITY, maxMs: 0 };
  runs.set(variant, times);
  for (let at = 0; at < records.length; at += VALUES_PER_RUN) {
    const [, , , startNs = 0, doneNs = 0] = records.subarray(at, at + VALUES_PER_RUN);
    const milliseconds = (doneNs - startNs) / 1e6;
    times.count += 1;
    times.totalMs += milliseconds;
    times.minMs = Math.min(times.minMs, milliseconds);
    times.maxMs = Math.max(times.maxMs, milliseconds);
  }
}

function describe(
  live: LiveWork,
  durationMs: number,
  runs: ReadonlyMap<string, RunTimes>,
  snapshots: readonly Snapshot[],
): WorkSeen {
  const phases = live.phases.map(({ phase, subject }) =>
    [phase, ...(subject === undefined ? [] : [subject])].join(' '),
  );
  const cpuIdle = cpuIdleRatio(snapshots);
  const gpuIdle = gpuIdleRatio(snapshots);
  const idle = gpuIdle ?? cpuIdle;
  const lines = [
    live.run === undefined
      ? 'nothing runs'
      : `run ${live.run.id} of ${live.run.model}: ${phases.join(', ') || 'between phases'}`,
    ...[...runs].map(
      ([variant, { count, totalMs, minMs, maxMs }]) =>
        `${variant}: ${count} runs of the model in ${formatSeconds(durationMs / 1000)}, ${totalMs > 0 ? formatSeconds(totalMs / count / 1000) : '0 s'} on ` +
        `average (${formatSeconds(minMs / 1000)} to ${formatSeconds(maxMs / 1000)})`,
    ),
    ...(cpuIdle === undefined ? [] : [`processors: ${percent(1 - cpuIdle)} busy`]),
    ...(gpuIdle === undefined ? [] : [`GPUs: ${percent(1 - gpuIdle)} busy`]),
  ];
  const all = [...runs.values()];
  const count = sum(all.map((times) => times.count));
  return {
    text: lines.join('\n'),
    ...(idle === undefined ? {} : { deviceIdlePercent: 100 * idle }),
    ...(count === 0
      ? {}
      : {
          stepMs: {
            avg: sum(all.map(({ totalMs }) => totalMs)) / count,
            min: Math.min(...all.map(({ minMs }) => minMs)),
            max: Math.max(...all.map(({ maxMs }) => maxMs)),
          },
        }),
  };
}

/** Between the first and the last reading; undefined where there are not two that differ. */
function cpuIdleRatio(snapshots: readonly Snapshot[]): number | undefined {
  const readings = snapshots.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu.secondsByMode]));
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const idle = last.idle + last.iowait - first.idle - first.iowait;
  const all = sum(Object.values(last)) - sum(Object.values(first));
  return all > 0 ? idle / all : undefined;
}

/** Of all readings of all GPUs; undefined where none tells. */
function gpuIdleRatio(snapshots: readonly Snapshot[]): number | undefined {
  const busy = snapshots.flatMap(
    ({ gpus }) => gpus?.gpus.flatMap(({ utilizationRatio }) => utilizationRatio ?? []) ?? [],
  );
  return busy.length === 0 ? undefined : 1 - sum(busy) / busy.length;
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(0)} %`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
