import { describe, expect, it } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { problem } from '../../../src/core/problem.ts';
import { err } from '../../../src/core/result.ts';
import { benchFleet } from '../../../src/fleet/bench-fleet.ts';
import type { FleetAgent } from '../../../src/fleet/fleet-agent.ts';
import { inParallel } from '../../../src/fleet/in-parallel.ts';
import { lastMeasuredRuns } from '../../../src/fleet/measured-runs.ts';
import { surveyFleet } from '../../../src/fleet/survey.ts';
import { targetOf } from '../../../src/fleet/target.ts';
import type { RunNews } from '../../../src/jobs/run-feed.ts';
import { answering } from '../../support/answering.ts';
import { benchResultOf, pipelineResultOf } from '../../support/pipeline-result.ts';
import { ID, OPEN, serve, TOKEN } from '../../support/server.ts';
import { unwrap } from '../../support/unwrap.ts';

function agentAt(url: string | URL, token: string | undefined = TOKEN): FleetAgent {
  const target = unwrap(targetOf(new URL(url).origin, {}));
  return { target, client: createClient({ url, timeoutMs: 2000, ...(token === '' ? {} : { token }) }) };
}

async function served(...args: Parameters<typeof serve>) {
  return serve(...args).app.listen({ host: '127.0.0.1', port: 0 });
}

const PENDING: FleetAgent = {
  target: { name: 'node-3', url: null, labels: {}, note: 'its pod is Pending' },
  client: null,
};

/** Where nobody listens. */
const CLOSED = 'http://127.0.0.1:2';

const round = (process: number) => ({
  ...{ round: process, process, durationSeconds: 1, queries: 10, medianSeconds: 0.001, throughput: 1000 },
  otherCpuCores: 0,
});
const MEASURED = pipelineResultOf({
  variants: [
    {
      variant: 'fp32',
      sizeBytes: 1000,
      bench: [benchResultOf('fp32', { rounds: [0, 1, 2].map(round) })],
      speedUps: [],
    },
  ],
});

describe('surveyFleet', () => {
  it('tells of every agent how it is, also of those that do not answer', async () => {
    const slower = {
      base: 'fp32',
      candidate: 'int8',
      metric: 'throughput',
      outcome: 'slower',
      valid: true,
    } as const;
    const figures = { ratio: 0.5, lower: 0.4, upper: 0.6, confidence: 0.95 };
    const variant = {
      ...{ variant: 'int8', sizeBytes: 1, bench: [], speedUps: [{ ...slower, ...figures }] },
      accuracy: { verdict: 'regressed' as const, verdictReason: 'it lost', n: 5, sqnrDb: 1 },
    };
    const well = await served({
      listModels: () => [{ name: 'tiny', task: 'fidelity', variants: [variant] }] as never,
      listRuns: () => [],
    });
    const starting = await served({ isReady: () => false, listRuns: () => [] });
    const guarded = await served({}, { access: { ...OPEN, guardsReading: true } });
    const other = await answering(() => ({ body: { status: 'green' } }));
    const proxy = await answering(() => ({ status: 502, body: 'bad gateway' }));
    const urls = [well, starting, guarded, other, proxy, CLOSED];
    const agents = urls.map((url) => agentAt(url, url === guarded ? '' : TOKEN));
    const reports = await surveyFleet([...agents, PENDING], { parallel: 2 });
    expect(reports.map(({ state }) => state)).toEqual([
      'ready',
      'starting',
      'refused',
      'no-agent',
      'no-agent',
      'unreachable',
      'unreachable',
    ]);
    expect(reports[0]).toMatchObject({
      ...{ version: '1.2.3', models: 1, waiting: 0, verdicts: { regressed: 1 } },
      ...{ regressed: ['tiny/int8'], slowerThanFp32: ['tiny/int8'] },
      hostClass: 'a processor × 2, ONNX Runtime 1.30.0',
    });
    expect(reports.slice(2).map(({ reason }) => reason)).toEqual([
      expect.stringContaining('--token-file or --token-dir'),
      'what answers is no ptq-agent',
      expect.stringContaining('502'),
      expect.stringContaining('ECONNREFUSED'),
      'its pod is Pending',
    ]);
  });

  it('says how long it has waited for one that hangs', async () => {
    const url = await answering(() => undefined);
    const hanging = { target: unwrap(targetOf(url.host, {})), client: createClient({ url, timeoutMs: 50 }) };
    expect(await surveyFleet([hanging], { parallel: 1 })).toMatchObject([
      { state: 'unreachable', reason: expect.stringContaining('nothing came within 0.05 s') },
    ]);
  });
});

