import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RooflineReport } from '../../src/jobs/roofline-models.ts';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, runProgram } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Stands for the test's own folder in the table below. */
const FOLDER = '<folder>';

describe.skipIf(!isBuilt)('roofline (skipped where `npm run build` was not run)', () => {
  it('measures the peaks of this host and holds the operators of a model against them', async () => {
    const dataDir = temporaryFolder();
    const page = join(dataDir, 'page.html');
    const start = [
      'roofline',
      DIGITS_MODEL,
      '--data',
      DIGITS_DATA,
      '--data-dir',
      dataDir,
      '--runs',
      '20',
      '-q',
    ];
    const first = await runProgram([...start, '-o', page, '--json']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const report = JSON.parse(first.stdout) as RooflineReport;
    const { operationsPerSecond, levels, doubts } = report.peaks[0] as RooflineReport['peaks'][number];
    // Any processor of the last fifteen years, however busy, and none of the next.
    expect(operationsPerSecond.float32).toBeGreaterThan(1e8);
    expect(operationsPerSecond.float32).toBeLessThan(1e13);
    expect(operationsPerSecond.int8).toBeGreaterThan(1e8);
    expect(levels.at(-1)).toMatchObject({ name: 'memory', capacityBytes: null });
    for (const [index, level] of levels.slice(1).entries())
      expect(level.bytesPerSecond).toBeLessThanOrEqual(levels[index]?.bytesPerSecond ?? 0);

    const [digits] = report.variants;
    const operators = digits?.roofline?.operators ?? [];
    const times = operators.reduce((total, { timeRatio }) => total + timeRatio, 0);
    expect(times).toBeCloseTo(1, 9);
    const conv = operators.find(({ op, form }) => op === 'Conv' && form === '3×3');
    expect(conv?.flopsPerRun).toBeGreaterThan(1e6);
    expect(conv?.roofRatio).toBeGreaterThan(0);
    expect(readFileSync(page, 'utf8')).toContain('<svg');

    // What is doubtful, as on a busy host, is not kept.
    expect(existsSync(join(dataDir, 'peaks'))).toBe(doubts.length === 0);
  }, 240_000);

  it.each([
    ['a model that is not there', [`${FOLDER}/gone.onnx`], /model-not-found/],
    ['a device whose kernels are not timed', [DIGITS_MODEL, '--device', 'cuda'], /device-not-profiled/],
    [
      'a page in a folder that is not there',
      [DIGITS_MODEL, '-o', `${FOLDER}/none/page.html`],
      /output-not-writable/,
    ],
    ['no runs', [DIGITS_MODEL, '--runs', '0'], /at least 1/],
    ['data that is not there', [DIGITS_MODEL, '--data', `${FOLDER}/none.npz`], /cannot be/],
  ])(
    'refuses %s',
    async (_, given, words) => {
      const folder = temporaryFolder();
      const options = given.map((option) => option.replace(FOLDER, folder));
      const { code, stderr, stdout } = await runProgram(['roofline', ...options, '--data-dir', folder, '-q']);
      expect(stderr).toMatch(words);
      expect(code).toBe(2);
      expect(stdout).toBe('');
    },
    240_000,
  );
});
