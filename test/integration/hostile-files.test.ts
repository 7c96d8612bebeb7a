import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ConfinedEntry } from '../../src/jobs/confinement/confined-entry.ts';
import { DEFAULT_LIMITS } from '../../src/jobs/confinement/worker-limits.ts';
import { attemptFiles, type FileOutcomes } from '../support/hostile/attempt-files.ts';
import { daemonSubjects, workerSubjects } from '../support/hostile/file-subjects.ts';
import { isBuilt } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Another number is another set of files; `npm run perf hostile-files` takes many. */
const SEED = 1;
const IN_DAEMON = 400;
const IN_WORKERS = 36;

const total = ({ problems }: FileOutcomes) => [...problems.values()].reduce((sum, count) => sum + count, 0);

it('mutated profiles, settings and traces end in typed problems, at once', async () => {
  const subjects = daemonSubjects();
  const where = { seed: SEED, folder: temporaryFolder() };
  const good = await attemptFiles(subjects, { ...where, count: subjects.length, change: (bytes) => bytes });
  expect(good).toMatchObject({ accepted: subjects.length, faults: [] });
  const outcomes = await attemptFiles(subjects, { ...where, count: IN_DAEMON });
  expect(outcomes.faults).toEqual([]);
  // Most of what was changed is noticed.
  expect(outcomes.accepted).toBeLessThan(0.6 * IN_DAEMON);
  expect(outcomes.problems.size).toBeGreaterThan(5);
}, 120_000);

it.skipIf(!isBuilt)(
  'mutated models and data end in typed problems, and harm nothing',
  async () => {
    const folder = temporaryFolder();
    const files = join(folder, 'files');
    mkdirSync(files);
    const entry: ConfinedEntry = {
      main: new URL('../../dist/jobs/worker-main.js', import.meta.url),
      launcher: new URL('../../dist/confinement/launch-main.cjs', import.meta.url),
      mode: 'auto',
      limits: { ...DEFAULT_LIMITS, wallSeconds: 60 },
      temporaryFolder: join(folder, 'tmp'),
    };
    const subjects = workerSubjects(join(folder, 'made'));
    const where = { seed: SEED, folder: files, entry };
    // Before anything is done to them they are good: otherwise they would fail for reasons that nobody looks for.
    const good = await attemptFiles(subjects, { ...where, count: subjects.length, change: (bytes) => bytes });
    expect(good).toMatchObject({ accepted: subjects.length, faults: [] });
    const outcomes = await attemptFiles(subjects, { ...where, count: IN_WORKERS });
    expect(outcomes.faults).toEqual([]);
    expect(total(outcomes)).toBeGreaterThan(IN_WORKERS / 4);
  },
  180_000,
);
