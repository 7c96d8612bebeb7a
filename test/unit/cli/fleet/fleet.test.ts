import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fleetCommand } from '../../../../src/cli/commands/fleet.ts';
import type { RunNews } from '../../../../src/jobs/run-feed.ts';
import type { RunView } from '../../../../src/jobs/run-view.ts';
import { answering } from '../../../support/answering.ts';
import { capturedTerminal } from '../../../support/captured-terminal.ts';
import { benchResultOf, pipelineResultOf } from '../../../support/pipeline-result.ts';
import { ID, OPEN, serve, TOKEN } from '../../../support/server.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const CLOSED = '127.0.0.1:2';
const GUARDED = { ...OPEN, guardsReading: true };

/** The command as a user runs it. */
async function run(...words: readonly string[]) {
  const { terminal, out, err } = capturedTerminal();
  let code = 0;
  const command = fleetCommand(terminal, (given) => {
    code = given;
  });
  for (const one of [command, ...command.commands])
    one.exitOverride().configureOutput({ writeErr: () => {} });
  await command.parseAsync(words, { from: 'user' });
  return { code, out: out(), err: err() };
}

/** A daemon that has run one benchmark, in which a query took so long. */
async function agentWith(seconds: number, access = OPEN) {
  const rounds = [0, 1, 2].map((at) => ({
    ...{ round: at, process: at, durationSeconds: 1, queries: 10, otherCpuCores: 0 },
    ...{ medianSeconds: seconds * (1 + at / 1000), throughput: 1 / seconds },
  }));
  const result = pipelineResultOf({
    variants: [{ variant: 'fp32', sizeBytes: 1, bench: [benchResultOf('fp32', { rounds })], speedUps: [] }],
  });
  const view: RunView = {
    ...{ id: ID, kind: 'bench', model: 'tiny', state: 'succeeded', request: { kind: 'bench' } },
    ...{ priority: 'normal', attempt: 1, createdMs: 0, startedMs: 1, finishedMs: 2, result },
  };
  const { app } = serve(
    {
      listRuns: ({ state }) => (state === 'succeeded' ? [view] : []),
      getRun: () => view,
      followRun: (_id: string, _after: string | undefined, tell: (news: RunNews) => void) => {
        tell({ id: 'a-1', kind: 'end', run: view });
        return () => {};
      },
    },
    { access },
  );
  return new URL(await app.listen({ host: '127.0.0.1', port: 0 })).host;
}

function fileOf(content: unknown): string {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
  return file;
}

describe('fleet status', () => {
  it('shows every agent, the classes of hosts, and why one does not answer', async () => {
    const targets = fileOf([{ targets: [await agentWith(0.001), CLOSED], labels: {} }]);
    const shown = await run('status', '--targets', targets);
    expect(shown.code).toBe(1);
    expect(shown.out).toMatch(/^127\.0\.0\.1:\d+ +ready +1\.2\.3 +A /m);
    expect(shown.out).toMatch(/^127\.0\.0\.1:2 +unreachable +– /m);
    expect(shown.out).toContain('class A: a processor × 2, ONNX Runtime 1.30.0 (1 host)');
    expect(shown.out).toMatch(/^127\.0\.0\.1:2 is unreachable: .*ECONNREFUSED/m);
    expect(shown.out).toMatch(/^1 of 2 agents are ready$/m);
  });

  it('is done where all are ready, and prints JSON alone', async () => {
    const sd = await answering(() => ({ body: [] }));
    const agent = await agentWith(0.001);
    const shown = await run('status', '--json', '--agent', agent, '--sd', sd.href);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(shown.out)).toMatchObject({
      agents: [{ agent, state: 'ready', url: `http://${agent}` }],
    });
  });

  it('shows each agent the token of its own, and no other', async () => {
    const first = await agentWith(0.001, GUARDED);
    const second = await agentWith(0.001, { ...GUARDED, token: 'another-token-of-some-length' });
    const folder = join(temporaryFolder(), 'tokens');
    mkdirSync(folder);
    writeFileSync(join(folder, first), `${TOKEN}\n`);
    const both = ['status', '--json', '--agent', first, '--agent', second, '--token-dir', folder];
    const states = ({ out }: { out: string }) =>
      (JSON.parse(out) as { agents: { state: string }[] }).agents.map(({ state }) => state);
    expect(states(await run(...both))).toEqual(['ready', 'refused']);
    const rest = fileOf('another-token-of-some-length');
    expect(states(await run(...both, '--token-file', rest))).toEqual(['ready', 'ready']);
  });

  it.each([
    [[], /nothing says which agents the fleet has \[no-agents\]/],
    [['--agent', 'a b'], /\[target-malformed\]/],
    [['--targets', '/gone'], /cannot be read \(ENOENT\)/],
    [['--agent', CLOSED, '--token-dir', '/gone'], /this is no folder/],
    [['--agent', CLOSED, '--token-file', '/gone'], /\[token-unreadable\]/],
    [['--kubernetes-api', `http://${CLOSED}`], /\[discovery-unreachable\]/],
  ])('says what is wrong with %j', async (words, message) => {
    const shown = await run('status', ...words);
    expect(shown).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
  });

  it.each([
    ['--sd', 'ftp://h'],
    ['--prometheus', 'x'],
    ['--parallel', '0'],
    ['--timeout', '5'],
    ['--scheme', 'gopher'],
  ])('refuses %s %s', async (...words) => {
    await expect(run('status', ...words)).rejects.toThrow(/invalid/);
  });
});

