import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { STORAGE_DEFAULTS } from '../../../../src/config/storage-settings.ts';
import { collectGarbage, previewCollection } from '../../../../src/jobs/storage/collect-garbage.ts';
import { readStore } from '../../../../src/store/read-store.ts';
import { openStore } from '../../../../src/store/store.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const DAY_MS = 86_400_000;
const START_MS = 1_790_000_000_000;
const hash = (letter: string) => letter.repeat(64);

/** A data directory of which nothing is young any more. */
async function oldDataDir() {
  const dataDir = temporaryFolder();
  let wallMs = START_MS;
  const store = unwrap(openStore(dataDir, { nowNs: () => 0n, wallMs: () => wallMs }));
  onTestFinished(() => store.close());
  const publish = async (letter: string) => {
    const file = store.temporaryFile(hash(letter));
    writeFileSync(file, 'model');
    writeFileSync(`${file}.data`, 'weights');
    const description = { model: 'digits', variant: 'int8', recipe: {}, report: {} };
    unwrap(await store.publishArtifact(file, { hash: hash(letter), ...description }));
    for (const name of readdirSync(join(dataDir, 'artifacts')))
      utimesSync(join(dataDir, 'artifacts', name), START_MS / 1e3, START_MS / 1e3);
  };
  const run = (letter: string, state: 'succeeded' | 'failed' = 'succeeded') => {
    const { id } = store.createRun({ kind: 'pipeline', model: 'digits', request: {} });
    store.startRun(id);
    if (state === 'failed') store.failRun(id, { kind: 'x', message: 'x' });
    else {
      const output = join(dataDir, 'artifacts', `${hash(letter)}.onnx`);
      store.finishRun(id, { variants: [{ variant: 'int8', quantization: { output } }] });
    }
    writeFileSync(join(store.runDirectory(id), 'timeline.ptqt'), 'x'.repeat(50));
    utimesSync(join(store.runDirectory(id), 'timeline.ptqt'), START_MS / 1e3, START_MS / 1e3);
    return id;
  };
  for (const letter of ['a', 'b', 'c']) await publish(letter);
  const runs = ['a', 'a', 'a', 'a', 'b'].map((letter) => run(letter));
  wallMs += 500 * DAY_MS;
  const options = {
    profiles: [{ name: 'digits' }],
    settings: STORAGE_DEFAULTS,
    nowMs: wallMs,
  };
  return { dataDir, store, options, runs, publish };
}

const artifactsIn = (dataDir: string) =>
  readdirSync(join(dataDir, 'artifacts'))
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => name[0])
    .sort();

