import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const NOW_MS = Date.UTC(2026, 10, 26, 12);
const clock = { nowNs: () => 0n, wallMs: () => NOW_MS };
const HASH = 'ab'.repeat(32);
const BENCH = { kind: 'bench', model: 'digits', request: { scenario: 'offline' } } as const;

function open(dataDir: string): { readonly store: Store; readonly close: () => void } {
  const store = unwrap(openStore(dataDir, clock));
  let isOpen = true;
  const close = () => {
    if (isOpen) store.close();
    isOpen = false;
  };
  onTestFinished(close);
  return { store, close };
}

/** A data directory with one run of each end, one that waits, and an artifact with external data. */
async function usedDataDir() {
  const dataDir = temporaryFolder();
  const { store, close } = open(dataDir);
  const [good, bad, waiting] = [store.createRun(BENCH), store.createRun(BENCH), store.createRun(BENCH)];
  store.startRun(good.id);
  store.finishRun(good.id, { queries: 5 });
  store.failRun(bad.id, problem('model-refused', 'the model has no outputs'));
  await publish(store, HASH);
  const known = {
    good: store.getRun(good.id),
    bad: store.getRun(bad.id),
    artifact: store.findArtifact(HASH),
  };
  close();
  return { dataDir, file: join(dataDir, 'state.db'), known, waiting: waiting.id };
}

async function publish(store: Store, hash: string) {
  const file = store.temporaryFile(hash);
  writeFileSync(file, 'model');
  writeFileSync(`${file}.data`, 'weights');
  const description = { hash, model: 'digits', variant: 'int8', recipe: { bits: 8 }, report: { nodes: 7 } };
  return unwrap(await store.publishArtifact(file, description));
}

const GARBAGE = Buffer.from('not a database '.repeat(400));

describe('a database that cannot be read', () => {
  it.each<[string, (file: string) => void]>([
    ['is something else altogether', (file) => writeFileSync(file, GARBAGE)],
    ['has a garbled header', (file) => overwrite(file, 0, 100)],
    ['was cut short', (file) => truncateSync(file, 5000)],
    ['was overwritten in the middle', (file) => overwrite(file, 4096, 8192)],
  ])('as it %s is moved aside, and what lies on the disk is known again', async (_what, damage) => {
    const { dataDir, file, known, waiting } = await usedDataDir();
    damage(file);
    const bytes = readFileSync(file);
    const { store } = open(dataDir);
    expect(store.recovery).toEqual({
      damaged: { movedTo: `${file}.damaged-20261126T120000Z`, reason: expect.stringContaining('damaged') },
      indexed: { runs: 2, artifacts: 1 },
    });
    expect(readFileSync(`${file}.damaged-20261126T120000Z`).equals(bytes)).toBe(true);
    expect(store.getRun(known.good?.id ?? '')).toEqual(known.good);
    expect(store.getRun(known.bad?.id ?? '')).toEqual(known.bad);
    expect(store.findArtifact(HASH)).toEqual(known.artifact);
    // What only waited had nothing but its row.
    expect(store.getRun(waiting)).toBeUndefined();
  });

  it('takes its log along, which must never meet the new one', async () => {
    const { dataDir, file } = await usedDataDir();
    writeFileSync(file, GARBAGE);
    writeFileSync(`${file}-wal`, 'log');
    open(dataDir);
    expect(readFileSync(`${file}.damaged-20261126T120000Z-wal`, 'utf8')).toBe('log');
  });

  it('never takes the place of another that was moved aside in the same second', async () => {
    const { dataDir, file } = await usedDataDir();
    for (const text of ['first '.repeat(900), 'second '.repeat(900)]) {
      writeFileSync(file, text);
      open(dataDir).close();
    }
    expect(readFileSync(`${file}.damaged-20261126T120000Z`, 'utf8')).toContain('first');
    expect(readFileSync(`${file}.damaged-20261126T120000Z-2`, 'utf8')).toContain('second');
  });
});

describe('a database that does not know what lies beside it', () => {
  it.each<[string, (file: string) => void]>([
    ['is gone', (file) => rmSync(file)],
    ['is empty, as after a power failure', (file) => replace(file, '')],
  ])('as it %s learns it again', async (_what, lose) => {
    const { dataDir, file, known } = await usedDataDir();
    lose(file);
    const { store } = open(dataDir);
    expect(store.recovery).toEqual({ indexed: { runs: 2, artifacts: 1 } });
    expect(store.getRun(known.good?.id ?? '')).toEqual(known.good);
  });

  it('as it is an older copy is brought up to date', async () => {
    const { dataDir, file, known } = await usedDataDir();
    copyFileSync(file, `${file}.copy`);
    const { store, close } = open(dataDir);
    expect(store.recovery).toEqual({ indexed: { runs: 0, artifacts: 0 } });
    const { id } = store.createRun(BENCH);
    store.cancelRun(id);
    close();
    copyFileSync(`${file}.copy`, file);
    const restored = open(dataDir).store;
    expect(restored.recovery.indexed).toEqual({ runs: 1, artifacts: 0 });
    expect(restored.getRun(id)?.state).toBe('cancelled');
    expect(restored.getRun(known.good?.id ?? '')).toEqual(known.good);
  });

  it('learns nothing from records that are cut short, of another run, or of another type', async () => {
    const { dataDir, file, known } = await usedDataDir();
    const record = (id: string | undefined) => join(dataDir, 'runs', id ?? '', 'record.json');
    const good = JSON.parse(readFileSync(record(known.good?.id), 'utf8')) as { row: object };
    for (const [id, text] of [
      ['01ARZ3NDEKTSV4RRFFQ69G5FA1', '{"format":"ptq-agent run 1","row":{"id":"01ARZ3ND'],
      ['01ARZ3NDEKTSV4RRFFQ69G5FA2', JSON.stringify(good)],
      ['01ARZ3NDEKTSV4RRFFQ69G5FA3', JSON.stringify({ format: 'other', row: good.row })],
      [
        '01ARZ3NDEKTSV4RRFFQ69G5FA4',
        JSON.stringify({
          ...good,
          row: { ...good.row, id: '01ARZ3NDEKTSV4RRFFQ69G5FA4', created_ms: 'now' },
        }),
      ],
      ['01ARZ3NDEKTSV4RRFFQ69G5FA5', 'null'],
    ] as const) {
      mkdirSync(join(dataDir, 'runs', id));
      writeFileSync(record(id), text);
    }
    // An artifact whose weights are not all there is none.
    truncateSync(join(dataDir, 'artifacts', `${HASH}.onnx.data`), 3);
    rmSync(file);
    expect(open(dataDir).store.recovery).toEqual({ indexed: { runs: 2, artifacts: 0 } });
  });

  it('keeps records of runs that an earlier version left without one', async () => {
    const { dataDir, file, known } = await usedDataDir();
    rmSync(join(dataDir, 'runs'), { recursive: true });
    const { store, close } = open(dataDir);
    expect([store.keepMissingRecords(1), store.keepMissingRecords(9), store.keepMissingRecords(9)]).toEqual([
      1, 1, 0,
    ]);
    close();
    rmSync(file);
    expect(open(dataDir).store.getRun(known.good?.id ?? '')).toEqual(known.good);
  });
});

