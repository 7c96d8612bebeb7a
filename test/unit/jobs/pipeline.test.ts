import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Profile } from '../../../src/config/profile.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/log.ts';
import { planOf, type RunOrder } from '../../../src/jobs/orders.ts';
import { runPipeline } from '../../../src/jobs/pipeline.ts';
import type { PipelineDeps } from '../../../src/jobs/run-context.ts';
import type { JobProgress } from '../../../src/jobs/worker-protocol.ts';
import { openStore } from '../../../src/store/store.ts';
import { readTimelineIndex } from '../../../src/telemetry/timeline/read-timeline.ts';
import { fakeSampler } from '../../support/fake-sampler.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { profileOf } from '../../support/profile.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unfinished } from '../../support/unfinished.ts';
import { unwrap } from '../../support/unwrap.ts';
import { snapshotAt } from '../telemetry/snapshots.ts';

function bench() {
  const dataDir = temporaryFolder();
  const store = unwrap(openStore(dataDir));
  const worker = fakeWorker();
  const progress: JobProgress[] = [];
  const { sampler, told, setState, publish } = fakeSampler();
  // Nobody waits for samples of a sampler that is not up.
  setState('starting');
  const deps: PipelineDeps = {
    store,
    sampler,
    samplerIdleIntervalMs: () => 1000,
    traces: { logdir: `${dataDir}/traces` },
    workerEntry: worker.entry,
    clock: systemClock,
    logger: silentLogger,
    onProgress: (step) => progress.push(step),
  };
  const run = (profile: Profile, order: RunOrder, more: Partial<PipelineDeps> = {}) => {
    const { id } = store.createRun({ kind: order.kind, model: profile.name, request: order });
    return runPipeline(id, profile, planOf(profile, order), { ...deps, ...more });
  };
  return { dataDir, store, worker, progress, told, publish, run };
}

const everything = { kind: 'pipeline' } as const;

