import { existsSync, type PathLike, type WriteFileOptions } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openAccessToken } from '../../../src/store/access-token.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let isDying = false;

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const writeFileSync = (file: PathLike, text: string, options: WriteFileOptions) => {
    fs.writeFileSync(file, isDying ? '' : text, options);
    if (isDying) throw new Error('killed between making the file and writing into it');
  };
  return { ...fs, writeFileSync };
});

describe('openAccessToken', () => {
  it('leaves no file without a token where the daemon dies while it makes one', () => {
    const file = join(temporaryFolder(), 'token');
    isDying = true;
    openAccessToken(file);
    expect(existsSync(file)).toBe(false);
    isDying = false;
    expect(openAccessToken(file)).toMatchObject({ ok: true, value: expect.stringMatching(/^[\w-]{43}$/) });
  });
});