describe('a log that a crash tore', () => {
  /** What a power failure leaves: the files of an open database, as they were at one moment. */
  function crashed() {
    const dataDir = temporaryFolder();
    const { store, close } = open(dataDir);
    const ids = Array.from({ length: 20 }, () => store.createRun(BENCH).id);
    const copy = temporaryFolder();
    for (const name of ['state.db', 'state.db-wal', 'state.db-shm'])
      copyFileSync(join(dataDir, name), join(copy, name));
    close();
    return { copy, ids, wal: join(copy, 'state.db-wal') };
  }

  it('holds what was committed before the tear', () => {
    const { copy, ids, wal } = crashed();
    truncateSync(wal, readFileSync(wal).length - 6000);
    const { store } = open(copy);
    expect(store.recovery).toEqual({ indexed: { runs: 0, artifacts: 0 } });
    const known = ids.filter((id) => store.getRun(id) !== undefined);
    expect(known.length).toBeGreaterThan(0);
    expect(known).toEqual(ids.slice(0, known.length));
  });

  it('is not believed beyond a page that does not fit its check sum', () => {
    const { copy, ids, wal } = crashed();
    const length = readFileSync(wal).length;
    overwrite(wal, length - 9000, length - 8000);
    const { store } = open(copy);
    expect(store.recovery).toEqual({ indexed: { runs: 0, artifacts: 0 } });
    expect(store.getRun(ids[0] ?? '')).toBeDefined();
    expect(store.getRun(ids[19] ?? '')).toBeUndefined();
  });

  it('needs no index', () => {
    const { copy, ids } = crashed();
    writeFileSync(join(copy, 'state.db-shm'), GARBAGE);
    const { store } = open(copy);
    expect(ids.map((id) => store.getRun(id)?.id)).toEqual(ids);
  });
});

describe('a database of another program', () => {
  it.each<[string, string]>([
    ['has other tables', 'CREATE TABLE albums (name TEXT)'],
    ['says so', 'PRAGMA application_id = 42; CREATE TABLE runs (id TEXT)'],
  ])('that %s is refused and stays as it is', (_what, statements) => {
    const dataDir = temporaryFolder();
    const file = join(dataDir, 'state.db');
    const db = new Database(file);
    db.exec(statements);
    db.close();
    const before = readFileSync(file);
    expect(openStore(dataDir, clock)).toMatchObject({
      ok: false,
      error: { kind: 'store-foreign', place: { file } },
    });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('state.db'))).toEqual(['state.db']);
  });
});

describe('the folder for what is being made', () => {
  it('is the own one of each process, and goes with it', () => {
    const dataDir = temporaryFolder();
    const { store, close } = open(dataDir);
    writeFileSync(join(store.temporaryFolder, 'half'), '');
    close();
    expect(readdirSync(join(dataDir, 'tmp'))).toEqual([]);
  });

  it('is emptied of what crashes left there, and of nothing that is not ours', () => {
    const dataDir = temporaryFolder();
    const tmp = join(dataDir, 'tmp');
    const left = ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '.ptq-agent-Xy12Ab', 'ptq-agent-spool-77-abcdef'];
    for (const name of [...left, 'systemd-private-1', 'work']) {
      mkdirSync(join(tmp, name), { recursive: true });
      writeFileSync(join(tmp, name, 'file'), '');
    }
    writeFileSync(join(tmp, '01ARZ3NDEKTSV4RRFFQ69G5FAV.onnx'), 'as earlier versions named it');
    writeFileSync(join(tmp, 'notes.txt'), '');
    const { store } = open(dataDir);
    expect(readdirSync(tmp).sort()).toEqual(
      [store.temporaryFolder.split('/').at(-1), 'notes.txt', 'systemd-private-1', 'work'].sort(),
    );
    expect(existsSync(join(tmp, 'work/file'))).toBe(true);
  });
});

/** Another file of that name: a connection that this process closed stays open until it is collected. */
function replace(file: string, text: string): void {
  rmSync(file);
  writeFileSync(file, text);
}

function overwrite(file: string, from: number, to: number): void {
  writeFileSync(file, readFileSync(file).fill(0x37, from, to));
}
