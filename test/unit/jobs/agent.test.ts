import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import type { RunKind } from '../../../src/core/run-terms.ts';
import type { Agent } from '../../../src/jobs/agent.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import type { HostInventory } from '../../../src/telemetry/inventory/host-inventory.ts';
import { agentOf, idle, statesOf } from '../../support/agent-of.ts';
import { benchResultOf, pipelineResultOf } from '../../support/pipeline-result.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';
import { snapshotAt } from '../telemetry/snapshots.ts';

async function metric(agent: Agent, start: string): Promise<string | undefined> {
  const { body } = await agent.renderMetrics();
  return body.split('\n').find((line) => line.startsWith(start));
}

describe('Agent', () => {
  it('runs every registered model once it starts, one at a time and in order', async () => {
    const { agent, store, log } = agentOf(['first', 'second']);
    agent.start();
    await idle(store);
    expect(log.filter((line) => /started|succeeded/.test(line))).toEqual([
      'run started: first',
      'run succeeded: first',
      'run started: second',
      'run succeeded: second',
    ]);
    await agent.stop();
  });

  it('counts what the sampler tells from its start to its end', async () => {
    const { agent, publish } = agentOf([]);
    const cpuReadings = () => metric(agent, 'ptq_sampler_duration_seconds_count{collector="cpu"}');
    publish(snapshotAt(1));
    expect(await cpuReadings()).toBeUndefined();
    agent.start();
    publish(snapshotAt(2));
    publish(snapshotAt(3));
    expect(await cpuReadings()).toMatch(/ 2$/);
    await agent.stop();
    publish(snapshotAt(4));
    expect(await cpuReadings()).toMatch(/ 2$/);
  });

  it('shows what the host is made of as soon as that is known', async () => {
    let found: (inventory: HostInventory) => void = () => {};
    const hardware = new Promise<HostInventory>((resolve) => {
      found = resolve;
    });
    const { agent } = agentOf([], { hardware });
    agent.start();
    expect(await metric(agent, 'ptq_disk_info')).toBeUndefined();
    found({ disks: [{ device: 'sda', model: 'Disk', sizeBytes: 1e12, type: 'HD' }] });
    await hardware;
    expect(await metric(agent, 'ptq_disk_info{')).toContain('device="sda",model="Disk"');
    await agent.stop();
  });

  it('answers an order at once and works it off after those before it', async () => {
    const { agent, store } = agentOf(['tiny']);
    agent.start();
    await vi.waitFor(() => expect(statesOf(store)).toEqual(['tiny pipeline running']), { interval: 1 });
    const ordered = unwrap(agent.order({ model: 'tiny', order: { kind: 'bench', scenario: 'offline' } }));
    expect(ordered).toMatchObject({ state: 'queued', kind: 'bench', queuePosition: 1 });
    await idle(store);
    expect(agent.getRun(ordered.id)).toMatchObject({ state: 'succeeded', result: { model: 'tiny' } });
    expect(agent.getRun(ordered.id)).not.toHaveProperty('queuePosition');
    expect(statesOf(store)).toEqual(['tiny pipeline succeeded', 'tiny bench succeeded']);
    await agent.stop();
  });

  it('shows how far the run under way has come', async () => {
    const { agent, store } = agentOf(['wait']);
    agent.start();
    await vi.waitFor(() =>
      expect(agent.listRuns({ limit: 1 })[0]).toMatchObject({ progress: { phase: 'load' } }),
    );
    expect(agent.listRuns({ limit: 1 })[0]?.state).toBe('running');
    await agent.stop();
    expect(statesOf(store)).toEqual(['wait pipeline interrupted']);
  });

  it('refuses a model, a variant or a suite that is not registered', () => {
    const { agent } = agentOf(['tiny']);
    expect(agent.order({ model: 'huge', order: { kind: 'bench' } })).toMatchObject({
      ok: false,
      error: { kind: 'unknown-model', place: { field: '/model' }, hint: 'registered are: tiny' },
    });
    expect(
      agent.order({ model: 'tiny', order: { kind: 'bench', variants: ['int8', 'int4'] } }),
    ).toMatchObject({
      ok: false,
      error: { kind: 'unknown-variant', place: { field: '/variants' }, hint: 'it has: fp32, int8' },
    });
    expect(agent.order({ model: 'tiny', order: { kind: 'bench', suite: 'nightly' } })).toMatchObject({
      ok: false,
      error: { kind: 'unknown-suite', place: { field: '/suite' }, hint: 'it has: profile' },
    });
  });

  it('refuses more orders than it will ever get done', async () => {
    const { agent } = agentOf(['wait']);
    agent.start();
    await vi.waitFor(() => expect(agent.listRuns({ limit: 1 })[0]?.progress).toBeDefined());
    for (let order = 0; order < 100; order += 1)
      unwrap(agent.order({ model: 'wait', order: { kind: 'bench' } }));
    expect(agent.order({ model: 'wait', order: { kind: 'bench' } })).toMatchObject({
      ok: false,
      error: { kind: 'queue-full' },
    });
    await agent.stop();
  });

  it('takes the run that has waited longest, however long the queue', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    const ids = Array.from(
      { length: 150 },
      () => store.createRun({ kind: 'bench', model: 'gone', request: { kind: 'bench' } }).id,
    );
    const failed: string[] = [];
    const { agent } = agentOf([], {
      store: {
        ...store,
        failRun: (id, reason) => {
          failed.push(id);
          return store.failRun(id, reason);
        },
      },
    });
    agent.start();
    await idle(store);
    expect(failed).toEqual(ids);
    expect(store.getRun(ids[0] ?? '')?.problem?.kind).toBe('unknown-model');
    await agent.stop();
  });

  it.each([
    ['refuse', 'not-onnx', 'bad_input'],
    ['crash', 'worker-crashed', 'worker_crashed'],
    ['killed', 'worker-killed', 'worker_crashed'],
  ])('fails a run whose worker answers with %s, counts it, and goes on', async (name, kind, reason) => {
    const { agent, store } = agentOf([name, 'tiny']);
    agent.start();
    await idle(store);
    expect(statesOf(store)).toEqual([`${name} pipeline failed`, 'tiny pipeline succeeded']);
    expect(store.listRuns({ model: name, limit: 1 })[0]?.problem?.kind).toBe(kind);
    expect(await metric(agent, `ptq_job_failures_total{reason="${reason}"}`)).toMatch(/ 1$/);
    expect(await metric(agent, 'ptq_jobs{state="failed"}')).toMatch(/ 1$/);
    await agent.stop();
  });

  it('takes a bug in one run for the failure of that run', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    store.createRun({ kind: 'bench', model: 'tiny', request: null });
    const { agent, log } = agentOf(['tiny'], { store });
    agent.start();
    await idle(store);
    expect(statesOf(store)).toEqual(['tiny bench failed', 'tiny pipeline succeeded']);
    expect(store.listRuns({ kind: 'bench', limit: 1 })[0]?.problem?.kind).toBe('internal-fault');
    expect(log).toContain('fault in a run: tiny');
    await agent.stop();
  });

  it('keeps the result of a run that cannot be exported, and goes on', async () => {
    const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
    const broken = {
      ...metrics,
      setModelSize: () => {
        throw new Error('a bug');
      },
    };
    const { agent, store, log } = agentOf(['first', 'second'], { metrics: broken });
    agent.start();
    await idle(store);
    expect(statesOf(store)).toEqual(['first pipeline succeeded', 'second pipeline succeeded']);
    expect(log).toContain('a result cannot be exported: first');
    await agent.stop();
  });

  it('reports a store that fails instead of leaving the queue in silence', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    const faults: string[] = [];
    const { agent } = agentOf(['tiny'], {
      store: {
        ...store,
        nextQueued: () => {
          throw new Error('disk I/O error');
        },
      },
      onFault: ({ message }) => void faults.push(message),
    });
    agent.start();
    await vi.waitFor(() => expect(faults).toEqual(['disk I/O error']));
    await agent.stop();
  });

  it('ends the run under way when it stops, leaves no process, and keeps what waits', async () => {
    const { agent, store } = agentOf(['wait', 'tiny']);
    agent.start();
    await vi.waitFor(() => expect(agent.listRuns({ state: 'running', limit: 1 })).toHaveLength(1));
    await agent.stop();
    expect(statesOf(store)).toEqual(['wait pipeline interrupted', 'tiny pipeline queued']);
  });

  it('stops at once when nothing runs', async () => {
    const { agent } = agentOf([]);
    agent.start();
    await agent.stop();
  });

  it('marks what another daemon left running, and does not queue a model twice', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    const left = store.createRun({ kind: 'pipeline', model: 'tiny', request: { kind: 'pipeline' } });
    store.startRun(left.id);
    const waiting = store.createRun({ kind: 'pipeline', model: 'tiny', request: { kind: 'pipeline' } });
    const { agent, log } = agentOf(['tiny'], { store });
    agent.start();
    await vi.waitFor(() => expect(store.getRun(left.id)?.state).toBe('interrupted'));
    expect(store.getRun(left.id)).toMatchObject({ problem: { kind: 'interrupted' } });
    expect(log[0]).toBe('a run was interrupted: tiny');
    expect(store.listRuns({ state: 'queued', limit: 10 }).map(({ id }) => id)).toEqual([waiting.id]);
    await agent.stop();
  });

  it('is ready once the sampler is up or has said why not', () => {
    const { agent, setSampler } = agentOf([]);
    setSampler('starting');
    expect(agent.isReady()).toBe(false);
    setSampler('down');
    expect(agent.isReady()).toBe(true);
  });
});

