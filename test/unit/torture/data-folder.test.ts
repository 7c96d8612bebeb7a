import { appendFileSync, copyFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/store/store.ts';
import { DIGITS_MODEL } from '../../support/program.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';
import { FolderInspector, leftovers } from '../../torture/data-folder.ts';

const HASH = 'a'.repeat(64);

/** A data folder with one run that succeeded and one artifact. */
async function filled(write: (file: string) => void = (file) => copyFileSync(DIGITS_MODEL, file)) {
  const dataDir = temporaryFolder();
  const store = unwrap(openStore(dataDir));
  const { id } = store.createRun({ kind: 'bench', model: 'tiny', request: { durationSeconds: 0.25 } });
  store.startRun(id);
  store.finishRun(id, { figure: 1 });
  const file = store.temporaryFile(HASH);
  mkdirSync(join(file, '..'), { recursive: true });
  write(file);
  unwrap(
    await store.publishArtifact(file, { hash: HASH, model: 'tiny', variant: 'int8', recipe: {}, report: {} }),
  );
  store.close();
  return { dataDir, id, artifact: join(dataDir, 'artifacts', `${HASH}.onnx`) };
}

describe('FolderInspector', () => {
  it('finds the runs of a sound folder, and nothing wrong', async () => {
    const { dataDir, id } = await filled();
    const inspector = new FolderInspector(dataDir);
    expect(await inspector.inspect()).toMatchObject({
      runs: [{ id, state: 'succeeded', tag: '0.25', resultDigest: expect.any(String) }],
      wrong: [],
    });
    expect(inspector.artifactsLoaded).toBe(1);
    expect(leftovers(dataDir, new Set([id]))).toEqual([]);
  });

  it('knows an artifact that is gone, half, another than before, or no model', async () => {
    const { dataDir, artifact } = await filled();
    const inspector = new FolderInspector(dataDir);
    await inspector.inspect();
    const changed = Buffer.alloc(16);
    appendFileSync(artifact, changed);
    expect((await inspector.inspect()).wrong[0]).toMatch(/has \d+ bytes, its record says/);
    truncateSync(artifact, 1000);
    expect((await inspector.inspect()).wrong[0]).toMatch(/has 1000 bytes, its record says/);
    rmSync(artifact);
    expect((await inspector.inspect()).wrong).toEqual([`artifact ${HASH} has a record and no file`]);
    const broken = await filled((file) => writeFileSync(file, 'no model'));
    expect((await new FolderInspector(broken.dataDir).inspect()).wrong[0]).toContain('does not load');
  });

  it('knows a database that is damaged', async () => {
    const { dataDir } = await filled();
    truncateSync(join(dataDir, 'state.db'), 8192);
    await expect(new FolderInspector(dataDir).inspect()).rejects.toThrow(/malformed/);
  });
});

describe('leftovers', () => {
  it('names every file that has no business there', async () => {
    const { dataDir, id } = await filled();
    mkdirSync(join(dataDir, 'golden', `${HASH}.outputs.Xy12Zw`), { recursive: true });
    writeFileSync(join(dataDir, 'runs', id, '.1234.77.tmp'), '');
    writeFileSync(join(dataDir, 'token.77.tmp'), '');
    expect(leftovers(dataDir, new Set([id])).sort()).toEqual([
      `golden/${HASH}.outputs.Xy12Zw`,
      `runs/${id}/.1234.77.tmp`,
      'token.77.tmp',
    ]);
    expect(leftovers(dataDir, new Set())).toContain(`runs/${id}`);
  });
});
