import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, startProgram } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const BENCH = ['bench', DIGITS_MODEL, '--data', DIGITS_DATA, '--duration', '200ms', '--processes', '1'];

describe.skipIf(!isBuilt)('the program (skipped where `npm run build` was not run)', () => {
  it.each([
    ['bench', BENCH],
    ['inspect', ['inspect', DIGITS_MODEL, '--audit']],
    ['doctor', ['doctor']],
  ])(
    'leaves nothing of its own or of the runtime in the home and temporary folders: %s',
    async (_, args) => {
      const home = temporaryFolder();
      const temporary = temporaryFolder();
      const folders = { HOME: home, TMPDIR: temporary, XDG_CACHE_HOME: join(home, '.cache') };
      const { code, stdout, stderr } = await startProgram(args, undefined, folders).finished;
      // So short a benchmark on a busy machine is invalid, which is 1.
      expect(code, stderr).toBeLessThan(2);
      expect(stdout).not.toBe('');
      expect([...readdirSync(home), ...readdirSync(temporary)]).toEqual([]);
    },
    120_000,
  );
});