describe('the timeline of a run', () => {
  it('is not there before the run has started, and asking for it makes no folder', async () => {
    const folder = temporaryFolder();
    const { agent, store } = agentOf([], { store: unwrap(openStore(folder)) });
    const { id } = store.createRun({ kind: 'bench', model: 'tiny', request: { kind: 'bench' } });
    expect(await agent.records.readTimeline(id, { points: 1, rates: true })).toBeUndefined();
    expect(readdirSync(join(folder, 'runs'))).toEqual([]);
  });
});

describe('the changed items of a run', () => {
  it('lie in the folder of the run, for the variants that it evaluated', () => {
    const { agent, store } = agentOf([]);
    const { id } = store.createRun({ kind: 'pipeline', model: 'tiny', request: { kind: 'pipeline' } });
    expect(agent.records.changedItems(id, 'int8')).toBeUndefined();
    store.startRun(id);
    store.finishRun(id, pipelineResultOf());
    expect(agent.records.changedItems(id, 'int8')).toBe(`${store.runDirectory(id)}/changed-int8.jsonl`);
    for (const other of ['fp32', 'int4', '../int8', 'int8/../../x', '', '__proto__'])
      expect(agent.records.changedItems(id, other), other).toBeUndefined();
    expect(agent.records.changedItems('01M83MHX4BNBFSWHZ8PWNPP7QX', 'int8')).toBeUndefined();
  });

  it('are not there after a benchmark, nor in a result that another version wrote', () => {
    const { agent, store } = agentOf([]);
    const { variants } = pipelineResultOf();
    const benched = variants.map((outcome) => ({ ...outcome, evaluation: undefined }));
    for (const result of [{ ...pipelineResultOf(), variants: benched }, { shape: 'unknown' }, null]) {
      const { id } = store.createRun({ kind: 'bench', model: 'tiny', request: { kind: 'bench' } });
      store.startRun(id);
      store.finishRun(id, result);
      expect(agent.records.changedItems(id, 'int8')).toBeUndefined();
    }
  });
});

