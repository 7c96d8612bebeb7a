import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { metricsUnderLoad } from '../perf/metrics-under-load.ts';
import { type Daemon, ended, startDaemon, until } from '../support/daemon.ts';
import { childrenOf, isBuilt, isRunning, runProgram, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const running: Daemon[] = [];

async function start(profiles: string, dataDir: string, args: readonly string[] = []): Promise<Daemon> {
  const daemon = await startDaemon(profiles, dataDir, { args });
  running.push(daemon);
  return daemon;
}

afterEach(async () => {
  for (const daemon of running.splice(0)) {
    daemon.child.kill('SIGKILL');
    await daemon.finished;
  }
});

/** Ends a daemon as an operator does, and makes sure that nothing of it is left. */
async function stop(daemon: Daemon): Promise<void> {
  const children = childrenOf(daemon.pid);
  daemon.child.kill('SIGTERM');
  expect(await daemon.finished).toMatchObject({ code: 0, stdout: '' });
  expect(children.filter(isRunning)).toEqual([]);
}

function workspace() {
  const folder = temporaryFolder();
  return { folder, profiles: join(folder, 'profiles'), dataDir: join(folder, 'data') };
}

/** The oldest run of a model. */
async function firstRun(daemon: Daemon, model: string) {
  return until(async () => (await daemon.runs()).filter((run) => run.model === model).at(-1));
}

describe.skipIf(!isBuilt)('ptq-agent serve (skipped where `npm run build` was not run)', () => {
  it('works through its models, takes orders, survives its workers, and keeps its results', async () => {
    const { folder, profiles, dataDir } = workspace();
    const random = join(folder, 'random.onnx');
    writeFileSync(random, randomBytes(5000));
    writeProfile(profiles, 'bad', { model: random });
    writeProfile(profiles, 'tiny');

    const first = await start(profiles, dataDir);
    const bad = await ended(first, (await firstRun(first, 'bad')).id);
    expect(bad).toMatchObject({ state: 'failed', problem: { kind: 'not-onnx' } });
    const full = await ended(first, (await firstRun(first, 'tiny')).id);
    expect(full).toMatchObject({ state: 'succeeded' });
    expect(full.result?.variants[1]?.quantization?.reused).toBe(false);

    const inUse = await runProgram(['serve', '--profiles', profiles, '--data-dir', dataDir]);
    expect(inUse).toMatchObject({ code: 2, stderr: expect.stringContaining(`(process ${first.pid})`) });
    const alsoInUse = await runProgram(['run', join(profiles, 'tiny'), '--data-dir', dataDir]);
    expect(alsoInUse).toMatchObject({ code: 2, stderr: expect.stringContaining('[data-dir-in-use]') });
    const address = new URL(first.url).host;
    const taken = ['serve', '--profiles', profiles, '--data-dir', `${dataDir}2`, '--listen', address];
    expect(await runProgram(taken)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[cannot-listen]'),
    });
    await stop(first);

    // What failed is not tried again as long as nothing changes, and a changed profile is a reason for another run.
    writeProfile(profiles, 'tiny', { duration: '2s' });
    const second = await start(profiles, dataDir);
    const metrics = await (await second.get('/metrics')).text();
    expect(metrics).toContain('ptq_model_size_bytes{model="tiny",variant="int8"}');
    expect(metrics).toContain('ptq_accuracy_verdict{model="tiny",variant="int8",verdict=');
    const next = await until(async () =>
      (await second.runs()).find(({ progress, model }) => progress?.phase === 'bench' && model === 'tiny'),
    );
    // One of them may still be finding out what the host is made of.
    for (const worker of childrenOf(second.pid, 'worker-main')) process.kill(worker, 'SIGKILL');
    // It is begun anew, once.
    expect(await ended(second, next.id)).toMatchObject({
      state: 'succeeded',
      attempt: 2,
      earlierProblem: { kind: 'worker-killed' },
      request: { reasons: ['profile'] },
    });
    expect((await second.runs()).filter(({ model }) => model === 'bad')).toHaveLength(1);
    const later = await second.order({ model: 'tiny', durationSeconds: 0.2 });
    expect(later.state).toBe('queued');
    const survived = await ended(second, later.id);
    expect(survived).toMatchObject({ state: 'succeeded' });
    expect(survived.result?.variants[1]?.quantization?.reused).toBe(true);
    await stop(second);
  }, 180_000);

  it('starts over where kill -9 has interrupted it, with nothing half done', async () => {
    const { profiles, dataDir } = workspace();
    writeProfile(profiles, 'tiny', { calibrationSamples: 256 });
    const killed = await start(profiles, dataDir);
    const { id } = await until(async () =>
      (await killed.runs()).find(({ progress }) => progress?.phase === 'calibrate'),
    );
    const children = childrenOf(killed.pid);
    expect(children.length).toBeGreaterThanOrEqual(2);
    killed.child.kill('SIGKILL');
    await killed.finished;
    await until(() => (children.some(isRunning) ? undefined : true));
    expect(readdirSync(join(dataDir, 'artifacts'))).toEqual([]);

    const restarted = await start(profiles, dataDir);
    expect(await ended(restarted, id)).toMatchObject({ state: 'interrupted' });
    // The folder of the one that was killed is gone.
    expect(readdirSync(join(dataDir, 'tmp'))).toHaveLength(1);
    const again = await until(async () => (await restarted.runs()).find((run) => run.id !== id));
    expect(await ended(restarted, again.id)).toMatchObject({
      state: 'succeeded',
      request: { reasons: ['interrupted'] },
    });
    expect(artifactsIn(dataDir)).toHaveLength(1);
    await stop(restarted);
  }, 90_000);

  it('ends at once on SIGTERM while a model is being loaded, where it has no time to end in order', async () => {
    const { profiles, dataDir } = workspace();
    writeProfile(profiles, 'tiny');
    const config = join(dirname(profiles), 'agent.yaml');
    writeFileSync(config, 'stop: { grace: 0s }\n');
    const daemon = await start(profiles, dataDir, ['--config', config]);
    await until(() => (daemon.stderr().includes('run started') ? true : undefined));
    await stop(daemon);
    const store = unwrap(openStore(dataDir));
    expect(store.countRuns()).toEqual({ interrupted: 1 });
    store.close();
  });

  it('serves without models where the folder of profiles is missing, and says so', async () => {
    const { profiles, dataDir } = workspace();
    const daemon = await start(profiles, dataDir);
    expect(await (await daemon.get('/')).json()).toMatchObject({ models: [] });
    expect((await daemon.get('/metrics')).status).toBe(200);
    expect(daemon.stderr()).toContain('there is no such folder of profiles');
    await stop(daemon);
  });

  it('answers scrapes while a worker keeps every core busy', async () => {
    // A loose bound, as the machine that runs the tests may be busy; `npm run perf` reports the figures.
    expect((await metricsUnderLoad(20, cpus().length)).maxMs).toBeLessThan(1000);
  }, 90_000);
});

function artifactsIn(dataDir: string): readonly string[] {
  return readdirSync(join(dataDir, 'artifacts')).filter((name) => name.endsWith('.onnx'));
}
