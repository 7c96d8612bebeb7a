import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listStoredFiles, removeFromCache } from '../../../src/store/stored-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('searches of recipes in a data directory', () => {
  function withSearch() {
    const dataDir = temporaryFolder();
    const search = join(dataDir, 'searches/digits-best');
    mkdirSync(join(search, 'models'), { recursive: true });
    mkdirSync(join(dataDir, 'tmp'));
    writeFileSync(join(search, 'journal.jsonl'), '12345');
    writeFileSync(join(search, 'models/a.onnx'), '1234567');
    return { dataDir, search };
  }

  it('are counted whole, as old as what was written last', async () => {
    const { dataDir, search } = withSearch();
    for (const path of [search, join(search, 'models'), join(search, 'models/a.onnx')])
      utimesSync(path, 10, 10);
    utimesSync(join(search, 'journal.jsonl'), 20, 20);
    writeFileSync(join(dataDir, 'searches/Somebody Else'), '');
    const { caches } = await listStoredFiles(dataDir);
    expect(caches.searches).toEqual([{ name: 'digits-best', sizeBytes: 12, usedMs: 20_000 }]);
  });

  it('count nothing of what links lead to', async () => {
    const { dataDir, search } = withSearch();
    symlinkSync('/usr', join(search, 'link'));
    const [found] = (await listStoredFiles(dataDir)).caches.searches;
    expect(found?.sizeBytes).toBeLessThan(100);
  });

  it('are removed as a whole', async () => {
    const { dataDir, search } = withSearch();
    await removeFromCache(dataDir, join(dataDir, 'tmp'), 'searches', 'digits-best');
    expect(existsSync(search)).toBe(false);
    await removeFromCache(dataDir, join(dataDir, 'tmp'), 'searches', 'digits-best');
  });

  it('are removed by names of their own alone', async () => {
    const { dataDir } = withSearch();
    for (const name of ['..', '../runs', 'digits-best/models', ''])
      await expect(removeFromCache(dataDir, join(dataDir, 'tmp'), 'searches', name)).rejects.toThrow(
        TypeError,
      );
  });
});
