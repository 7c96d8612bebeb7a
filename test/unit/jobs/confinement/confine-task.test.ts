import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { confinementOf } from '../../../../src/jobs/confinement/confine-task.ts';
import { type ConfinedEntry, entryBySettings } from '../../../../src/jobs/confinement/confined-entry.ts';
import { unconfinedParts } from '../../../../src/jobs/confinement/confinement-trial.ts';
import { filesOfTask } from '../../../../src/jobs/confinement/task-files.ts';
import { workerEnvironment } from '../../../../src/jobs/confinement/worker-environment.ts';
import { DEFAULT_LIMITS, wallSecondsOf } from '../../../../src/jobs/confinement/worker-limits.ts';
import type { WorkerTask } from '../../../../src/jobs/worker-protocol.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const ENTRY: ConfinedEntry = {
  main: new URL('file:///opt/node_modules/ptq-agent/dist/jobs/worker-main.js'),
  launcher: new URL('file:///opt/node_modules/ptq-agent/dist/confinement/launch-main.cjs'),
  mode: 'auto',
  limits: DEFAULT_LIMITS,
};
const GRANT = {
  temporaryFolder: '/tmp/own',
  environment: {},
  deviceNames: ['null', 'nvidia0', 'dri', 'sda'],
};
const INSPECT: WorkerTask = { kind: 'inspect', modelPath: '/models/m.onnx', audit: false };

describe('the files of a task', () => {
  it('are those of the model and all that its data names', () => {
    const spec = {
      path: '/data/pictures',
      labels: { file: '/labels/l.csv', masks: '/masks' },
      inputs: { ids: { tokenize: { tokenizer: '/tokens/tokenizer.json' } } },
      preprocess: { tokenize: { tokenizer: '/other/tokenizer.json' } },
    };
    const files = filesOfTask({
      kind: 'quantize',
      modelPath: '/models/m.onnx',
      data: { spec, split: 'all' },
      outputPath: '/out/.scratch/m.onnx',
      saveRangesPath: '/ranges/r.json',
      rangesCache: { folder: '/cache' },
    } as never);
    expect(new Set(files?.readable)).toEqual(
      new Set(['/models', '/data/pictures', '/labels/l.csv', '/masks', '/tokens', '/other']),
    );
    expect(files?.writable).toEqual(['/out/.scratch', '/ranges', '/cache']);
    expect(files?.device).toBe('cpu');
  });

  it('are of an evaluation also every candidate, the module of the task, its vocabulary and the caches', () => {
    const files = filesOfTask({
      kind: 'evaluate',
      reference: { variant: 'fp32', path: '/a/m.onnx' },
      candidates: [{ variant: 'int8', path: '/b/q.onnx', changedItems: '/runs/1/changed.jsonl' }],
      data: { spec: { path: '' }, split: 'eval' },
      task: { module: '/p/mine/task.mjs', settings: { vocabulary: '/words.txt' } },
      outputsCache: { folder: '/outputs' },
      golden: { folder: '/golden' },
      trace: { folder: '/spool' },
    } as never);
    expect(files?.readable).toEqual(
      expect.arrayContaining(['/a', '/b', '/p/mine', '/p/node_modules', '/p/package.json', '/words.txt']),
    );
    expect(files?.readable).not.toContain('/p');
    expect(files?.writable).toEqual(['/runs/1', '/outputs', '/golden', '/spool']);
  });

  it('are also beside what the name of a model leads to, as its data files may lie there', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'blobs'));
    writeFileSync(join(folder, 'blobs', 'ab12'), '');
    symlinkSync(join(folder, 'blobs', 'ab12'), join(folder, 'model.onnx'));
    const files = filesOfTask({ ...INSPECT, modelPath: join(folder, 'model.onnx') } as WorkerTask);
    expect(files?.readable).toEqual([folder, join(folder, 'blobs')]);
  });

  it('are none where a task reads the host, which then is not confined', () => {
    for (const kind of ['doctor', 'inventory', 'gpu-examination'] as const) {
      expect(filesOfTask({ kind } as WorkerTask)).toBeUndefined();
      expect(confinementOf(ENTRY, { kind } as WorkerTask, GRANT)).toBeUndefined();
    }
  });
});

