import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchSettings } from '../../src/benchmark/settings.ts';
import { systemClock } from '../../src/core/clock.ts';
import { benchVariants } from '../../src/jobs/bench-variants.ts';
import { unwrap } from '../support/unwrap.ts';
import { BASELINE_MODELS, bundledSubject, findSubjects } from './peer-subjects.ts';
import { type PerfRow, ratioRow } from './perf-row.ts';

const WORKER_ENTRY = new URL('../../dist/jobs/worker-main.js', import.meta.url);
const QUERIES = 400;
const MOST_RATIO = 1.1;

/** What tracing adds to the median of a query, traced and untraced in turns in one process. */
export async function tracingCost(): Promise<readonly PerfRow[]> {
  const onMissing = (reason: string) => console.error(reason);
  const settings = unwrap(benchSettings({ minDurationSeconds: 1, processes: 1 }));
  const rows: PerfRow[] = [];
  for (const { name, modelPath, dataPath } of [
    bundledSubject(),
    ...findSubjects(BASELINE_MODELS, onMissing),
  ]) {
    const traceFolder = mkdtempSync(join(tmpdir(), 'ptq-agent-'));
    try {
      const { results, records } = await benchVariants(
        {
          model: name,
          variants: [{ variant: 'fp32', path: modelPath }],
          data: { spec: { path: dataPath }, split: 'eval' },
          threads: 1,
          settings,
          traceFolder,
        },
        { host: { entry: WORKER_ENTRY }, clock: systemClock, tracing: { queries: QUERIES } },
      );
      const ratio = results[0]?.trace?.costRatio;
      if (ratio !== undefined)
        rows.push(ratioRow(name, 'tracing: median of a query, traced / untraced', ratio, MOST_RATIO));
      else
        onMissing(
          `${name} was not traced: ${records[0]?.usage?.trace?.problem?.message ?? 'no reason told'}`,
        );
    } finally {
      rmSync(traceFolder, { recursive: true, force: true });
    }
  }
  return rows;
}
