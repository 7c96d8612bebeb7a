import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SearchResult } from '../../src/jobs/search/search-result.ts';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, runProgram, startProgram } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PATIENT_MS = 240_000;

const keysIn = (journal: string) =>
  !existsSync(journal)
    ? []
    : readFileSync(journal, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => (JSON.parse(line) as { key: string }).key);

async function until(condition: () => boolean): Promise<void> {
  // A program that ends before leaves the loop behind, which is not to go on for ever.
  for (let tries = 0; !condition() && tries < 2000; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

describe.skipIf(!isBuilt)('quantize --recipe auto (skipped where `npm run build` was not run)', () => {
  it(
    'goes on after it was killed, measures nothing twice, and ends in time with a model and a page',
    async () => {
      const folder = temporaryFolder();
      const output = join(folder, 'best.onnx');
      const page = join(folder, 'best.html');
      const journal = join(`${output}.search`, 'journal.jsonl');
      const command = [
        ...['quantize', DIGITS_MODEL, '-o', output, '--recipe', 'auto'],
        ...['--calibration', DIGITS_DATA, '--samples', '30', '--data', DIGITS_DATA],
        ...['--budget', 'top1>=-2pt', '--time-limit', '25s', '--json'],
      ];
      const killed = startProgram(command);
      await Promise.race([killed.finished, until(() => keysIn(journal).length >= 4 && existsSync(output))]);
      killed.child.kill('SIGKILL');
      expect(await killed.finished).toMatchObject({ signal: 'SIGKILL' });
      const before = keysIn(journal);

      const refused = await runProgram(command);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toContain('[search-unfinished]');
      expect(refused.stderr).toContain('--resume');

      const resumed = await runProgram([...command, '--resume', '--report', page]);
      expect(resumed.stderr).not.toContain('error');
      expect(resumed.code).toBe(0);
      const result = JSON.parse(resumed.stdout) as SearchResult;
      // Twice the limit would be a limit that is not kept; loaded hosts need a little.
      expect(result.seconds).toBeLessThan(35);
      expect(result.evaluation ?? result.evaluationProblem).toBeDefined();
      expect(result.candidates.filter(({ isChosen }) => isChosen)).toHaveLength(1);
      const after = keysIn(journal);
      expect(after.slice(0, before.length)).toEqual(before);
      expect(new Set(after).size).toBe(after.length);
      expect(readFileSync(page, 'utf8')).toContain('</html>');
      const loads = await runProgram(['inspect', output]);
      expect(loads.code).toBe(0);
    },
    PATIENT_MS,
  );

  it('says at once what is wrong with what it is told', async () => {
    const output = join(temporaryFolder(), 'best.onnx');
    const auto = ['quantize', DIGITS_MODEL, '-o', output, '--recipe', 'auto'];
    const data = ['--calibration', DIGITS_DATA];
    const said = async (...more: string[]) => {
      const { code, stderr, stdout } = await runProgram([...auto, ...more]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      return stderr;
    };
    expect(await said()).toContain('[no-calibration-data]');
    expect(await said(...data, '--budget', 'topp1>=-1pt')).toContain("did you mean 'top1'?");
    expect(await said(...data, '--split', 'eval', '--data', DIGITS_DATA)).toContain('[splits-overlap]');
    expect(await said(...data, '--save-ranges', 'r.json')).toContain(
      '--save-ranges is of no use with --recipe auto',
    );
    expect(await said(...data, '--task', 'fidelity')).toContain('[budget-needed]');
    expect(existsSync(output)).toBe(false);
  }, 120_000);
});