describe('collectGarbage', () => {
  it('removes old artifacts, runs and their files, and keeps what the last runs used', async () => {
    const { dataDir, store, options, runs } = await oldDataDir();
    const report = await collectGarbage(store, options);
    // The last three runs are looked at: two used a, one b.
    expect(artifactsIn(dataDir)).toEqual(['a', 'b']);
    expect(runs.map((id) => store.getRun(id) !== undefined)).toEqual([false, false, false, true, true]);
    expect(readdirSync(join(dataDir, 'runs')).sort()).toEqual(runs.slice(3));
    for (const id of runs.slice(3)) expect(readdirSync(join(dataDir, 'runs', id))).toEqual(['record.json']);
    expect(report.failures).toEqual([]);
    expect(report.after.artifacts).toBeLessThan(report.before.artifacts);
    expect(await collectGarbage(store, options)).toMatchObject({ removed: [], failures: [] });
  });

  it('keeps an artifact that a run or a download holds, and takes it when that is over', async () => {
    const { dataDir, store, options } = await oldDataDir();
    const release = store.holdArtifact(hash('c'));
    const report = await collectGarbage(store, options);
    expect(report.removed.map(({ kind }) => kind)).not.toContain('artifacts');
    expect(store.findArtifact(hash('c'))).toBeDefined();
    release();
    // Now it was used just now.
    await collectGarbage(store, options);
    expect(store.findArtifact(hash('c'))).toBeDefined();
    const later = { ...options, nowMs: options.nowMs + 31 * DAY_MS };
    await collectGarbage(store, later);
    expect(artifactsIn(dataDir)).toEqual(['a', 'b']);
  });

  it('never leaves a run with half an artifact, however the two come together', async () => {
    const { dataDir, store, options, publish } = await oldDataDir();
    const quota = { ...options, settings: { ...STORAGE_DEFAULTS, maxBytes: 1 } };
    const seen: boolean[] = [];
    let isOver = false;
    const collecting = (async () => {
      while (!isOver) await collectGarbage(store, quota);
    })();
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, turn % 7));
      const release = store.holdArtifact(hash('c'));
      if (store.findArtifact(hash('c')) === undefined) await publish('c');
      for (let look = 0; look < 5; look += 1) {
        // Long enough for a collection to come between.
        await new Promise((resolve) => setTimeout(resolve, 5));
        const path = store.findArtifact(hash('c'))?.path ?? '';
        seen.push(existsSync(path) && existsSync(`${path}.data`));
      }
      release();
    }
    isOver = true;
    await collecting;
    expect(seen).toHaveLength(100);
    expect(seen).not.toContain(false);
    expect(artifactsIn(dataDir).slice(0, 2)).toEqual(['a', 'b']);
  });

  it('removes what killed processes left half done, and nothing that is not ours', async () => {
    const { dataDir, store, options, runs } = await oldDataDir();
    const key = hash('d');
    const left = [
      `outputs/${key}.outputs.Ab12Cd/outputs`,
      `golden/${key}.outputs.Xy34Zw/outputs`,
      `calibration/${key}.json.4242.tmp`,
      'peaks/cpu-2-0123456789abcdef.json.77.tmp',
      `runs/${runs[4]}/.0a1b2c3d.99.tmp`,
      `artifacts/${key}.json`,
      `artifacts/${hash('e')}.onnx.data`,
    ];
    const strangers = [
      'outputs/notes.txt',
      `outputs/${key}.outputs.backup-of-mine`,
      'artifacts/my-model.onnx',
      'artifacts/README.md',
      'runs/keep/file',
      'peaks/mine.json',
      'calibration/other.tmp',
      'photos/cat.jpg',
    ];
    for (const file of [...left, ...strangers]) {
      mkdirSync(join(dataDir, file, '..'), { recursive: true });
      writeFileSync(join(dataDir, file), 'x');
    }
    const report = await collectGarbage(store, {
      ...options,
      settings: { ...STORAGE_DEFAULTS, maxBytes: 1 },
    });
    expect(report.removed.filter(({ reason }) => reason === 'leftover')).toHaveLength(left.length);
    expect(left.filter((file) => existsSync(join(dataDir, file)))).toEqual([]);
    expect(strangers.filter((file) => !existsSync(join(dataDir, file)))).toEqual([]);
    expect(readdirSync(store.temporaryFolder)).toEqual([]);
  });

  it('goes on where something cannot be removed, and says what', async () => {
    const { store, options } = await oldDataDir();
    const refusing = {
      ...store,
      removeRun: async () => {
        throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
      },
    };
    const report = await collectGarbage(refusing, options);
    expect(report.failures).toHaveLength(3);
    expect(report.failures[0]).toMatch(/^runs 01.*: EROFS/);
    expect(report.removed.map(({ kind }) => kind)).toContain('artifacts');
  });

  it('gives the disk back what the database no longer needs', async () => {
    const { store, options } = await oldDataDir();
    for (let run = 0; run < 50; run += 1) {
      const { id } = store.createRun({ kind: 'bench', model: 'other', request: {} });
      store.startRun(id);
      store.finishRun(id, { text: 'x'.repeat(40_000) });
    }
    const few = { ...options, settings: { ...STORAGE_DEFAULTS, runs: { maxCount: 1 } } };
    const { before, after } = await collectGarbage(store, few);
    expect(before.database).toBeGreaterThan(2e6);
    expect(after.database).toBeLessThan(5e5);
  });
});

describe('previewCollection', () => {
  it('tells the same beside the process that has the data directory, and removes nothing', async () => {
    const { dataDir, store, options } = await oldDataDir();
    const beside = unwrap(readStore(dataDir));
    onTestFinished(() => beside.close());
    const preview = await previewCollection(beside, options);
    expect(artifactsIn(dataDir)).toEqual(['a', 'b', 'c']);
    expect(preview.removed).toEqual((await collectGarbage(store, options)).removed);
    expect(preview.removed.length).toBeGreaterThan(0);
  });

  it('says that there is no database', () => {
    expect(readStore(temporaryFolder())).toMatchObject({ ok: false, error: { kind: 'store-unreadable' } });
  });
});