describe('benchFleet', () => {
  const end: RunNews = {
    id: 'a-1',
    kind: 'end',
    run: {
      ...{ id: ID, kind: 'bench', model: 'tiny', state: 'succeeded', request: { kind: 'bench' } },
      ...{ priority: 'normal', attempt: 1, createdMs: 0, startedMs: 1, finishedMs: 2 },
    },
  };
  const following = {
    followRun: (_id: string, _after: string | undefined, tell: (news: RunNews) => void) => {
      tell(end);
      return () => {};
    },
  };
  const context = { parallel: 2, signal: new AbortController().signal };

  it('orders the same of all, and one that fails is no harm to the others', async () => {
    const good = await served(following);
    const without = await served({
      order: () => err(problem('unknown-model', "no model 'tiny' is registered")),
    });
    const ordered: string[] = [];
    const outcomes = await benchFleet(
      [
        agentAt(good),
        agentAt(without),
        agentAt(CLOSED),
        agentAt(good, 'another-token-of-some-length'),
        PENDING,
      ],
      { model: 'tiny' },
      { ...context, onOrdered: (agent) => ordered.push(agent) },
    );
    expect(outcomes).toMatchObject([
      { outcome: 'ended', runs: [{ id: ID, state: 'succeeded' }] },
      { outcome: 'without-model' },
      { outcome: 'failed', problem: { kind: 'daemon-unreachable' } },
      { outcome: 'failed', problem: { kind: 'unauthorized' } },
      { agent: 'node-3', outcome: 'failed', problem: { message: 'its pod is Pending' } },
    ]);
    expect(ordered).toEqual([new URL(good).host]);
  });

  it('repeats it on each host, until a run does not succeed', async () => {
    const states = ['succeeded', 'succeeded', 'failed'] as const;
    let ended = 0;
    const url = await served({
      ...following,
      getRun: (id: string) => ({ ...end.run, id, state: states[ended++] ?? 'cancelled' }),
    });
    const order = { model: 'tiny' };
    const outcomes = await benchFleet([agentAt(url)], order, { ...context, repeat: 5 });
    expect(outcomes).toMatchObject([{ outcome: 'ended', runs: states.map((state) => ({ state })) }]);
  });

  it('cancels what is under way and orders no more when it is to end', async () => {
    const abort = new AbortController();
    const cancelled: string[] = [];
    const good = await served({
      ...following,
      cancelRun: (id: string) => {
        cancelled.push(id);
        return err(problem('run-ended', 'the run is over'));
      },
    });
    const outcomes = await benchFleet(
      [agentAt(good), agentAt(good)],
      { model: 'tiny' },
      { parallel: 1, signal: abort.signal, onOrdered: () => abort.abort() },
    );
    expect(cancelled).toEqual([ID]);
    expect(outcomes).toMatchObject([
      { outcome: 'ended' },
      { outcome: 'failed', problem: { kind: 'cancelled' } },
    ]);
  });
});

describe('lastMeasuredRuns', () => {
  it('takes so many of each model, and passes over what measured nothing', async () => {
    const asked: string[] = [];
    const run = (at: number, model: string, kind: string, result: unknown) => ({
      ...{ id: `01HZZZZZZZZZZZZZZZZZZZZZZ${at}`, model, kind, result, state: 'succeeded', request: { kind } },
      ...{ priority: 'normal', attempt: 1, createdMs: 0, startedMs: 1, finishedMs: 2 },
    });
    const runs = [
      run(1, 'tiny', 'bench', MEASURED),
      run(2, 'tiny', 'evaluate', { ...MEASURED, variants: [] }),
      run(3, 'tiny', 'bench', {
        ...MEASURED,
        variants: [{ variant: 'fp32', sizeBytes: 1, bench: [], speedUps: [] }],
      }),
      run(4, 'tiny', 'pipeline', MEASURED),
      run(5, 'tiny', 'bench', MEASURED),
      run(6, 'other', 'bench', MEASURED),
    ];
    const url = await served({
      listRuns: () => runs as never,
      getRun: (id: string) => {
        asked.push(id);
        return runs.find((of) => of.id === id) as never;
      },
    });
    const { client } = agentAt(url);
    const found = await lastMeasuredRuns(client as never, { count: 2 });
    expect(found.ok && found.value.map(({ id }) => id.at(-1))).toEqual(['1', '4', '6']);
    expect(asked).not.toContain(runs[4]?.id);
    expect(found.ok && found.value[0]?.results).toMatchObject([
      { variant: 'fp32', settings: '1 thread, batch 1, concurrency 1', rounds: { length: 3 } },
    ]);
  });
});

describe('inParallel', () => {
  it('does no more than so many at a time and keeps the order', async () => {
    let now = 0;
    let most = 0;
    const results = await inParallel([5, 1, 3, 2, 4], 2, async (item) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, item));
      now--;
      return item * 2;
    });
    expect(results).toEqual([10, 2, 6, 4, 8]);
    expect(most).toBe(2);
  });
});
