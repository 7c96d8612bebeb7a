import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { toRecords } from '../../src/benchmark/load/run-records.ts';
import type { RoundSpec } from '../../src/benchmark/round.ts';
import type { SutUsage } from '../../src/benchmark/variant-record.ts';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import type { SutTask } from '../../src/jobs/sut-task.ts';
import { openSystemUnderTest } from '../../src/jobs/system-under-test.ts';
import { readTraceParts } from '../../src/jobs/trace-spool.ts';
import type { WorkerEvent } from '../../src/jobs/worker-protocol.ts';
import { parseOpProfile } from '../../src/runtime/op-profile.ts';
import { writeClassifier, writeLookup, writeSamples } from '../support/evaluated-models.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const ENTRY = new URL('../../dist/jobs/bench-lane-main.js', import.meta.url);
const isBuilt = existsSync(fileURLToPath(ENTRY));

function classifierTask(more: Partial<SutTask> = {}): SutTask {
  const folder = temporaryFolder();
  return {
    kind: 'sut',
    modelPath: writeClassifier(folder, 'model.onnx', [
      [1, 0],
      [0, 1],
    ]),
    data: {
      spec: {
        path: writeSamples(folder, 'data.npz', [
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
      },
      split: 'eval',
    },
    device: 'cpu',
    threads: 1,
    lanes: 1,
    batch: 1,
    ...more,
  };
}

async function open(task: SutTask) {
  const chunks: Float64Array[] = [];
  const events: WorkerEvent[] = [];
  const emit = (event: WorkerEvent) => {
    if (event.kind === 'runs') chunks.push(event.records);
    else events.push(event);
  };
  const system = await openSystemUnderTest(task, { clock: systemClock, emit }, ENTRY);
  return { system, events, records: () => toRecords(chunks.splice(0)) };
}

function specOf(load: RoundSpec['load']): RoundSpec {
  return { index: 0, scenario: 'closed-loop', seed: 1, leadInDurationNs: 0, load };
}

const closed = (minQueries: number) =>
  specOf({ kind: 'closed', limits: { minQueries, minDurationNs: 0, maxDurationNs: 60e9 } });

describe.skipIf(!isBuilt)('lanes of a benchmark', () => {
  it('share the runs of a load: each is done once, by whoever is free', async () => {
    const { system, records } = await open(classifierTask({ lanes: 2 }));
    expect(system.loaded).toMatchObject({ sampleCount: 3, samplesPerRun: 1, laneCount: 2 });
    const load = { kind: 'at-once', runCount: 20_000, maxDurationNs: 60e9 } as const;
    unwrap(await system.obey({ verb: 'round', spec: specOf(load) }));
    const { run, startNs, doneNs } = records();
    expect([...run]).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
    const overlaps = startNs.filter((start, index) => index > 0 && start < (doneNs[index - 1] as number));
    expect(overlaps.length).toBeGreaterThan(0);
  });

  it('call the model when a query is due, not before, and note when it was', async () => {
    const { system, records } = await open(classifierTask());
    const dueNs = Float64Array.from({ length: 40 }, (_, query) => query * 5e6);
    const load = {
      kind: 'scheduled',
      arrivals: { kind: 'trace', dueNs },
      length: { durationNs: 1, minQueries: 1 },
      maxDurationNs: 60e9,
    } as const;
    unwrap(await system.obey({ verb: 'round', spec: specOf(load) }));
    const measured = records();
    expect([...measured.dueNs]).toEqual([...dueNs]);
    expect(measured.startNs.every((start, query) => start >= (dueNs[query] as number))).toBe(true);
  });

  it('work off a query of several runs together before the next is issued', async () => {
    const { system, records } = await open(classifierTask({ lanes: 2 }));
    const limits = { minQueries: 200, minDurationNs: 0, maxDurationNs: 60e9 };
    unwrap(
      await system.obey({ verb: 'round', spec: specOf({ kind: 'grouped', samplesPerQuery: 4, limits }) }),
    );
    const { run, dueNs, startNs, doneNs } = records();
    expect(run).toHaveLength(800);
    for (let query = 1; query < 200; query++) {
      const lastDone = Math.max(...doneNs.subarray((query - 1) * 4, query * 4));
      expect(dueNs[query * 4]).toBeGreaterThanOrEqual(lastDone);
      expect(Math.min(...startNs.subarray(query * 4, query * 4 + 4))).toBeGreaterThanOrEqual(lastDone);
    }
  });

  it('end at once when the load is stopped, with what they measured, and take the next', async () => {
    const { system, records } = await open(classifierTask({ lanes: 2 }));
    const hours = specOf({
      kind: 'closed',
      limits: { minQueries: 1, minDurationNs: 3600e9, maxDurationNs: 3600e9 },
    });
    const endless = system.obey({ verb: 'round', spec: hours });
    void setTimeout(50).then(() => system.stop());
    expect(await endless).toMatchObject({ ok: true });
    expect(records().run.length).toBeGreaterThan(100);
    unwrap(await system.obey({ verb: 'round', spec: closed(10) }));
    expect(records().run.length).toBeGreaterThanOrEqual(10);
  });

  it('trace what they run while a load is under way, and go back', async () => {
    const { system, records, events } = await open(classifierTask({ lanes: 2 }));
    const folder = temporaryFolder();
    const hours = { minQueries: 1, minDurationNs: 3600e9, maxDurationNs: 3600e9 };
    const endless = system.obey({ verb: 'round', spec: specOf({ kind: 'closed', limits: hours }) });
    system.trace({ verb: 'trace', spool: { folder, modelId: 'model:fp32', thread: 'bench fp32' } });
    await vi.waitFor(() => expect(events).toMatchObject([{ kind: 'trace-begun' }]));
    await setTimeout(50);
    system.trace({ verb: 'end-trace' });
    await vi.waitFor(() => expect(events).toMatchObject([{}, { kind: 'traced' }]));
    system.stop();
    unwrap(await endless);
    const runs = records().run.length;
    const { parts } = events[1] as WorkerEvent & { kind: 'traced' };
    expect(parts).toMatchObject(
      [1, 2].map((lane) => ({
        modelId: 'model:fp32',
        phase: 'bench',
        device: 'cpu',
        pid: process.pid,
        thread: `bench fp32, lane ${lane}`,
        firstRequest: 4,
      })),
    );
    for (const { startsNs, endsNs, profileFile } of parts) {
      expect(endsNs).toHaveLength(startsNs.length);
      expect(startsNs.every((start, run) => start < (endsNs[run] as number))).toBe(true);
      expect(startsNs.every((start, run) => run === 0 || start >= (endsNs[run - 1] as number))).toBe(true);
      const profiled = unwrap(parseOpProfile(readFileSync(profileFile as string, 'utf8'))).runs;
      expect(profiled).toHaveLength(startsNs.length);
    }
    const traced = parts.reduce((total, { startsNs }) => total + startsNs.length - 4, 0);
    expect(traced).toBeGreaterThan(10);
    expect(traced).toBeLessThan(runs);
    expect((await readTraceParts(folder)).parts).toHaveLength(2);
  });

  it('trace where no load is under way, leave nothing of a trace without a run, and refuse a second one', async () => {
    const { system, events } = await open(classifierTask());
    const folder = temporaryFolder();
    const spool = { folder, modelId: 'model:fp32', thread: 'bench fp32' };
    system.trace({ verb: 'end-trace' });
    system.trace({ verb: 'trace', spool });
    system.trace({ verb: 'trace', spool });
    system.trace({ verb: 'end-trace' });
    await vi.waitFor(() => expect(events).toHaveLength(4));
    expect(events).toMatchObject([
      { kind: 'traced', parts: [] },
      { kind: 'trace-begun' },
      { kind: 'traced', parts: [], problem: { kind: 'traced-already' } },
      { kind: 'traced', parts: [] },
    ]);
    expect(events[3]).not.toHaveProperty('problem');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('go on measuring where a trace cannot be written', async () => {
    const { system, events, records } = await open(classifierTask());
    const folder = temporaryFolder();
    const spool = { folder: join(folder, 'none'), modelId: 'model:fp32', thread: 'bench fp32' };
    system.trace({ verb: 'trace', spool });
    await vi.waitFor(() => expect(events).toHaveLength(1));
    unwrap(await system.obey({ verb: 'round', spec: closed(10) }));
    system.trace({ verb: 'end-trace' });
    await vi.waitFor(() => expect(events).toHaveLength(2));
    expect(records().run).toHaveLength(10);
    expect(events.at(-1)).toMatchObject({
      kind: 'traced',
      parts: [],
      problem: { kind: 'profile-unreadable' },
    });
  });

  it('trace so many queries of a load once all is measured, and as many others beside them', async () => {
    const { system, events } = await open(classifierTask({ lanes: 2 }));
    const folder = temporaryFolder();
    const order = {
      spec: { round: closed(1000), queries: 47, maxDurationNs: 10e9 },
      spool: { folder, modelId: 'model:int8', thread: 'bench int8' },
    };
    const usage = unwrap(await system.obey({ verb: 'finish', trace: order })) as SutUsage;
    expect(usage.trace).toEqual({
      cost: {
        queries: 47,
        runs: 47,
        p50Seconds: { traced: expect.any(Number), untraced: expect.any(Number) },
        costRatio: expect.any(Number),
        examples: [1, 2, 3].map(() => ({ seconds: expect.any(Number), wallMs: expect.any(Number) })),
      },
      extraRssBytes: expect.any(Number),
    });
    const { parts } = await readTraceParts(folder);
    expect(
      parts.reduce((total, { startsNs, firstRequest }) => total + startsNs.length - firstRequest, 0),
    ).toBe(47);
    expect(events.some(({ kind }) => kind === 'alive')).toBe(true);
  });

  it('note when traced queries were due that come by a schedule', async () => {
    const { system } = await open(classifierTask());
    const folder = temporaryFolder();
    const dueNs = Float64Array.from({ length: 20 }, (_, query) => query * 1e6);
    const load = {
      kind: 'scheduled',
      arrivals: { kind: 'trace', dueNs },
      length: { durationNs: 1, minQueries: 1 },
      maxDurationNs: 60e9,
    } as const;
    const order = {
      spec: { round: specOf(load), queries: 50, maxDurationNs: 10e9 },
      spool: { folder, modelId: 'model:int8', thread: 'bench int8' },
    };
    const usage = unwrap(await system.obey({ verb: 'finish', trace: order })) as SutUsage;
    expect(usage.trace?.cost?.queries).toBe(20);
    const [part] = (await readTraceParts(folder)).parts;
    const { duesNs = [], startsNs = [], firstRequest = 0 } = part ?? {};
    expect(duesNs).toHaveLength(startsNs.length);
    const waits = duesNs
      .slice(firstRequest)
      .map((due, run) => (startsNs[firstRequest + run] as number) - due);
    expect(waits.every((wait) => wait >= 0 && wait < 1e9)).toBe(true);
  });

  it('warm up every shape on every lane', async () => {
    const { system } = await open(classifierTask({ lanes: 2 }));
    const spec = { windowDurationNs: 1e6, maxDurationNs: 1, seed: 1 };
    const warmUp = unwrap(await system.obey({ verb: 'warm-up', spec }));
    expect(warmUp).toMatchObject({ firstRunNs: [expect.any(Number)] });
  });

  it('all end when one fails, and say why', async () => {
    const folder = temporaryFolder();
    const modelPath = writeLookup(folder, 'lookup.onnx', [[1, 2]]);
    const path = writeSamples(folder, 'data.npz', [[0], [9]]);
    const task = classifierTask({ modelPath, data: { spec: { path }, split: 'eval' }, lanes: 2 });
    const { system } = await open(task);
    expect(await system.obey({ verb: 'round', spec: closed(1000) })).toMatchObject({
      ok: false,
      error: { kind: 'inference-failed', place: { file: modelPath } },
    });
  });

  it.each([
    ['a model that is not there', { modelPath: '/nowhere.onnx' }, 'model-not-found'],
    ['a batch that the data is too small for', { batch: 9 }, 'too-few-samples'],
  ])('do not start with %s', async (_name, more, kind) => {
    expect(await attemptAsync(() => open(classifierTask(more)))).toMatchObject({
      ok: false,
      error: { kind },
    });
  });
});
