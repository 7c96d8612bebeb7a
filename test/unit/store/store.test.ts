import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { problem } from '../../../src/core/problem.ts';
import { openStore, type Store } from '../../../src/store/store.ts';

let dataDir = '';
let opened: Store[] = [];
let wallMs = 0;

const clock: Clock = { nowNs: () => 0n, wallMs: () => wallMs };

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ptq-store-'));
  wallMs = 1_790_000_000_000;
});

afterEach(() => {
  for (const store of opened) store.close();
  opened = [];
  rmSync(dataDir, { recursive: true });
});

function open(): Store {
  const result = openStore(dataDir, clock);
  if (!result.ok) throw new Error(result.error.message);
  opened.push(result.value);
  return result.value;
}

function close(store: Store): void {
  store.close();
  opened = opened.filter((other) => other !== store);
}

const BENCH = { kind: 'bench', model: 'digits', request: { scenario: 'offline' } } as const;

describe('runs', () => {
  it('go from queued over running to succeeded, with the times of each step', () => {
    const store = open();
    const created = store.createRun(BENCH);
    expect(created).toEqual({
      ...BENCH,
      ...{ id: created.id, state: 'queued', priority: 'normal', attempt: 1, createdMs: 1_790_000_000_000 },
    });
    wallMs += 10;
    expect(store.startRun(created.id)).toMatchObject({
      ok: true,
      value: { state: 'running', startedMs: wallMs },
    });
    wallMs += 10;
    const finished = store.finishRun(created.id, { queries: 5n, latency: [0.1, 0.2] });
    expect(finished).toEqual({
      ok: true,
      value: {
        ...created,
        state: 'succeeded',
        startedMs: 1_790_000_000_010,
        finishedMs: 1_790_000_000_020,
        result: { queries: '5', latency: [0.1, 0.2] },
      },
    });
    expect(store.getRun(created.id)).toEqual(finished.ok && finished.value);
  });

  it('fail with the problem, also before they started', () => {
    const store = open();
    const reason = problem('model-refused', 'the model has no outputs', { place: { file: 'm.onnx' } });
    const { id } = store.createRun(BENCH);
    expect(store.failRun(id, reason)).toMatchObject({
      ok: true,
      value: { state: 'failed', problem: reason },
    });
    expect(store.getRun(id)?.startedMs).toBeUndefined();
  });

  it('refuse a step that their state does not allow, and stay as they are', () => {
    const store = open();
    const { id } = store.createRun(BENCH);
    expect(store.finishRun(id, {})).toMatchObject({ ok: false, error: { kind: 'run-state-conflict' } });
    expect(store.getRun(id)?.state).toBe('queued');
    expect(store.cancelRun(id)).toMatchObject({ ok: true, value: { state: 'cancelled' } });
    for (const late of [store.startRun(id), store.cancelRun(id), store.failRun(id, problem('x', 'x'))]) {
      expect(late).toMatchObject({ ok: false, error: { kind: 'run-state-conflict' } });
    }
    expect(store.getRun(id)?.state).toBe('cancelled');
  });

  it('that are not there are no runs', () => {
    const store = open();
    expect(store.getRun("' OR 1=1 --")).toBeUndefined();
    expect(store.startRun('01ARZ3NDEKTSV4RRFFQ69G5FAV')).toMatchObject({
      ok: false,
      error: { kind: 'run-not-found' },
    });
  });

  it('are listed newest first, by model and state, page by page', () => {
    const store = open();
    const ids = ['a', 'b', 'a', 'b', 'a'].map((model) => store.createRun({ ...BENCH, model }).id);
    store.startRun(ids[0] ?? '');
    const list = (query: Partial<Parameters<Store['listRuns']>[0]>): readonly number[] =>
      store.listRuns({ limit: 10, ...query }).map(({ id }) => ids.indexOf(id));
    expect(list({})).toEqual([4, 3, 2, 1, 0]);
    expect(list({ model: 'a' })).toEqual([4, 2, 0]);
    expect(list({ model: 'a', state: 'running' })).toEqual([0]);
    expect(list({ limit: 2 })).toEqual([4, 3]);
    expect(list({ limit: 2, before: ids[3] ?? '' })).toEqual([2, 1]);
    expect(store.countRuns()).toEqual({ queued: 4, running: 1 });
  });

  it('tell when the newest benchmarks were ordered, the oldest of them first', () => {
    const store = open();
    const startMs = wallMs;
    for (const model of ['a', 'b', 'a', 'a']) {
      store.createRun({ ...BENCH, model });
      wallMs += 1000;
    }
    store.createRun({ kind: 'pipeline', model: 'a', request: null });
    const orders = (query: { model?: string; limit: number }) =>
      store.benchOrders(query).map((ms) => ms - startMs);
    expect(orders({ limit: 10 })).toEqual([0, 1000, 2000, 3000]);
    expect(orders({ limit: 2 })).toEqual([2000, 3000]);
    expect(orders({ model: 'a', limit: 10 })).toEqual([0, 2000, 3000]);
    expect(orders({ model: "' OR 1=1 --", limit: 10 })).toEqual([]);
  });

  it('survive the daemon; what was running when it died is interrupted at the next start', () => {
    const store = open();
    const waiting = store.createRun(BENCH);
    const running = store.createRun(BENCH);
    store.startRun(running.id);
    close(store);

    const next = open();
    wallMs += 60_000;
    expect(next.interruptRunning()).toMatchObject([
      { id: running.id, state: 'interrupted', finishedMs: wallMs, problem: { kind: 'interrupted' } },
    ]);
    expect(next.getRun(waiting.id)?.state).toBe('queued');
    expect(next.interruptRunning()).toEqual([]);
  });

  it('have ids in the order in which they were ordered, however the clock is set, and across restarts', () => {
    const ids: string[] = [];
    for (const setMs of [0, -86_400_000, 5, -5, 86_400_000, 0]) {
      wallMs += setMs;
      const store = open();
      for (let run = 0; run < 3; run += 1) ids.push(store.createRun(BENCH).id);
      close(store);
    }
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    const store = open();
    expect(store.listRuns({ limit: 50 }).map(({ id }) => id)).toEqual(ids.toReversed());
    expect(store.nextQueued()?.id).toBe(ids[0]);
  });

  it('are removed with their files and the keys of their orders', async () => {
    const store = open();
    const key = { key: 'mine', digest: 'd' };
    const [gone, stays] = [store.createRun({ ...BENCH, key }), store.createRun(BENCH)];
    for (const { id } of [gone, stays]) writeFileSync(join(store.runDirectory(id), 'timeline.ptqt'), 'x');
    store.cancelRun(gone.id);
    await store.removeRun(gone.id);
    expect(store.getRun(gone.id)).toBeUndefined();
    expect(store.findOrder('mine')).toBeUndefined();
    expect(readdirSync(join(dataDir, 'runs'))).toEqual([stays.id]);
    expect(readdirSync(store.temporaryFolder)).toEqual([]);
    close(store);
    // Nor does the next daemon find it again.
    expect(open().getRun(gone.id)).toBeUndefined();
  });

  it('have a folder of their own, which nothing but an id can name', () => {
    const store = open();
    const { id } = store.createRun(BENCH);
    expect(store.runDirectory(id)).toBe(join(dataDir, 'runs', id));
    expect(statSync(join(dataDir, 'runs', id)).isDirectory()).toBe(true);
    expect(() => store.runDirectory('../../etc')).toThrow(TypeError);
  });
});

