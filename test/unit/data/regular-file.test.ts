import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRegularFile, systemReason } from '../../../src/data/regular-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('openRegularFile', () => {
  it('opens a file, and knows its size', async () => {
    const path = join(temporaryFolder(), 'data');
    writeFileSync(path, 'abc');
    const opened = await openRegularFile(path);
    if (!('file' in opened)) throw new Error('it was refused');
    expect(opened.sizeBytes).toBe(3);
    await opened.file.close();
  });

  it.each(['/', '/dev/null'])('refuses %s, which has no end or no bytes', async (path) => {
    expect(await openRegularFile(path)).toEqual({ refusal: 'not-regular' });
  });

  it('says what the system says', async () => {
    expect(await openRegularFile('/nowhere')).toEqual({ refusal: 'system', reason: 'it does not exist' });
    expect(await openRegularFile('/dev/null/file')).toMatchObject({
      refusal: 'system',
      reason: expect.stringContaining('ENOTDIR'),
    });
  });
});

describe('systemReason', () => {
  it('throws what the system did not say', () => {
    expect(() => systemReason(new TypeError('a bug'))).toThrow('a bug');
  });
});
