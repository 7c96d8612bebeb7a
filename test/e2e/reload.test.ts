import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Daemon, ended, firstRun, startDaemon, until } from '../support/daemon.ts';
import { isBuilt, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Status {
  readonly successful: boolean;
  readonly trigger: string;
  readonly succeededAt?: string;
  readonly problems: readonly {
    readonly kind: string;
    readonly place: { readonly file: string; readonly line: number };
  }[];
  readonly changes: {
    readonly models: Readonly<Record<'added' | 'removed' | 'changed', readonly string[]>>;
    readonly settings: readonly string[];
    readonly restartNeeded: readonly string[];
  };
}

async function start(names: readonly string[], settings = '') {
  const folder = temporaryFolder();
  const [profiles, dataDir, config] = [
    join(folder, 'profiles'),
    join(folder, 'data'),
    join(folder, 'agent.yaml'),
  ];
  mkdirSync(profiles);
  for (const name of names) writeProfile(profiles, name);
  writeFileSync(config, settings);
  const daemon = await startDaemon(profiles, dataDir, { args: ['--config', config] });
  onTestFinished(async () => {
    daemon.child.kill('SIGKILL');
    await daemon.finished;
  });
  return { daemon, profiles, config, dataDir };
}

const statusOf = async (daemon: Daemon) => (await (await daemon.get('/-/reload')).json()) as Status;
const metricsOf = async (daemon: Daemon) => (await daemon.get('/metrics')).text();
const modelsOf = async (daemon: Daemon) =>
  ((await (await daemon.get('/')).json()) as { models: readonly string[] }).models;

/** Waits for a status. */
const statusThat = (daemon: Daemon, is: (status: Status) => boolean) =>
  until(async () => {
    const status = await statusOf(daemon);
    return is(status) ? status : undefined;
  });

describe.skipIf(!isBuilt)('A daemon whose configuration changes', { timeout: 180_000 }, () => {
  it('takes up what is good, and leaves everything as it was where one file is bad', async () => {
    const { daemon, profiles } = await start(['tiny']);
    writeProfile(profiles, 'other');
    const { changes } = await statusThat(daemon, ({ changes: { models } }) => models.added.length > 0);
    expect(changes).toEqual({
      models: { added: ['other'], removed: [], changed: [] },
      settings: [],
      restartNeeded: [],
    });
    expect(await modelsOf(daemon)).toEqual(['other', 'tiny']);

    // Good and bad at the same time: the good part waits for the bad one.
    writeProfile(profiles, 'third');
    writeFileSync(join(profiles, 'other/profile.yaml'), 'name: other\nmodel: [\n');
    const { problems, succeededAt } = await statusThat(daemon, ({ successful }) => !successful);
    expect(problems[0]).toMatchObject({
      kind: 'yaml-syntax',
      place: { file: join(profiles, 'other/profile.yaml'), line: expect.any(Number) },
    });
    expect(succeededAt).toMatch(/Z$/);
    expect(await modelsOf(daemon)).toEqual(['other', 'tiny']);
    expect(await metricsOf(daemon)).toContain('ptq_config_last_reload_successful 0\n');
    expect(daemon.stderr()).toMatch(/"level":50.*other\/profile\.yaml","line":3/);
    const refused = await daemon.post('/-/reload', {});
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({
      type: '/problems/config-refused',
      errors: [{ file: join(profiles, 'other/profile.yaml'), line: expect.any(Number) }],
    });

    writeProfile(profiles, 'other');
    await statusThat(daemon, ({ successful }) => successful);
    expect(await modelsOf(daemon)).toEqual(['other', 'third', 'tiny']);
    expect(await metricsOf(daemon)).toContain('ptq_config_last_reload_successful 1\n');
  });

  it('fails what waits for a model that is removed, and lets what is under way end', async () => {
    const { daemon, profiles } = await start(['tiny']);
    const first = await firstRun(daemon);
    await until(async () => ((await daemon.run(first.id)).state === 'running' ? true : undefined));
    const waiting = await daemon.order({ model: 'tiny' });
    // As a deployment does that puts another set of profiles in its place.
    renameSync(join(profiles, 'tiny'), join(profiles, '..', 'tiny-gone'));
    const { trigger } = await statusThat(daemon, ({ changes: { models } }) =>
      models.removed.includes('tiny'),
    );
    expect(trigger).toBe('files');
    expect(await daemon.run(waiting.id)).toMatchObject({
      state: 'failed',
      problem: { kind: 'unknown-model' },
    });
    expect(await ended(daemon, first.id)).toMatchObject({
      state: 'succeeded',
      result: { variants: [{}, {}] },
    });
    // Its result is kept, and nothing of it is exported.
    expect(await metricsOf(daemon)).not.toContain('model="tiny"');
    expect((await daemon.post('/bench', { model: 'tiny' })).status).toBe(422);

    renameSync(join(profiles, '..', 'tiny-gone'), join(profiles, 'tiny'));
    await statusThat(daemon, ({ changes: { models } }) => models.added.includes('tiny'));
    expect(await metricsOf(daemon)).toMatch(/ptq_bench_valid\{model="tiny"/);
  });

  it('runs a variant that is added, and shows one that is removed no more', async () => {
    const { daemon, profiles } = await start(['tiny']);
    const first = await firstRun(daemon);
    await ended(daemon, first.id);
    expect(await metricsOf(daemon)).toContain('variant="int8"');
    const file = join(profiles, 'tiny/profile.yaml');
    const text = readFileSync(file, 'utf8').replace(
      'name: int8, recipe: static-int8',
      'name: small, recipe: dynamic-int8',
    );
    writeFileSync(file, text);
    const run = await until(async () => (await daemon.runs()).find(({ id }) => id !== first.id));
    expect(await metricsOf(daemon)).not.toContain('variant="int8"');
    await ended(daemon, run.id);
    expect(await metricsOf(daemon)).toContain('variant="small"');
  });

  it('takes up settings at SIGHUP and by request, and says which need a restart', async () => {
    const { daemon, config, dataDir } = await start([]);
    expect(daemon.stderr()).not.toContain('"msg":"request"');
    writeFileSync(config, 'log: { requests: true }\nsampler: { interval: 1s }\ntokenFile: elsewhere\n');
    daemon.child.kill('SIGHUP');
    const { changes } = await statusThat(daemon, ({ changes: { settings } }) => settings.length > 0);
    expect([changes.settings, changes.restartNeeded]).toEqual([['sampler.interval', 'log'], ['tokenFile']]);
    expect(await metricsOf(daemon)).toContain('ptq_config_restart_needed 1\n');
    await until(() => daemon.stderr().includes('"route":"/metrics"') || undefined);

    // The file that stands for the token is what it was, and so is the token.
    writeFileSync(config, 'log: { level: error }\n');
    const answer = await daemon.post('/-/reload', {});
    expect(await answer.json()).toMatchObject({ successful: true, changes: { restartNeeded: [] } });
    const before = daemon.stderr();
    await daemon.get('/metrics');
    expect(daemon.stderr()).toBe(before);
    expect((await fetch(`${daemon.url}/-/reload`, { method: 'POST' })).status).toBe(401);
    expect(readFileSync(join(dataDir, 'token'), 'utf8')).not.toBe('');
  });

  it('goes by users and limits of a web configuration that changes', async () => {
    const folder = temporaryFolder();
    const web = join(folder, 'web.yaml');
    writeFileSync(web, '');
    const { daemon } = await start([], `webConfig: ${web}\n`);
    expect((await daemon.get('/bench')).status).toBe(200);
    // The password is "correct horse".
    writeFileSync(
      web,
      'basic_auth_users: { alice: "$2b$04$sRZOoqLSjA/Js6PXJ7W28e0j7KdORu66oIu2v5btefb.3hLZQGaPu" }\n',
    );
    await until(async () => ((await daemon.get('/bench')).status === 401 ? true : undefined));
    const authorization = `Basic ${Buffer.from('alice:correct horse').toString('base64')}`;
    expect((await fetch(`${daemon.url}/bench`, { headers: { authorization } })).status).toBe(200);
    // A mistake does not open what was closed.
    writeFileSync(web, 'basic_auth_users: { alice: "correct horse" }\n');
    await until(() => daemon.stderr().includes('was not taken up') || undefined);
    expect((await daemon.get('/bench')).status).toBe(401);
    expect(daemon.stderr()).not.toContain('correct horse');
    rmSync(web);
    daemon.child.kill('SIGHUP');
    await until(() => daemon.stderr().includes('web-config-not-found') || undefined);
    expect((await daemon.get('/bench')).status).toBe(401);
  });
});
