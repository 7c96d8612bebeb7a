import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Daemon, ended, type ShownRun, startDaemon, until } from '../support/daemon.ts';
import { isBuilt, runProgram, startProgram, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe.skipIf(!isBuilt)('commands with a daemon (skipped where `npm run build` was not run)', () => {
  let daemon: Daemon;
  let agent: readonly string[];
  const ask = (...words: readonly string[]) => runProgram([...words, ...agent]);

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ptq-test-'));
    const profiles = join(folder, 'profiles');
    mkdirSync(profiles);
    writeProfile(profiles, 'tiny', { duration: '100ms' });
    daemon = await startDaemon(profiles, join(folder, 'data'));
    agent = ['--agent', daemon.url, '--token-file', join(folder, 'data/token')];
    return async () => {
      daemon.child.kill('SIGKILL');
      await daemon.finished;
      rmSync(folder, { recursive: true, force: true });
    };
  }, 120_000);

  it('quantizes and evaluates there, and tells what came of it', async () => {
    const quantized = await ask('quantize', 'tiny', '--sampling', 'off', '--json', '-q');
    expect(quantized).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(quantized.stdout)).toMatchObject({
      ...{ kind: 'quantize', model: 'tiny', state: 'succeeded', request: { sampling: 'off' } },
      result: { variants: [{ variant: 'fp32' }, { variant: 'int8', quantization: {} }] },
    });
    const evaluated = await ask('evaluate', 'tiny', '--variants', 'int8', '--priority', 'high');
    expect(evaluated.code).toBe(0);
    expect(evaluated.stdout).toMatch(/^int8 +\d+ KiB +\d+\.\d\d % .* [a-z_]+$/m);
    expect(evaluated.stderr).toMatch(/^run [0-9A-Z]{26}/);
  }, 180_000);

  it('lists, shows, cancels and removes runs', async () => {
    const detached = await ask('bench', 'tiny', '--duration', '30s', '--detach');
    expect(detached).toMatchObject({ code: 0, stderr: '' });
    const id = detached.stdout.trim();
    const listed = await ask('runs', '--model', 'tiny', '--limit', '1', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { id, kind: 'bench', request: { durationSeconds: 30 } },
    ]);
    expect(await ask('runs', 'cancel', id)).toMatchObject({ code: 0, stdout: expect.stringContaining(id) });
    await ended(daemon, id);
    expect((await ask('runs', 'show', id)).stdout).toMatch(/^state +cancelled$/m);
    expect((await ask('runs', '--state', 'cancelled')).stdout).toContain(id);
    expect(await ask('runs', 'remove', id)).toMatchObject({ code: 0, stdout: `${id} is removed\n` });
    expect(await ask('runs', 'show', id, '--json')).toMatchObject({
      ...{ code: 2, stdout: '' },
      stderr: expect.stringContaining('[unknown-run]'),
    });
  }, 180_000);

  it('cancels the run at Ctrl-C', async () => {
    const program = startProgram(['run', 'tiny', ...agent]);
    onTestFinished(() => void program.child.kill('SIGKILL'));
    const id = await until(() => /^run ([0-9A-Z]{26})/.exec(program.stderr())?.[1]);
    program.signalGroup('SIGINT');
    expect(await program.finished).toMatchObject({
      ...{ code: 130, stdout: '' },
      stderr: expect.stringContaining(`run ${id} is cancelled`),
    });
    expect(await daemon.run(id)).toMatchObject({ kind: 'pipeline', state: 'cancelled' });
  }, 180_000);

  it('shows the models', async () => {
    // The daemon works through its models when it starts.
    await until(async () => {
      const runs = await daemon.runs();
      return runs.some(({ kind, state }: ShownRun) => kind === 'pipeline' && state === 'succeeded');
    });
    const models = await ask('models');
    expect(models.code).toBe(0);
    expect(models.stdout).toMatch(/^int8 +\d+ KiB +top1 .* [a-z_]+$/m);
    expect(models.stdout).toMatch(/^recommended: (fp32|int8): /m);
    expect(JSON.parse((await ask('models', 'tiny', '--json')).stdout)).toMatchObject({ name: 'tiny' });
  }, 180_000);

  it('says what is wrong with an order, a credential or an address', async () => {
    const token = join(temporaryFolder(), 'token');
    writeFileSync(token, 'another-token-of-some-length\n', { mode: 0o600 });
    const wrong = ['--agent', daemon.url, '--token-file', token];
    const refusals = await Promise.all([
      ask('run', 'nosuch'),
      ask('quantize', 'profiles/digits/digits.onnx'),
      ask('bench', 'tiny', '--data', 'random'),
      ask('evaluate', 'tiny', '--threads', '1024', '--samples', '5', '--variants', 'int9'),
      ask('models', 'nosuch'),
      runProgram(['run', 'tiny', ...wrong]),
      runProgram(['run', 'tiny', '--agent', 'http://127.0.0.1:9']),
      runProgram(['runs', '--agent', 'http://127.0.0.1:9']),
      runProgram(['runs', 'show']),
      runProgram(['run', 'tiny', '--detach']),
    ]);
    expect(refusals.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
      refusals.map(() => ({ code: 2, stdout: '' })),
    );
    const expected = [
      /no model 'nosuch' is registered \[unknown-model\]\n.*\n {2}what to do: registered are: tiny/,
      /'profiles\/digits\/digits.onnx' is a path \[bad-usage\]\n {2}what to do: registered are: tiny/,
      /--data cannot be ordered of a daemon/,
      /\[unknown-variant\]/,
      /\[no-such-model\]/,
      /\[unauthorized\]\n {2}what to do: .*--token-file/,
      /\[daemon-unreachable\]\n {2}what to do: start one with ptq-agent serve/,
      /\[daemon-unreachable\]/,
      /missing required argument 'id'/,
      /--detach is for what a daemon does \[bad-usage\]/,
    ];
    for (const [index, pattern] of expected.entries()) expect(refusals[index]?.stderr).toMatch(pattern);
  }, 120_000);
});
