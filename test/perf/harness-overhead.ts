import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile, sortedCopy } from '../../src/benchmark/latency-statistics.ts';
import { benchSettings } from '../../src/benchmark/settings.ts';
import { systemClock } from '../../src/core/clock.ts';
import { formatSeconds } from '../../src/core/units.ts';
import { benchVariants } from '../../src/jobs/bench-variants.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { openBareSession } from '../../src/runtime/bare-session.ts';
import { graph, model, node, value } from '../support/graph-builder.ts';
import { unwrap } from '../support/unwrap.ts';
import { float32Npy, npz } from '../unit/data/npz-writer.ts';
import type { OnRow, PerfRow } from './perf-row.ts';

const WORKER_ENTRY = new URL('../../dist/jobs/worker-main.js', import.meta.url);
const ROUNDS = 8;
const BARE_CALLS = 100_000;
const MOST_NS = 3_000;

interface Cost {
  /** Median of the times between two readings of the clock around a call. */
  readonly p50Ns: number;
  /** From one call to the next, on average. */
  readonly cycleNs: number;
}

/**
 * What the harness adds to a model that does nothing: its measured latency, and the time from one query to the next, against
 * the bare native call in a loop of its own. Bare and harness run by turns; medians over the rounds.
 */
export async function harnessOverhead(onRow: OnRow): Promise<readonly PerfRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-harness-'));
  try {
    const modelPath = writeNullModel(folder);
    const dataPath = join(folder, 'data.npz');
    writeFileSync(dataPath, npz({ 'eval/x': float32Npy([1, 1], [1]) }));
    const harness: Cost[] = [];
    const bare: Cost[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(bareCost(modelPath));
      harness.push(await harnessCost(modelPath, dataPath));
    }
    const rows = [
      overheadRow('latency, p50', median(harness, 'p50Ns'), median(bare, 'p50Ns')),
      overheadRow('from query to query', median(harness, 'cycleNs'), median(bare, 'cycleNs')),
    ];
    for (const row of rows) onRow(row);
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeNullModel(folder: string): string {
  const path = join(folder, 'null.onnx');
  const body = graph({
    inputs: [value('x', 'float', [1, 1])],
    nodes: [node('Identity', ['x'], ['y'])],
    outputs: [value('y', 'float', [1, 1])],
  });
  unwrap(writeModel(model(body), path));
  return path;
}

function bareCost(modelPath: string): Cost {
  const session = unwrap(openBareSession(modelPath, { intraOpThreads: 1 }));
  const run = session.prepare({ x: { type: 'float32', dims: [1, 1], data: Float32Array.of(1) } });
  for (let call = 0; call < BARE_CALLS / 10; call++) run();
  const timesNs = new Float64Array(BARE_CALLS);
  for (let call = 0; call < BARE_CALLS; call++) {
    const startNs = process.hrtime.bigint();
    run();
    timesNs[call] = Number(process.hrtime.bigint() - startNs);
  }
  const startNs = process.hrtime.bigint();
  for (let call = 0; call < BARE_CALLS; call++) run();
  const cycleNs = Number(process.hrtime.bigint() - startNs) / BARE_CALLS;
  session.close();
  return { p50Ns: percentile(sortedCopy(timesNs), 500) as number, cycleNs };
}

async function harnessCost(modelPath: string, dataPath: string): Promise<Cost> {
  const request = {
    model: 'null',
    variants: [{ variant: 'null', path: modelPath }],
    data: { spec: { path: dataPath }, split: 'eval' },
    threads: 1,
    settings: unwrap(benchSettings({ rounds: 1, minDurationSeconds: 1 })),
  };
  const { records } = await benchVariants(request, { host: { entry: WORKER_ENTRY }, clock: systemClock });
  const round = records[0]?.rounds[0];
  if (round === undefined) throw new Error(records[0]?.failure?.message ?? 'nothing was measured');
  return {
    p50Ns: percentile(sortedCopy(round.latencyNs), 500) as number,
    cycleNs: round.durationNs / round.latencyNs.length,
  };
}

function median(costs: readonly Cost[], figure: keyof Cost): number {
  const sorted = costs.map((cost) => cost[figure]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function overheadRow(figure: string, harnessNs: number, bareNs: number): PerfRow {
  const overheadNs = harnessNs - bareNs;
  return {
    subject: 'a model that does nothing',
    figure: `${figure}, harness above bare call`,
    value: `${(overheadNs / 1e3).toFixed(2)} µs`,
    target: `≤ ${MOST_NS / 1e3} µs`,
    reached: overheadNs <= MOST_NS,
    detail: `${formatSeconds(harnessNs / 1e9)}, ${formatSeconds(bareNs / 1e9)}`,
  };
}
