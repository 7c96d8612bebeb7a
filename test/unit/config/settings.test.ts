import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLoopback, parseListenAddress } from '../../../src/config/listen-address.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { STORAGE_DEFAULTS } from '../../../src/config/storage-settings.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ptq-settings-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function settingsFile(text: string): Promise<string> {
  const file = join(folder, 'agent.yaml');
  await writeFile(file, text);
  return file;
}

const SERVICE = { log: { level: 'info', requests: false }, stopGraceMs: 10_000 };

describe('loadSettings', () => {
  it('needs no file', async () => {
    expect(await loadSettings(undefined)).toEqual({
      ok: true,
      value: {
        listen: { host: '127.0.0.1', port: 9477 },
        profilesDir: resolve('profiles'),
        dataDir: resolve('.ptq-agent'),
        tokenFile: resolve('.ptq-agent/token'),
        samplerIntervalMs: 250,
        ...SERVICE,
        traces: { logdir: resolve('.ptq-agent/traces'), maxCount: 50, maxBytes: 5 * 2 ** 30 },
        storage: STORAGE_DEFAULTS,
        watch: { confirm: true, confirmationsPerDay: 4 },
        profiler: { listen: { host: '127.0.0.1', port: 6009 }, isDefault: true },
        roots: [resolve('profiles'), resolve('suites')],
        workers: { confinement: 'auto' },
      },
    });
  });

  it('says what to do about what is watched', async () => {
    const file = await settingsFile('watch: { confirm: false }\n');
    expect(await loadSettings(file)).toMatchObject({
      ok: true,
      value: { watch: { confirm: false, confirmationsPerDay: 4 } },
    });
    const wrong = await loadSettings(
      await settingsFile('watch: { confirmationsPerDay: 0, confrim: true }\n'),
    );
    expect(wrong.ok ? [] : wrong.error.map(({ place }) => place?.field)).toEqual([
      '/watch/confirmationsPerDay',
      '/watch/confrim',
    ]);
  });

  it('takes a webhook with its secrets in files beside the settings', async () => {
    const file = await settingsFile(
      'watch: { webhook: { urlFile: hook.url, tokenFile: /etc/hook.token, externalUrl: "https://gpu-1:9477" } }\n',
    );
    expect(await loadSettings(file)).toMatchObject({
      ok: true,
      value: {
        watch: {
          webhook: {
            urlFile: join(folder, 'hook.url'),
            tokenFile: '/etc/hook.token',
            externalUrl: 'https://gpu-1:9477',
          },
        },
      },
    });
    const plain = await loadSettings(
      await settingsFile('watch: { webhook: { url: "http://10.0.0.1/hook" } }\n'),
    );
    expect(plain).toMatchObject({ ok: true, value: { watch: { webhook: { url: 'http://10.0.0.1/hook' } } } });
  });

  it.each([
    ['{}', '/watch/webhook'],
    ['{ url: "http://a/", urlFile: b }', '/watch/webhook'],
    ['{ url: "ftp://a/secret" }', '/watch/webhook/url'],
    ['{ url: "secret" }', '/watch/webhook/url'],
    ['{ url: "https://me:secret@a/" }', '/watch/webhook/url'],
    ['{ url: "http://10.0.0.1/", tokenFile: t }', '/watch/webhook/url'],
    ['{ url: "http://a/", externalUrl: "javascript:alert(1)" }', '/watch/webhook/externalUrl'],
    ['{ urL: "http://a/" }', '/watch/webhook/urL'],
  ])(
    'refuses a webhook that cannot be, without repeating what may be a secret: %s',
    async (webhook, field) => {
      const loaded = await loadSettings(await settingsFile(`watch: { webhook: ${webhook} }\n`));
      if (loaded.ok) throw new Error('it was taken');
      expect(loaded.error.map(({ place }) => place?.field)).toEqual([field]);
      expect(JSON.stringify(loaded.error)).not.toContain('secret@');
      expect(JSON.stringify(loaded.error.map(({ message }) => message))).not.toContain('secret');
    },
  );

  it('takes the paths of the file from where the file is', async () => {
    const file = await settingsFile(
      'listen: "[::1]:9000"\nprofiles: models\ndataDir: /var/lib/ptq\nsampler: { interval: 1s }\nprofiler: off\n',
    );
    expect(await loadSettings(file)).toEqual({
      ok: true,
      value: {
        listen: { host: '::1', port: 9000 },
        profilesDir: join(folder, 'models'),
        dataDir: '/var/lib/ptq',
        tokenFile: '/var/lib/ptq/token',
        samplerIntervalMs: 1000,
        ...SERVICE,
        traces: { logdir: '/var/lib/ptq/traces', maxCount: 50, maxBytes: 5 * 2 ** 30 },
        roots: [join(folder, 'models'), join(folder, 'suites')],
        workers: { confinement: 'auto' },
        storage: STORAGE_DEFAULTS,
        watch: { confirm: true, confirmationsPerDay: 4 },
      },
    });
  });

  it('lets models and data lie in other folders where it is told, in the file or over it', async () => {
    const file = await settingsFile('roots: [data, /srv/models]\n');
    const rootsOf = async (overrides = {}) => {
      const loaded = await loadSettings(file, { profiles: '/profiles', ...overrides });
      return loaded.ok ? loaded.value.roots : loaded.error;
    };
    const always = ['/profiles', '/suites'];
    expect(await rootsOf()).toEqual([...always, join(folder, 'data'), '/srv/models']);
    expect(await rootsOf({ roots: ['/mnt'] })).toEqual([...always, '/mnt']);
  });

  it('limits workers as the file says, and refuses limits that none could start with', async () => {
    const workers = { confinement: 'required', maxMemoryBytes: 2 ** 30, maxSeconds: 60, niceness: 5 };
    const file = await settingsFile(`workers: ${JSON.stringify(workers)}\n`);
    expect(await loadSettings(file)).toMatchObject({ ok: true, value: { workers } });
    const other = await settingsFile(
      'workers: { confinement: perhaps, maxOpenFiles: 3, maxMemoryBytes: 1 }\n',
    );
    const refused = await loadSettings(other);
    expect(refused.ok ? [] : refused.error.map(({ place }) => place?.field)).toEqual([
      '/workers/confinement',
      '/workers/maxOpenFiles',
      '/workers/maxMemoryBytes',
    ]);
  });

  it('says what to log and how long a run may go on when the daemon stops', async () => {
    const file = await settingsFile('log: { level: warn, requests: true }\nstop: { grace: 2m }\n');
    const expected = { log: { level: 'warn', requests: true }, stopGraceMs: 120_000 };
    expect(await loadSettings(file)).toMatchObject({ ok: true, value: expected });
    const debugged = { log: { level: 'debug', requests: true } };
    expect(await loadSettings(file, { logLevel: 'debug' })).toMatchObject({ ok: true, value: debugged });
  });

  it.each([
    ['log: { level: loud }', '/log/level'],
    ['log: { request: true }', '/log/request'],
    ['stop: { grace: 25h }', '/stop/grace'],
    ['stop: { grace: soon }', '/stop/grace'],
  ])('refuses %s', async (text, field) => {
    const file = await settingsFile(`${text}\n`);
    expect(await loadSettings(file)).toMatchObject({ ok: false, error: [{ place: { field, line: 1 } }] });
  });

  it('lets the command line win, with paths from the working directory', async () => {
    const file = await settingsFile('listen: 127.0.0.1:1\nprofiles: models\ndataDir: data\n');
    const result = await loadSettings(file, { listen: 'localhost:0', profiles: 'here', dataDir: '/there' });
    expect(result).toMatchObject({
      ok: true,
      value: { listen: { host: 'localhost', port: 0 }, profilesDir: resolve('here'), dataDir: '/there' },
    });
  });

  it('offers captures where it is told, or not at all', async () => {
    const file = await settingsFile('profiler: 127.0.0.1:7000\n');
    expect(await loadSettings(file)).toMatchObject({
      value: { profiler: { listen: { host: '127.0.0.1', port: 7000 }, isDefault: false } },
    });
    expect(await loadSettings(file, { profiler: '[::1]:0' })).toMatchObject({
      value: { profiler: { listen: { host: '::1', port: 0 }, isDefault: false } },
    });
    const off = await loadSettings(file, { profiler: 'off' });
    expect(off.ok && 'profiler' in off.value).toBe(false);
  });

  it('offers captures to programs of this machine alone, as clients cannot say who they are', async () => {
    const file = await settingsFile('profiler: 0.0.0.0:6009\n');
    expect(await loadSettings(file)).toMatchObject({
      error: [{ kind: 'public-profiler-address', place: { file, line: 1, field: '/profiler' } }],
    });
    expect(await loadSettings(undefined, { profiler: 'on' })).toMatchObject({
      error: [
        {
          kind: 'invalid-listen-address',
          place: { field: '--profiler' },
          hint: 'write HOST:PORT, such as 127.0.0.1:6009, or off',
        },
      ],
    });
  });

  it('finds the web configuration and the token relative to the file that names them', async () => {
    const file = await settingsFile('webConfig: web.yaml\ntokenFile: secrets/token\n');
    expect(await loadSettings(file)).toMatchObject({
      value: { webConfigFile: join(folder, 'web.yaml'), tokenFile: join(folder, 'secrets/token') },
    });
    expect(await loadSettings(file, { webConfig: '/w.yaml', tokenFile: '/t' })).toMatchObject({
      value: { webConfigFile: '/w.yaml', tokenFile: '/t' },
    });
  });

  it('keeps of the data directory what the file says, and otherwise what the defaults say', async () => {
    const file = await settingsFile(
      'storage: { maxBytes: 5000, artifacts: { maxAge: 36h, maxCount: 3 }, runs: { maxAge: 0.5d } }\n',
    );
    expect(await loadSettings(file)).toMatchObject({
      value: {
        storage: {
          ...STORAGE_DEFAULTS,
          maxBytes: 5000,
          artifacts: { maxAgeMs: 36 * 3600e3, maxCount: 3 },
          runs: { maxAgeMs: 12 * 3600e3, maxCount: 10_000 },
        },
      },
    });
    const wrong = await settingsFile(
      'storage: { maxBytes: 0, caches: { maxAge: 30 }, runs: { maxAge: 5m } }\n',
    );
    expect(await loadSettings(wrong)).toMatchObject({
      error: [
        { place: { field: '/storage/maxBytes' } },
        { place: { field: '/storage/caches/maxAge' } },
        { place: { field: '/storage/runs/maxAge' } },
      ],
    });
  });

  it('keeps traces where the file says, and so many of them', async () => {
    const file = await settingsFile('traces: { logdir: shown, maxCount: 3 }\n');
    expect(await loadSettings(file)).toMatchObject({
      value: { traces: { logdir: join(folder, 'shown'), maxCount: 3, maxBytes: 5 * 2 ** 30 } },
    });
    expect(await loadSettings(await settingsFile('traces: { maxCount: 0, keep: 1 }\n'))).toMatchObject({
      error: [{ place: { field: '/traces/maxCount' } }, { place: { field: '/traces/keep' } }],
    });
  });

  it('takes an empty file as one that asks for the defaults', async () => {
    expect(await loadSettings(await settingsFile('# nothing yet\n'))).toEqual(await loadSettings(undefined));
  });

  it('reports every error of the file with its line and field', async () => {
    const file = await settingsFile('listne: 127.0.0.1:1\ndataDir: 3\nsampler: { intervall: 1s }\n');
    const result = await loadSettings(file);
    expect(result).toMatchObject({
      ok: false,
      error: [
        { kind: 'unknown-field', hint: 'did you mean "listen"?', place: { file, line: 1, field: '/listne' } },
        { kind: 'invalid-value', place: { line: 2, column: 10, field: '/dataDir' } },
        { kind: 'unknown-field', hint: 'did you mean "interval"?', place: { line: 3 } },
      ],
    });
  });

  it('refuses an address and an interval at the place that gave them', async () => {
    const file = await settingsFile('listen: 0.0.0.0\nsampler:\n  interval: 5ms\n');
    expect(await loadSettings(file)).toMatchObject({
      ok: false,
      error: [
        { kind: 'invalid-listen-address', place: { file, line: 1, field: '/listen' } },
        { kind: 'invalid-value', place: { line: 3, field: '/sampler/interval' } },
      ],
    });
    expect(await loadSettings(undefined, { listen: '0.0.0.0' })).toMatchObject({
      ok: false,
      error: [{ kind: 'invalid-listen-address', place: { field: '--listen' } }],
    });
  });

  it('names a file that cannot be read', async () => {
    const file = join(folder, 'none.yaml');
    expect(await loadSettings(file)).toMatchObject({
      ok: false,
      error: [{ kind: 'settings-not-found', place: { file } }],
    });
  });
});

describe('parseListenAddress', () => {
  it.each([
    ['127.0.0.1:9477', '127.0.0.1', 9477],
    ['127.8.9.10:1', '127.8.9.10', 1],
    ['[::1]:9477', '::1', 9477],
    ['[0:0:0:0:0:0:0:1]:65535', '0:0:0:0:0:0:0:1', 65_535],
    ['localhost:0', 'localhost', 0],
  ])('accepts %s', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ ok: true, value: { host, port } });
  });

  it.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['0:0:0:0:0:0:0:1', true],
    ['LocalHost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.1.4', false],
    ['fe80::1', false],
    ['example.org', false],
    ['127.0.0.1.example.org', false],
  ])('knows whether others can reach %s', (host, isLocal) => {
    expect(isLoopback(host)).toBe(isLocal);
  });

  it.each([
    '',
    '9477',
    ':9477',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '::1:9477',
    '[127.0.0.1]:1',
    '[::1]',
    'a b:1',
  ])('says how to write "%s"', (text) => {
    expect(parseListenAddress(text)).toMatchObject({ ok: false, error: { kind: 'invalid-listen-address' } });
  });
});
