import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareFile } from '../../../src/jobs/prepared-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

describe('prepareFile', () => {
  it('gives the file its name once all is written, and leaves nothing else', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'out.csv');
    writeFileSync(path, 'before');
    const file = unwrap(await prepareFile(path));
    expect(readFileSync(path, 'utf8')).toBe('before');
    const pieces = Array.from({ length: 300_000 }, (_, index) => `${index}\n`);
    unwrap(await file.write(pieces));
    expect(readFileSync(path, 'utf8')).toBe(pieces.join(''));
    await file.discard();
    expect(readdirSync(folder)).toEqual(['out.csv']);
  });

  it('leaves what was there where it is given up, or where its pieces fail', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'out.csv');
    writeFileSync(path, 'before');
    await unwrap(await prepareFile(path)).discard();
    function* failing() {
      yield 'a';
      throw new Error('a bug');
    }
    const file = unwrap(await prepareFile(path));
    await expect(file.write(failing())).rejects.toThrow('a bug');
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['out.csv']);
  });

  it.each([
    ['a folder', '', 'EISDIR', 'name a file, not a folder'],
    ['a folder that is not there', 'none/out.csv', 'ENOENT', 'make the folder first'],
    ['something in a file', 'file/out.csv', 'ENOTDIR', 'choose another folder'],
  ])('refuses %s before anything is done', async (_what, name, code, advice) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, name);
    expect(await prepareFile(path)).toMatchObject({
      ok: false,
      error: {
        kind: 'output-not-writable',
        message: expect.stringContaining(code),
        place: { file: path },
        hint: expect.stringContaining(advice),
      },
    });
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'says that a disk is full, and leaves a device what it is',
    async () => {
      const file = unwrap(await prepareFile('/dev/full'));
      expect(await file.write(['a'])).toMatchObject({
        ok: false,
        error: {
          kind: 'output-not-writable',
          message: expect.stringContaining('ENOSPC'),
          hint: 'make room on the disk',
        },
      });
      expect(existsSync('/dev/full')).toBe(true);
    },
  );

  it('takes a name as long as a file can have', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'linked'));
    const path = join(folder, 'linked', 'x'.repeat(255));
    unwrap(await unwrap(await prepareFile(path)).write(['a']));
    expect(readFileSync(path, 'utf8')).toBe('a');
  });
});