describe('the policy of a task', () => {
  it('names its files apart from those of the system, so that only these are held against the roots', () => {
    const policy = confinementOf({ ...ENTRY, roots: ['/models'] }, INSPECT, GRANT);
    expect(policy?.files.named).toEqual(['/models', '/models']);
    expect(policy?.files.roots).toEqual(['/models']);
    expect(policy?.files.writable).toEqual(['/tmp/own']);
    // This program where it is installed among others, and not what lies beside it.
    expect(policy?.files.readable).toEqual(
      expect.arrayContaining(['/opt/node_modules/ptq-agent/dist', '/opt/node_modules', '/usr', '/proc']),
    );
    for (const path of ['/', '/etc', '/home', '/root', '/opt', '/opt/node_modules/ptq-agent', '/var', '/tmp'])
      expect(policy?.files.readable).not.toContain(path);
  });

  it('gives devices and sockets of this host to what runs on a GPU alone', () => {
    expect(confinementOf(ENTRY, INSPECT, GRANT)).toMatchObject({ sockets: 'none' });
    expect(confinementOf(ENTRY, INSPECT, GRANT)?.files.devices).not.toContain('/dev/nvidia0');
    const onGpu = confinementOf(ENTRY, { kind: 'device-trial', device: 'cuda' }, GRANT);
    expect(onGpu?.sockets).toBe('local');
    expect(onGpu?.files.devices).toEqual(expect.arrayContaining(['/dev/nvidia0', '/dev/dri', '/dev/null']));
    expect(onGpu?.files.devices).not.toContain('/dev/sda');
    expect(onGpu?.files).toMatchObject({ listed: ['/dev'], rewritable: ['/proc/self/task'] });
    expect(confinementOf(ENTRY, INSPECT, GRANT)?.files).toMatchObject({ listed: [], rewritable: [] });
  });

  it('lets scripts be read that every process of the program is to load first', () => {
    const switches = [
      '--require',
      '/a/node_modules/tsx/dist/x.cjs',
      '--import=file:///b/hook.mjs',
      '--expose-gc',
    ];
    const environment = { NODE_OPTIONS: '--max-old-space-size=9 --require=/c/first.cjs' };
    const { readable = [] } = confinementOf(ENTRY, INSPECT, { ...GRANT, switches, environment })?.files ?? {};
    expect(readable).toEqual(expect.arrayContaining(['/a/node_modules', '/b', '/c']));
    expect(readable).not.toContain('.');
  });

  it('lets a system under test write for captures, and nobody else', () => {
    const entry = { ...ENTRY, capturesFolder: '/captures' };
    const sut = {
      kind: 'sut',
      modelPath: '/m.onnx',
      device: 'cpu',
      data: { spec: { path: '' }, split: 'all' },
    };
    expect(confinementOf(entry, sut as WorkerTask, GRANT)?.files.writable).toContain('/captures');
    expect(confinementOf(entry, INSPECT, GRANT)?.files.writable).not.toContain('/captures');
  });

  it('takes limits and mode from the settings of the daemon', () => {
    const entry = entryBySettings(
      ENTRY,
      {
        confinement: 'required',
        maxCpuSeconds: 7,
        maxOpenFiles: 99,
        maxFileBytes: 5,
        niceness: 3,
        maxSeconds: 11,
        maxMemoryBytes: 13,
      },
      { temporaryFolder: '/t', capturesFolder: '/t/captures', roots: ['/r'] },
    );
    expect(entry).toMatchObject({ mode: 'required', temporaryFolder: '/t', roots: ['/r'] });
    expect(entry.limits).toEqual({
      memoryBytes: 13,
      openFiles: 99,
      fileSizeBytes: 5,
      cpuSeconds: 7,
      wallSeconds: 11,
      niceness: 3,
    });
    expect(confinementOf(entry, INSPECT, { ...GRANT, memoryBytes: 1000 })?.limits).toEqual({
      openFiles: 99,
      fileSizeBytes: 5,
      cpuSeconds: 7,
      niceness: 3,
      dataBytes: 2000 + 4 * 2 ** 30,
    });
    expect(confinementOf({ ...entry, mode: 'off' }, INSPECT, GRANT)).toBeUndefined();
  });

  it('has a time for every task but a benchmark, whose suite says how long it takes', () => {
    expect(wallSecondsOf(DEFAULT_LIMITS, 'inspect')).toBe(3600);
    expect(wallSecondsOf({ ...DEFAULT_LIMITS, wallSeconds: 5 }, 'inspect')).toBe(5);
    expect(wallSecondsOf({ ...DEFAULT_LIMITS, wallSeconds: 5 }, 'sut')).toBeUndefined();
  });
});

describe('the variables of a worker', () => {
  it('are those of drivers and runtimes, none that is a secret, and its own temporary folder', () => {
    const given = {
      PATH: '/bin',
      LC_ALL: 'C',
      CUDA_VISIBLE_DEVICES: '0',
      PTQ_AGENT_DEBUG: '1',
      PTQ_AGENT_TOKEN: 'x',
      ORT_API_KEY: 'x',
      HTTPS_PROXY: 'x',
      npm_config_registry: 'x',
      AWS_PROFILE: 'x',
      TMPDIR: '/elsewhere',
    };
    expect(workerEnvironment(given, '/own')).toEqual({
      PATH: '/bin',
      LC_ALL: 'C',
      CUDA_VISIBLE_DEVICES: '0',
      PTQ_AGENT_DEBUG: '1',
      TMPDIR: '/own',
    });
    expect(workerEnvironment(given, undefined)).not.toHaveProperty('TMPDIR');
  });
});

it('what a host cannot keep workers from is told with what it takes', () => {
  const all = { files: true, network: true, programs: true, newPrivileges: true };
  expect(unconfinedParts(all)).toEqual([]);
  expect(unconfinedParts({ ...all, files: false })).toMatchObject([
    { needs: expect.stringContaining('Landlock') },
  ]);
  expect(unconfinedParts({ ...all, network: false, programs: false, newPrivileges: false })).toHaveLength(3);
});