describe('fleet compare', () => {
  it('names the slower host, and who could not be asked', async () => {
    const fast = await agentWith(0.001);
    const slow = await agentWith(0.002);
    const shown = await run('compare', 'tiny', '--agent', slow, '--agent', fast, '--agent', CLOSED);
    expect(shown).toMatchObject({ code: 1, err: expect.stringContaining('ECONNREFUSED') });
    expect(shown.out).toMatch(
      /^tiny\/fp32, profile\/single-stream on cpu, 1 thread, batch 1, concurrency 1$/m,
    );
    expect(shown.out).toContain(`speed against ${fast}`);
    expect(shown.out).toMatch(new RegExp(`^slower: ${slow}, in 1 of 1 measurement$`, 'm'));
  });

  it('is done where none is slower, in JSON too', async () => {
    const agents = [await agentWith(0.001), await agentWith(0.001)];
    const options = agents.flatMap((agent) => ['--agent', agent]);
    expect(await run('compare', ...options)).toMatchObject({
      ...{ code: 0, err: '' },
      out: expect.stringContaining('no host is shown to be slower'),
    });
    expect(JSON.parse((await run('compare', '--json', ...options)).out)).toMatchObject({
      ...{ alone: [], failed: [] },
      comparisons: [{ basis: 'rounds', hosts: [{ runs: 1 }, { runs: 1 }] }],
    });
  });
});

describe('fleet bench', () => {
  const token = () => ['--token-file', fileOf(TOKEN)];

  it('measures on all hosts, and holds the hosts against each other', async () => {
    const fast = await agentWith(0.001);
    const slow = await agentWith(0.002);
    const shown = await run('bench', 'tiny', '--agent', fast, '--agent', slow, '--repeat', '3', ...token());
    expect(shown.code).toBe(1);
    expect(shown.out.match(/succeeded +fp32 +single-stream/g)).toHaveLength(6);
    expect(shown.out).toContain(`slower: ${slow}, in 1 of 1 measurement`);
    expect(shown.err).toContain(`${fast}: run ${ID}`);
  });

  it('tells what became of hosts without a result', async () => {
    const agents = ['--agent', await agentWith(0.001), '--agent', CLOSED];
    const shown = await run('bench', 'tiny', '-q', ...agents);
    expect(shown.code).toBe(1);
    expect(shown.out).toMatch(/failed .*needs a token.*--token-file or --token-dir/);
    expect(shown.out).toMatch(/^127\.0\.0\.1:2 +unreachable/m);
  });
});

describe('fleet sd', () => {
  it('prints what Prometheus reads', async () => {
    const { code, out } = await run('sd', '--agent', 'gpu-1:9477', '--agent', 'https://gpu-2');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      { targets: ['gpu-1:9477'], labels: {} },
      { targets: ['gpu-2:443'], labels: { __scheme__: 'https' } },
    ]);
  });

  it('refuses what nobody can listen at', async () => {
    await expect(run('sd', '--agent', 'a:1', '--listen', 'nonsense')).rejects.toThrow(/HOST:PORT/);
  });
});