describe('runPipeline', () => {
  it('quantizes, evaluates and benchmarks, and keeps the timeline beside the result', async () => {
    const { dataDir, run, progress } = bench();
    const result = unwrap(await run(profileOf('tiny'), everything));
    expect(result.variants).toMatchObject([
      { variant: 'fp32', sizeBytes: 1000, bench: [{ scenario: 'single-stream', variant: 'fp32' }] },
      {
        variant: 'int8',
        quantization: { reused: false },
        evaluation: { verdict: 'non_inferior' },
        bench: [{ scenario: 'single-stream', queries: 2400 }],
        speedUps: [{ base: 'fp32', candidate: 'int8' }],
      },
    ]);
    const { phases: spans } = unwrap(await readTimelineIndex(result.timeline?.file ?? ''));
    expect(spans.map(({ phase, subject }) => `${phase} ${subject}`)).toEqual([
      'calibrate int8',
      'bench single-stream',
    ]);
    expect(progress.map(({ phase }) => phase)).toContain('calibrate');
    expect(unfinished(dataDir)).toEqual([]);
  });

  it('tells which processes work for it and what for, and when they have ended', async () => {
    const { run } = bench();
    const at: Record<string, number> = {};
    const roles: string[] = [];
    const workers = {
      workerStarted: (pid: number, role: string) => {
        roles.push(role);
        at[pid] = (at[pid] ?? 0) + 1;
      },
      workerEnded: (pid: number) => {
        at[pid] = (at[pid] ?? 0) - 1;
      },
    };
    unwrap(await run(profileOf('tiny'), everything, { workers }));
    expect(roles).toEqual(['other', 'quantize', 'evaluate', 'bench', 'bench']);
    expect(Object.values(at).every((running) => running === 0)).toBe(true);
  });

  it('has in its benchmarks what their processes were seen to hold of GPUs', async () => {
    const { run, publish } = bench();
    let benches = 0;
    const workerStarted = (pid: number, role: string) => {
      if (role !== 'bench') return;
      benches += 1;
      const gpu = { uuid: 'GPU-1', index: 0, name: 'A', state: 'ok' } as const;
      const processes = [{ pid, usedBytes: benches * 1000 }];
      const gpus = { backend: 'nvml', gpus: [{ ...gpu, processes }] } as const;
      // A worker is watched once all are told of it.
      setImmediate(() => publish(snapshotAt(benches, { source: 'gpu', gpus })));
    };
    const result = unwrap(
      await run(profileOf('tiny'), everything, { workers: { workerStarted, workerEnded: () => {} } }),
    );
    // Which of the two is started first is drawn.
    const peaks = result.variants.map((outcome) => outcome.bench[0]?.peakGpuMemoryBytes);
    expect(peaks.sort()).toEqual([1000, 2000]);
  });

  it('takes an artifact from the store when nothing that made it has changed', async () => {
    const { run, worker } = bench();
    unwrap(await run(profileOf('tiny'), everything));
    const again = unwrap(await run(profileOf('tiny'), everything));
    expect(again.variants[1]?.quantization?.reused).toBe(true);
    expect(worker.requests().filter((request) => request.startsWith('quantize'))).toHaveLength(1);
  });

  it('carries the states of the profile through every step, and makes an artifact anew for them', async () => {
    const { run, worker } = bench();
    unwrap(await run(profileOf('tiny'), everything));
    const { data } = profileOf('tiny');
    const states = [{ output: 'stateN', input: 'state' }];
    const result = unwrap(await run(profileOf('tiny', { data: { ...data, states } }), everything));
    expect(result.variants[1]?.quantization?.reused).toBe(false);
    const stateful = worker.requests().filter((request) => request.includes('-with-stateN'));
    expect(new Set(stateful.map((request) => request.split('-')[0]))).toEqual(
      new Set(['quantize', 'evaluate', 'sut']),
    );
  });

  it('makes what a benchmark on demand needs, and evaluates nothing', async () => {
    const { run, worker } = bench();
    const order = { kind: 'bench', scenario: 'offline', durationSeconds: 0.5 } as const;
    const result = unwrap(await run(profileOf('tiny'), order));
    expect(result.variants.map(({ bench: measured }) => measured[0]?.scenario)).toEqual([
      'offline',
      'offline',
    ]);
    expect(worker.requests().some((request) => request.startsWith('evaluate'))).toBe(false);
  });

  it('measures fp32 alone when no other variant is asked for', async () => {
    const { run, worker } = bench();
    const result = unwrap(await run(profileOf('tiny'), { kind: 'bench', variants: ['fp32'] }));
    expect(result.variants.map(({ variant }) => variant)).toEqual(['fp32']);
    expect(worker.requests().some((request) => request.startsWith('quantize'))).toBe(false);
  });

  it('measures every scenario of the profile, each as a phase of its own', async () => {
    const scenarios = [
      { name: 'single-stream', scenario: 'single-stream', preset: 'quick', durationSeconds: 1 },
      { name: 'offline', scenario: 'offline', preset: 'quick', durationSeconds: 1 },
    ] as const;
    const { run } = bench();
    const profile = profileOf('tiny', { bench: { threads: 1, scenarios, suites: [] } });
    const result = unwrap(await run(profile, everything));
    expect(result.variants[1]?.speedUps.map(({ metric }) => metric)).toEqual([
      'median-latency',
      'throughput',
    ]);
    expect(result.timeline?.phases.map(({ subject }) => subject)).toEqual([
      'int8',
      'single-stream',
      'offline',
    ]);
  });

  it('runs the suites of the profile after its scenarios, and names them in results and phases', async () => {
    const measurements = [
      { name: 'alone', scenario: 'single-stream', preset: 'quick', durationSeconds: 1 },
      { name: 'batch', scenario: 'offline', preset: 'quick', durationSeconds: 1 },
    ] as const;
    const suites = [{ name: 'nightly', measurements, limits: {} }];
    const { run } = bench();
    const { bench: own } = profileOf('tiny');
    const result = unwrap(await run(profileOf('tiny', { bench: { ...own, suites } }), everything));
    for (const { bench: measured } of result.variants) {
      expect(measured.map(({ suite, measurement, scenario }) => [suite, measurement, scenario])).toEqual([
        ['profile', 'single-stream', 'single-stream'],
        ['nightly', 'alone', 'single-stream'],
        ['nightly', 'batch', 'offline'],
      ]);
    }
    expect(result.variants[1]?.speedUps).toHaveLength(3);
    expect(result.timeline?.phases.map(({ subject }) => subject)).toEqual([
      'int8',
      'single-stream',
      'nightly/alone',
      'nightly/batch',
    ]);
  });

  it('makes nothing where a suite is for other data, and tells the digest that the data has', async () => {
    const { bench: own } = profileOf('tiny');
    const [measurement] = own.scenarios;
    const pinned = (digest: string) => [
      {
        name: 'pinned',
        measurements: measurement === undefined ? [] : [measurement],
        limits: {},
        inputs: { digest },
      },
    ];
    const { run, worker } = bench();
    const other = profileOf('tiny', { bench: { ...own, suites: pinned('0'.repeat(64)) } });
    const result = await run(other, everything);
    expect(result).toMatchObject({
      ok: false,
      error: { kind: 'data-differs', message: expect.stringContaining(`this is sha256:${'b'.repeat(64)}`) },
    });
    expect(worker.requests().some((request) => request.startsWith('quantize'))).toBe(false);
    const same = profileOf('tiny', { bench: { ...own, suites: pinned('b'.repeat(64)) } });
    expect(await run(same, everything)).toMatchObject({ ok: true });
  });

  it('stops the others as soon as one system under test dies, and says which way it died', async () => {
    const { run, worker } = bench();
    const profile = profileOf('tiny', { model: '/models/dies-in-round.onnx' });
    const result = await run(profile, everything);
    expect(result).toMatchObject({ ok: false, error: { kind: 'worker-killed' } });
    // The other variant gets at most the turn before and the one under way, not all its turns.
    const rounds = worker.requests().filter((request) => /^round \w{26}|^round [0-9a-f]{64}/.test(request));
    expect(rounds.length).toBeLessThanOrEqual(2);
  });

  it('fails with the first problem and leaves the sampler as it was', async () => {
    const { run, told } = bench();
    const result = await run(profileOf('tiny', { model: '/models/refuse.onnx' }), everything);
    expect(result).toMatchObject({ ok: false, error: { kind: 'not-onnx' } });
    expect(told.slice(-2)).toEqual(['interval 1000', 'watch ']);
  });

  it('ends when it is cancelled', async () => {
    const { run } = bench();
    const abort = new AbortController();
    const result = await run(profileOf('tiny', { model: '/models/wait.onnx' }), everything, {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    expect(result).toMatchObject({ ok: false, error: { kind: 'cancelled' } });
  });

  it('ends when it is cancelled while systems under test take turns', async () => {
    const { run, worker } = bench();
    const abort = new AbortController();
    const result = await run(profileOf('tiny'), everything, {
      signal: abort.signal,
      onProgress: ({ phase }) => {
        if (phase === 'bench') abort.abort();
      },
    });
    expect(result).toMatchObject({ ok: false, error: { kind: 'cancelled' } });
    expect(worker.requests().filter((request) => request.startsWith('round'))).toEqual([]);
  });

  it('refuses a variant that the profile does not have', async () => {
    const { run } = bench();
    const result = await run(profileOf('tiny'), { kind: 'bench', variants: ['int4'] });
    expect(result).toMatchObject({
      ok: false,
      error: { kind: 'unknown-variant', hint: 'it has fp32, int8' },
    });
  });

  it('measures an artifact from before beside the one of now, where it is still there and another', async () => {
    const { store, run } = bench();
    await run(profileOf('tiny'), everything);
    const now = unwrap(await run(profileOf('tiny'), everything)).variants[1]?.quantization?.output ?? '';
    const hash = 'ab'.repeat(32);
    const file = store.temporaryFile(hash);
    writeFileSync(file, 'another model');
    unwrap(
      await store.publishArtifact(file, { hash, model: 'tiny', variant: 'int8', recipe: null, report: null }),
    );
    const anew = async (artifact: string) => {
      const confirms = { measurement: 'single-stream', artifacts: { int8: artifact } };
      const order = { kind: 'bench', variants: ['int8'], suite: 'profile', confirms } as const;
      return unwrap(await run(profileOf('tiny'), order)).variants.map(({ variant, bench: of }) => [
        variant,
        of.length,
      ]);
    };
    expect(await anew(hash)).toEqual([
      ['fp32', 1],
      ['int8', 1],
      ['int8@earlier', 1],
    ]);
    expect((await anew(basename(now, '.onnx'))).length).toBe(2);
    expect((await anew('cd'.repeat(32))).length).toBe(2);
  });
});