describe('artifacts', () => {
  const HASH = 'ab'.repeat(32);
  const description = {
    hash: HASH,
    model: 'digits',
    variant: 'int8',
    recipe: { format: 'static-int8' },
    report: { quantized: 7 },
  };

  function written(store: Store, text: string): string {
    const file = store.temporaryFile(HASH);
    writeFileSync(file, text);
    return file;
  }

  it('are moved to the place that their hash names, and found there by the next daemon', async () => {
    const store = open();
    const file = written(store, 'model bytes');
    const artifact = {
      ...description,
      path: join(dataDir, 'artifacts', `${HASH}.onnx`),
      sizeBytes: 11,
      createdMs: wallMs,
    };
    expect(store.findArtifact(HASH)).toBeUndefined();
    expect(await store.publishArtifact(file, description)).toEqual({ ok: true, value: artifact });
    expect(readFileSync(artifact.path, 'utf8')).toBe('model bytes');
    expect(existsSync(file)).toBe(false);
    close(store);
    expect(open().findArtifact(HASH)).toEqual(artifact);
  });

  it('are never overwritten: a second one of the same hash is dropped', async () => {
    const store = open();
    const first = await store.publishArtifact(written(store, 'first'), description);
    const second = written(store, 'again');
    expect(await store.publishArtifact(second, description)).toEqual(first);
    expect(existsSync(second)).toBe(false);
    expect(readFileSync(join(dataDir, 'artifacts', `${HASH}.onnx`), 'utf8')).toBe('first');
  });

  it('whose file is gone or cut short are not found, and can be made again', async () => {
    const store = open();
    const result = await store.publishArtifact(written(store, 'model bytes'), description);
    const path = result.ok ? result.value.path : '';
    truncateSync(path, 5);
    expect(store.findArtifact(HASH)).toBeUndefined();
    rmSync(path);
    expect(store.findArtifact(HASH)).toBeUndefined();
    await store.publishArtifact(written(store, 'model bytes'), description);
    expect(store.findArtifact(HASH)?.sizeBytes).toBe(11);
  });

  it('are not published from a file that is not there', async () => {
    const store = open();
    const file = store.temporaryFile(HASH);
    expect(await store.publishArtifact(file, description)).toMatchObject({
      ok: false,
      error: { kind: 'artifact-not-published', message: expect.stringContaining('ENOENT'), place: { file } },
    });
    expect(store.findArtifact(HASH)).toBeUndefined();
  });

  it('keep their external data beside them, which is part of what makes them whole', async () => {
    const store = open();
    const file = written(store, 'model');
    writeFileSync(`${file}.data`, 'weights');
    const published = await store.publishArtifact(file, description);
    expect(published).toMatchObject({ ok: true, value: { sizeBytes: 12 } });
    const path = published.ok ? published.value.path : '';
    expect(readFileSync(`${path}.data`, 'utf8')).toBe('weights');
    expect(existsSync(`${file}.data`)).toBe(false);
    rmSync(`${path}.data`);
    expect(store.findArtifact(HASH)).toBeUndefined();
    // Made again without, it has none of the first one's.
    writeFileSync(`${path}.data`, 'stale');
    await store.publishArtifact(written(store, 'one file'), description);
    expect(existsSync(`${path}.data`)).toBe(false);
    expect(store.findArtifact(HASH)?.sizeBytes).toBe(8);
  });

  it('are removed whole, unless somebody holds them', async () => {
    const store = open();
    const file = written(store, 'model');
    writeFileSync(`${file}.data`, 'weights');
    await store.publishArtifact(file, description);
    const [one, other] = [store.holdArtifact(HASH), store.holdArtifact(HASH)];
    one();
    expect(await store.removeArtifact(HASH)).toBe(false);
    expect(store.findArtifact(HASH)).toBeDefined();
    other();
    expect(await store.removeArtifact(HASH)).toBe(true);
    expect(store.findArtifact(HASH)).toBeUndefined();
    expect(readdirSync(join(dataDir, 'artifacts'))).toEqual([]);
    expect(readdirSync(store.temporaryFolder)).toEqual([]);
    expect(await store.removeArtifact(HASH)).toBe(false);
  });

  it('that a crash left half written are removed at the next start', () => {
    const store = open();
    const file = written(store, 'half');
    close(store);
    open();
    expect(existsSync(file)).toBe(false);
  });

  it.each(['../../etc/passwd', 'AB'.repeat(32), ''])('cannot be named "%s"', (hash) => {
    const store = open();
    expect(() => store.findArtifact(hash)).toThrow(TypeError);
  });
});

