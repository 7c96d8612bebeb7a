import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attemptFiles, type FileOutcomes } from '../support/hostile/attempt-files.ts';
import { daemonSubjects, workerSubjects } from '../support/hostile/file-subjects.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const IN_WORKERS = Number(process.env['PTQ_HOSTILE_FILES'] ?? 2000);
const IN_DAEMON = 2 * IN_WORKERS;
const SEED = Number(process.env['PTQ_HOSTILE_SEED'] ?? 1);
const DIST = new URL('../../dist/', import.meta.url);

/** Mutated models, data, profiles and settings, and what came of them. Every fault is told with what brings it back. */
export async function hostileFiles(onRow: OnRow): Promise<readonly PerfRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-hostile-'));
  // What runs this file compiles TypeScript in every process, with a program of its own, which workers may not start.
  process.execArgv = [];
  try {
    const [here, there] = ['here', 'there'].map((name) => join(folder, name)) as [string, string];
    for (const path of [here, there]) mkdirSync(path);
    const read = await attemptFiles(daemonSubjects(), { seed: SEED, count: IN_DAEMON, folder: here });
    for (const row of rows('profiles, settings, traces', read)) onRow(row);
    const worked = await attemptFiles(workerSubjects(join(folder, 'made')), {
      seed: SEED,
      count: IN_WORKERS,
      folder: there,
      entry: {
        main: new URL('jobs/worker-main.js', DIST),
        launcher: new URL('confinement/launch-main.cjs', DIST),
        mode: 'required',
        limits: { openFiles: 1024, fileSizeBytes: 2 ** 30, wallSeconds: 120 },
        temporaryFolder: join(folder, 'tmp'),
      },
    });
    return rows('models and data', worked);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function rows(subject: string, { attempts, accepted, problems, faults }: FileOutcomes): readonly PerfRow[] {
  const kinds = [...problems].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${kind} ${count}`);
  return [
    plainRow(subject, `mutated files, seed ${SEED}`, `${attempts}, ${accepted} of them still good`),
    plainRow(subject, 'problems', kinds.join(', ')),
    { subject, figure: 'faults', value: String(faults.length), target: '0', reached: faults.length === 0 },
    ...faults.map((fault) => plainRow(subject, 'fault', fault)),
  ];
}
