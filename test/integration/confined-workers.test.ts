import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ConfinedEntry } from '../../src/jobs/confinement/confined-entry.ts';
import { DEFAULT_LIMITS } from '../../src/jobs/confinement/worker-limits.ts';
import { runTask, type WorkerControls, WorkerProcess } from '../../src/jobs/worker-process.ts';
import type { WorkerTask } from '../../src/jobs/worker-protocol.ts';
import { hostileWorker } from '../support/hostile-worker.ts';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt } from '../support/program.ts';

const MEGABYTE = 1e6;

/** The real one. */
const WORKER_ENTRY: ConfinedEntry = {
  main: new URL('../../dist/jobs/worker-main.js', import.meta.url),
  launcher: new URL('../../dist/confinement/launch-main.cjs', import.meta.url),
  mode: 'required',
  limits: DEFAULT_LIMITS,
};

const cannot =
  process.platform !== 'linux'
    ? 'only Linux has Landlock'
    : !['x64', 'arm64'].includes(process.arch)
      ? `nobody looked up the system calls of ${process.arch}`
      : undefined;

describe.skipIf(cannot !== undefined)(`a confined worker (skipped: ${cannot})`, { timeout: 120_000 }, () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ptq-test-')));
  const models = join(folder, 'models');
  const model = join(models, 'model.onnx');
  const secret = join(folder, 'secret');
  const written = join(folder, 'written');
  let server: Server;
  let port: number;

  beforeAll(async () => {
    for (const path of [models, written]) mkdirSync(path);
    writeFileSync(model, 'a model');
    writeFileSync(secret, 'nobody is to see this');
    symlinkSync(secret, join(models, 'link'));
    server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** Has a worker do something that is confined to the description of the model in `models`, or to another task. */
  const attempt = async (
    deed: string,
    settings: Parameters<typeof hostileWorker>[1] = {},
    controls: WorkerControls = {},
  ) => {
    const task: WorkerTask = { kind: 'inspect', modelPath: model, audit: false };
    const worker = new WorkerProcess({ entry: hostileWorker(folder, settings) }, { task, ...controls });
    const answer = await worker.ask({ kind: 'inspect', modelPath: deed, audit: false });
    await worker.close();
    return answer.ok ? answer.value : answer.error;
  };
  const refused = (code: string) => ({ code });

  it('reads the folder of its model, and writes to its folder for temporary files, which goes with it', async () => {
    expect(await attempt(`read:${model}`)).toEqual({ done: 7 });
    const { done: temporary } = (await attempt('temporary:')) as { readonly done: string };
    expect(temporary).toContain(join(folder, 'tmp', 'ptq-agent-worker-'));
    expect(existsSync(temporary)).toBe(false);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  it('takes folders away whose makers were killed', async () => {
    const left = join(folder, 'tmp', `ptq-agent-worker-${2 ** 22 + 1}-abcdef`);
    mkdirSync(left);
    await attempt(`read:${model}`);
    expect(existsSync(left)).toBe(false);
  });

  it.each([
    ['read', 'a file elsewhere'],
    ['readInPool', 'a file elsewhere by a thread of the pool'],
    ['readInThread', 'a file elsewhere by a thread of its own'],
    ['append', 'a file elsewhere to write to it'],
    ['cut', 'a file elsewhere to cut it'],
    ['remove', 'the folder of a file elsewhere to remove it'],
  ])('cannot open (%s) %s', async (deed) => {
    expect(await attempt(`${deed}:${secret}`)).toEqual(refused('EACCES'));
    expect(readFileSync(secret, 'utf8')).toBe('nobody is to see this');
  });

  it('cannot follow a link out of its folder, nor list another, nor see what its parent holds', async () => {
    expect(await attempt(`read:${join(models, 'link')}`)).toEqual(refused('EACCES'));
    expect(await attempt(`list:${folder}`)).toEqual(refused('EACCES'));
    expect(await attempt(`read:/proc/${process.pid}/environ`)).toEqual(refused('EACCES'));
    expect(await attempt('read:/etc/passwd')).toEqual(refused('EACCES'));
  });

  it('opens what its task names only where that lies in the roots by then, whatever its name leads to', async () => {
    const task: WorkerTask = { kind: 'inspect', modelPath: join(models, 'link'), audit: false };
    // Without roots a model may be a link, as it is in the caches of others.
    expect(await attempt(`read:${secret}`, {}, { task })).toEqual({ done: 21 });
    expect(await attempt(`read:${secret}`, { roots: [models] }, { task })).toEqual(refused('EACCES'));
    expect(await attempt(`read:${model}`, { roots: [models] }, { task })).toEqual({ done: 7 });
    expect(await attempt(`read:${model}`, { roots: [written] }, { task })).toEqual(refused('EACCES'));
  });

  it('writes only to what its task writes to, and leaves no link for others to follow', async () => {
    expect(await attempt(`write:${model}`)).toEqual(refused('EACCES'));
    expect(await attempt(`write:${join(written, 'file')}`)).toEqual(refused('EACCES'));
    expect(await attempt(`write:${join(written, 'file')}`, {}, { writable: [written] })).toEqual({
      done: null,
    });
    expect(await attempt(`link:${secret}`)).toEqual(refused('EACCES'));
    expect(readFileSync(model, 'utf8')).toBe('a model');
  });

  it('makes no socket, to this host or another', async () => {
    expect(await attempt(`connect:${port}`)).toEqual(refused('EACCES'));
    expect(await attempt('datagram:')).toEqual(refused('EACCES'));
    expect(await attempt('connectLocally:/run/docker.sock')).toEqual(refused('EACCES'));
  });

  it('makes sockets to this host alone where it drives a GPU, and none of the network', async () => {
    const task: WorkerTask = { kind: 'device-trial', device: 'cuda' };
    expect(await attempt('connectLocally:/run/nobody-listens', {}, { task })).toEqual(
      expect.objectContaining({ code: expect.stringMatching(/ENOENT|ECONNREFUSED/) }),
    );
    expect(await attempt(`connect:${port}`, {}, { task })).toEqual(refused('EACCES'));
  });

  it('sees by name which GPUs there are where it drives one, and opens no other device', async () => {
    const task: WorkerTask = { kind: 'device-trial', device: 'cuda' };
    expect(await attempt('list:/dev', {}, { task })).toEqual({ done: expect.any(Number) });
    expect(await attempt('read:/dev/tty', {}, { task })).toEqual(refused('EACCES'));
    expect(await attempt('list:/dev')).toEqual(refused('EACCES'));
  });

  it('names its threads where it drives a GPU, as CUDA does, and changes nothing else of the system', async () => {
    const task: WorkerTask = { kind: 'device-trial', device: 'cuda' };
    expect(await attempt('nameThread:', {}, { task })).toEqual({ done: 'named' });
    expect(await attempt('nameThread:')).toEqual(refused('EACCES'));
    expect(await attempt('append:/proc/sys/vm/drop_caches', {}, { task })).toEqual(refused('EACCES'));
    expect(await attempt(`append:/proc/${process.pid}/comm`, {}, { task })).toEqual(refused('EACCES'));
  });

  it('starts no program, and signals none but itself', async () => {
    expect(await attempt('start:true')).toEqual(refused('EACCES'));
    expect(await attempt(`signal:${process.pid}`)).toEqual(refused('EPERM'));
    expect(await attempt('signalOneself:')).toEqual({ done: true });
  });

  it('has no privileges and no way to new ones, in any of its threads, and dumps no core', async () => {
    expect(await attempt('standing:')).toEqual({
      done: {
        seccomp: ['2'],
        noNewPrivileges: ['1'],
        // Of root the rights to files of others, which Landlock narrows.
        capabilities: process.getuid?.() === 0 ? '0000000000000006' : '0000000000000000',
        core: '0',
        pid: expect.any(Number),
      },
    });
  });

  it('gets the variables of drivers and of this program, and no tokens or proxies', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://user:password@proxy');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
    vi.stubEnv('PTQ_AGENT_TOKEN', 'x');
    vi.stubEnv('OMP_NUM_THREADS', '3');
    const { done } = (await attempt('variables:')) as { readonly done: Record<string, string> };
    vi.unstubAllEnvs();
    expect(done).toMatchObject({ OMP_NUM_THREADS: '3', PATH: process.env['PATH'] });
    expect(Object.keys(done)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/PROXY|AWS|TOKEN|CHANNEL/)]),
    );
  });

  it('loads first what NODE_OPTIONS names, when it is confined', async () => {
    const first = join(folder, 'program', 'first.mjs');
    writeFileSync(first, "globalThis.process.env['FIRST'] = 'was here';");
    vi.stubEnv('NODE_OPTIONS', `--import ${first}`);
    const answer = await attempt('variables:');
    vi.unstubAllEnvs();
    expect(answer).toMatchObject({ done: { FIRST: 'was here' } });
  });

  it('has so many files open and no more, and writes files so large and no larger', async () => {
    expect(await attempt('open:', { limits: { openFiles: 100 } })).toEqual(refused('EMFILE'));
    expect(await attempt('fill:', { limits: { fileSizeBytes: 50 * MEGABYTE } })).toEqual(refused('EFBIG'));
    expect(await attempt('fill:')).toEqual({ done: null });
  });

  it('is ended when it has computed for too long', async () => {
    expect(await attempt('spin:', { limits: { cpuSeconds: 1 } })).toMatchObject({
      kind: 'cpu-limit-exceeded',
      message: expect.stringContaining('more CPU time than it may have'),
      hint: expect.stringContaining('raise the limit'),
    });
  });

  it('is ended when it has not answered for too long', async () => {
    expect(await attempt('wait:', { limits: { wallSeconds: 1 } })).toMatchObject({
      kind: 'time-limit-exceeded',
      message: 'the worker did not answer within the 1 s that it may take',
      hint: expect.stringContaining('raise the limit'),
    });
  });

  it('is ended when it takes too much memory, and gets none that it asks for at once beyond that', async () => {
    expect(await attempt('grow:', { limits: { memoryBytes: 300 * MEGABYTE } })).toMatchObject({
      kind: 'memory-limit-exceeded',
    });
    // Twice the limit and 4 GiB are what it may ask for; V8 asks the kernel, which says no.
    const { memoryBytes, bytes } = { memoryBytes: 10 * MEGABYTE, bytes: 2 ** 32 };
    expect(await attempt(`allocate:${bytes}`, { limits: { memoryBytes } })).not.toMatchObject({
      done: bytes,
    });
  });

  it('gives way to other processes where it is told to', async () => {
    expect(await attempt('niceness:', { limits: { niceness: 7 } })).toEqual({ done: 7 });
  });

  it.skipIf(!isBuilt).each([
    ['reads what is none of its business', `readFileSync('${'/etc/passwd'}')`, 'EACCES'],
    ['writes beside itself', "writeFileSync(new URL('./left', import.meta.url), 'x')", 'EACCES'],
    ['starts a program', "execFileSync('true')", 'EACCES'],
    [
      'calls home',
      'await new Promise((go, fail) => createConnection(PORT, "127.0.0.1").on("error", fail).on("connect", go))',
      'EACCES',
    ],
  ])('keeps a module of the user in its place that %s', async (_what, deed, code) => {
    const module = join(models, 'mine.mjs');
    writeFileSync(
      module,
      `import { execFileSync } from 'node:child_process';
      import { readFileSync, writeFileSync } from 'node:fs';
      import { createConnection } from 'node:net';
      const PORT = ${port};
      export async function preprocess({ fields }) { ${deed}; return {}; }`,
    );
    const data = { spec: { path: DIGITS_DATA, module }, split: 'eval' };
    const answer = await runTask(
      { entry: WORKER_ENTRY },
      {
        kind: 'evaluate',
        reference: { variant: 'fp32', path: DIGITS_MODEL },
        candidates: [{ variant: 'same', path: DIGITS_MODEL }],
        data,
        task: { name: 'fidelity', settings: {} },
        budget: {},
        threads: 1,
        samples: 2,
      },
    );
    expect(answer).toMatchObject({
      error: { kind: 'preprocess-module-failed', message: expect.stringContaining(code) },
    });
    expect(existsSync(join(models, 'left'))).toBe(false);
  });

  it('may do all of that where nothing is to be confined', async () => {
    expect(await attempt(`read:${secret}`, { mode: 'off' })).toEqual({ done: 21 });
    expect(await attempt(`connect:${port}`, { mode: 'off' })).toEqual({ done: 'connect' });
  });

  it('does not start where it has to be confined and cannot be', async () => {
    // A list of files that is none.
    const launcher = join(folder, 'launcher.cjs');
    writeFileSync(
      launcher,
      "process.stderr.write('cannot confine: landlock_create_ruleset failed with errno 38\\n'); process.exit(1);",
    );
    expect(await attempt(`read:${model}`, { launcher: new URL(`file://${launcher}`) })).toMatchObject({
      kind: 'cannot-confine-worker',
      message: 'the worker cannot be confined: landlock_create_ruleset failed with errno 38',
      hint: expect.stringContaining('doctor'),
    });
  });
});
