import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type LatencyMemory, NO_RUNS, takeLatency } from '../../../../src/benchmark/watch/latency-watch.ts';
import type { AgentDeps } from '../../../../src/jobs/agent-deps.ts';
import { latencyMemoryOf } from '../../../../src/jobs/watching/watch-memory.ts';
import { openStore, type Store } from '../../../../src/store/store.ts';
import type { SeriesKey } from '../../../../src/store/watched.ts';
import type { Alert } from '../../../../src/webhook/alert-payload.ts';
import { agentOf, statesOf } from '../../../support/agent-of.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

function started(store: Store, more: Partial<AgentDeps> = {}) {
  const told: Alert[] = [];
  const made = agentOf(['tiny'], {
    store,
    webhook: { tell: (alert) => void told.push(alert) },
    sender: () => ({ instance: 'host:1', url: 'http://host:1' }),
    ...more,
  });
  made.agent.start();
  onTestFinished(() => made.agent.stop());
  return { ...made, told };
}

const stateOf = (store: Store, variant: string, kind = 'latency') =>
  store.watchedSeries('tiny').find((of) => of.variant === variant && of.kind === kind);

/** Makes believe that a series was twice as fast so far. */
function makeFaster(
  store: Store,
  { variant, suite, measurement, device, host }: SeriesKey,
  latency: number,
): void {
  const watch = Array.from({ length: 12 }, () => latency).reduce<LatencyMemory>(
    (memory, of, run) => takeLatency(memory, { run: `R${run}`, latency: of }),
    NO_RUNS,
  );
  store.keepWatched([
    {
      key: { kind: 'latency', model: 'tiny', variant, suite, measurement, device, host },
      state: watch.state,
      memory: { ...latencyMemoryOf(undefined), watch },
      atMs: 1,
      events: [],
    },
  ]);
}

describe('a daemon that watches', () => {
  it('has measured anew what it suspects until that is sure, tells it once, and shows it', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    const { agent, told } = started(store);
    await vi.waitFor(() => expect(statesOf(store)).toEqual(['tiny pipeline succeeded']), 20_000);
    const int8 = await vi.waitFor(() => stateOf(store, 'int8') ?? expect.fail('not taken up yet'), 10_000);
    const latency = latencyMemoryOf(int8).watch.last ?? expect.fail('nothing was measured');
    makeFaster(store, int8, latency / 2);
    unwrap(agent.order({ model: 'tiny', order: { kind: 'bench' } }));
    await vi.waitFor(() => expect(stateOf(store, 'int8')?.state).toBe('regressed'), 20_000);
    await vi.waitFor(
      () =>
        expect(statesOf(store)).toEqual([
          'tiny pipeline succeeded',
          'tiny bench succeeded',
          'tiny bench succeeded',
          'tiny bench succeeded',
        ]),
      20_000,
    );
    expect(store.listRuns({ limit: 1 })[0]?.priority).toBe('low');
    expect(told.map(({ status, labels }) => [status, labels])).toEqual([
      [
        'firing',
        {
          ...{ alertname: 'PtqLatencyRegressed', severity: 'warning', job: 'ptq-agent', instance: 'host:1' },
          ...{
            model: 'tiny',
            variant: 'int8',
            suite: 'profile',
            measurement: 'single-stream',
            device: 'cpu',
          },
        },
      ],
    ]);
    expect(told[0]?.annotations['description']).toMatch(/^the median is .* is expected/);
    expect((await agent.renderMetrics()).body).toMatch(
      /ptq_latency_state\{model="tiny",variant="int8",.*state="regressed"\} 1/,
    );
    unwrap(agent.watch.acknowledge({ model: 'tiny', variant: 'int8', reason: 'we know' }));
    expect(told.at(-1)).toMatchObject({
      status: 'resolved',
      annotations: { description: 'Acknowledged: we know' },
    });
    expect((await agent.renderMetrics()).body).toMatch(/ptq_latency_state\{.*state="acknowledged"\} 1/);
  }, 120_000);

  it('does not measure anew where that is switched off', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    const { agent } = started(store, { watch: () => ({ confirm: false, confirmationsPerDay: 4 }) });
    await vi.waitFor(() => expect(statesOf(store)).toEqual(['tiny pipeline succeeded']), 20_000);
    const int8 = await vi.waitFor(() => stateOf(store, 'int8') ?? expect.fail('not taken up yet'), 10_000);
    makeFaster(store, int8, (latencyMemoryOf(int8).watch.last ?? 1) / 2);
    unwrap(agent.order({ model: 'tiny', order: { kind: 'bench' } }));
    await vi.waitFor(() => expect(stateOf(store, 'int8')?.state).toBe('suspected'), 20_000);
    expect(statesOf(store)).toHaveLength(2);
  }, 120_000);

  it('takes up what ended before it, once, and tells again what is regressed and what ended within a day', async () => {
    const dataDir = temporaryFolder();
    const first = unwrap(openStore(dataDir));
    const run = first.createRun({ kind: 'pipeline', model: 'tiny', request: { kind: 'pipeline' } });
    first.startRun(run.id);
    const bench = {
      suite: 'profile',
      measurement: 'offline',
      scenario: 'offline',
      device: 'cpu',
      provider: 'p',
      valid: true,
      latencySeconds: { p50: 0.01 },
    };
    first.finishRun(run.id, { variants: [{ variant: 'int8', bench: [bench] }] });
    const key = {
      kind: 'accuracy',
      model: 'tiny',
      suite: '',
      measurement: '',
      device: '',
      host: '',
    } as const;
    const memory = { format: 1, watch: { state: 'regressed', baseline: null }, good: null, drop: null };
    const nowMs = Date.now();
    first.keepWatched([
      { key: { ...key, variant: 'int8' }, state: 'regressed', memory, atMs: 5, events: [] },
      { key: { ...key, variant: 'fp32' }, state: 'regressed', memory, atMs: 5, events: [] },
    ]);
    const over = { kind: 'state', detail: { reason: 'over', causes: [] } } as const;
    first.keepWatched([
      { key: { ...key, variant: 'fp32' }, state: 'steady', memory, atMs: nowMs, events: [over] },
    ]);
    first.close();
    const store = unwrap(openStore(dataDir));
    const { told } = started(store);
    await vi.waitFor(() => expect(told).toHaveLength(2), 20_000);
    expect(told.map(({ status, labels }) => `${status} ${labels['variant']}`).sort()).toEqual([
      'firing int8',
      'resolved fp32',
    ]);
    const series = stateOf(store, 'int8');
    expect(store.watchedPoints(series?.id ?? 0)).toHaveLength(1);
    expect(store.unwatchedRuns()).toEqual([]);
  }, 60_000);
});