describe('openStore', () => {
  it('makes the data directory, and leaves a database that is complete without its log', () => {
    const nested = join(dataDir, 'a', 'b');
    const result = openStore(nested, clock);
    if (!result.ok) throw new Error(result.error.message);
    const { id } = result.value.createRun(BENCH);
    result.value.close();
    copyFileSync(join(nested, 'state.db'), join(dataDir, 'state.db'));
    expect(open().getRun(id)).toMatchObject(BENCH);
  });

  it('refuses a directory that another store has open, naming the process', () => {
    const store = open();
    expect(openStore(dataDir, clock)).toMatchObject({
      ok: false,
      error: {
        kind: 'data-dir-in-use',
        message: `another ptq-agent uses the data directory (process ${process.pid})`,
        place: { file: dataDir },
      },
    });
    close(store);
    expect(openStore(dataDir, clock)).toMatchObject({ ok: true });
  });

  it('is kept out by another process, and let in as soon as that was killed', async () => {
    const module = join(import.meta.dirname, '../../../src/store/store.ts');
    const script = `const { openStore } = await import(${JSON.stringify(module)});
      const result = openStore(${JSON.stringify(dataDir)});
      const { id } = result.value.createRun({ kind: 'bench', model: 'digits', request: {} });
      result.value.startRun(id);
      console.log(id);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(openStore(dataDir, clock)).toMatchObject({
      ok: false,
      error: { kind: 'data-dir-in-use', message: expect.stringContaining(`process ${child.pid}`) },
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(open().getRun(line.toString().trim())?.state).toBe('running');
  });

  it('refuses a database that a newer version wrote', async () => {
    close(open());
    const file = join(dataDir, 'state.db');
    const bytes = readFileSync(file);
    // The user version is a big-endian integer at offset 60 of the header (SQLite file format, 1.3).
    bytes.writeUInt32BE(99, 60);
    writeFileSync(file, bytes);
    expect(openStore(dataDir, clock)).toMatchObject({
      ok: false,
      error: { kind: 'store-too-new', place: { file }, message: expect.stringContaining('version 99') },
    });
  });

  it('names a data directory that cannot be made', () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    expect(openStore(join(file, 'data'), clock)).toMatchObject({
      ok: false,
      error: { kind: 'data-dir-not-writable', message: expect.stringContaining('ENOTDIR') },
    });
  });

  it('names a lock file that is none', () => {
    writeFileSync(join(dataDir, 'lock.db'), 'garbage '.repeat(100));
    expect(openStore(dataDir, clock)).toMatchObject({
      ok: false,
      error: {
        kind: 'store-corrupt',
        place: { file: join(dataDir, 'lock.db') },
        hint: expect.stringContaining('remove it'),
      },
    });
  });
});
