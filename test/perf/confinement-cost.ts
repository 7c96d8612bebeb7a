import { join } from 'node:path';
import { benchSettings } from '../../src/benchmark/settings.ts';
import { systemClock } from '../../src/core/clock.ts';
import { benchVariants } from '../../src/jobs/bench-variants.ts';
import type { ConfinedEntry } from '../../src/jobs/confinement/confined-entry.ts';
import { DEFAULT_LIMITS } from '../../src/jobs/confinement/worker-limits.ts';
import { runTask } from '../../src/jobs/worker-process.ts';
import { unwrap } from '../support/unwrap.ts';
import { bundledSubject } from './peer-subjects.ts';
import { type PerfRow, plainRow, ratioRow } from './perf-row.ts';
import { median } from './statistics.ts';

const DIST = new URL('../../dist/', import.meta.url);
const STARTS = 25;
const BENCHMARKS = 7;
const MOST_RATIO = 1.03;

const entry = (mode: ConfinedEntry['mode']): ConfinedEntry => ({
  main: new URL('jobs/worker-main.js', DIST),
  launcher: new URL('confinement/launch-main.cjs', DIST),
  mode,
  limits: DEFAULT_LIMITS,
});

/** What confinement costs: to start a worker, and in the median of a query. Confined and not, in turns. */
export async function confinementCost(): Promise<readonly PerfRow[]> {
  const free: number[] = [];
  const confined: number[] = [];
  for (let index = 0; index < STARTS; index++) {
    free.push(await startMs(entry('off')));
    confined.push(await startMs(entry('required')));
  }
  const ratios: number[] = [];
  for (let index = 0; index < BENCHMARKS; index++) {
    const base = await medianLatency(entry('off'));
    ratios.push((await medianLatency(entry('required'))) / base);
  }
  const [of, to] = [median(free), median(confined)];
  return [
    plainRow(
      'a worker that answers at once',
      'from start to end',
      `${of.toFixed(0)} ms, confined ${to.toFixed(0)} ms`,
    ),
    ratioRow(bundledSubject().name, 'median of a query, confined / free', median(ratios), MOST_RATIO),
    plainRow(bundledSubject().name, 'of each pair', ratios.map((ratio) => ratio.toFixed(3)).join(' ')),
  ];
}

async function startMs(of: ConfinedEntry): Promise<number> {
  const startMs = performance.now();
  await runTask({ entry: of }, { kind: 'timeline', file: join('/nowhere', 'timeline.ptqt') });
  return performance.now() - startMs;
}

async function medianLatency(of: ConfinedEntry): Promise<number> {
  const { name, modelPath, dataPath } = bundledSubject();
  const { results } = await benchVariants(
    {
      model: name,
      variants: [{ variant: 'fp32', path: modelPath }],
      data: { spec: { path: dataPath }, split: 'eval' },
      threads: 1,
      settings: unwrap(benchSettings({ minDurationSeconds: 1, processes: 1 })),
    },
    { host: { entry: of }, clock: systemClock },
  );
  return results[0]?.latencySeconds?.p50 ?? Number.NaN;
}