describe('the metrics of an agent after a restart', () => {
  function finished(store: Store, kind: RunKind, result: unknown, model = 'wait'): void {
    const { id } = store.createRun({ kind, model, request: { kind } });
    store.startRun(id);
    store.finishRun(id, result);
  }

  const throughput = 'ptq_bench_throughput_inferences_per_second{model="wait",variant="int8"';

  it('are those of the last full run', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    finished(store, 'pipeline', pipelineResultOf({ variants: [] }));
    finished(store, 'pipeline', pipelineResultOf());
    const { agent } = agentOf(['wait'], { store });
    agent.start();
    expect(await metric(agent, throughput)).toMatch(/ 2000$/);
    expect(await metric(agent, 'ptq_accuracy_ratio{model="wait"')).toMatch(/ 0.9$/);
    await agent.stop();
  });

  it('are found behind however many benchmarks, and brought up to the last of them', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    const full = pipelineResultOf();
    finished(store, 'pipeline', full);
    const faster = (samplesPerSecond: number) => ({
      ...full,
      variants: full.variants.map((outcome) => ({
        ...outcome,
        evaluation: undefined,
        bench: [benchResultOf(outcome.variant, { throughput: samplesPerSecond })],
      })),
    });
    for (let bench = 1; bench <= 120; bench += 1) finished(store, 'bench', faster(bench));
    const { agent } = agentOf(['wait'], { store });
    agent.start();
    expect(await metric(agent, throughput)).toMatch(/ 120$/);
    expect(await metric(agent, 'ptq_accuracy_ratio{model="wait"')).toMatch(/ 0.9$/);
    await agent.stop();
  });

  it('are brought up to the last evaluation on demand', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    const full = pipelineResultOf();
    finished(store, 'pipeline', full);
    const variants = full.variants.map((outcome) => ({ ...outcome, sizeBytes: 77, bench: [] }));
    finished(store, 'evaluate', { ...full, variants });
    const { agent } = agentOf(['wait'], { store });
    agent.start();
    expect(await metric(agent, 'ptq_model_size_bytes{model="wait",variant="int8"')).toMatch(/ 77$/);
    await agent.stop();
  });

  it('leave out a result that another version wrote in a shape of its own', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    finished(store, 'pipeline', { shape: 'unknown' });
    const { agent } = agentOf(['wait'], { store, logger: silentLogger });
    agent.start();
    expect(await metric(agent, throughput)).toBeUndefined();
    await agent.stop();
  });
});
