import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import { evaluateModels } from '../../src/jobs/evaluate-models.ts';
import type { EvaluateTask } from '../../src/jobs/evaluate-task.ts';
import type { LaneResult, LaneShare, LaneTask } from '../../src/jobs/evaluation-lane.ts';
import { openLanes } from '../../src/jobs/evaluation-lanes.ts';
import { startLane } from '../../src/jobs/lane-thread.ts';
import {
  UNFEEDABLE,
  writeClassifier,
  writeIntegerSamples,
  writeLookup,
} from '../support/evaluated-models.ts';
import { FEEDBACK, writeRecurrentData, writeRecurrentModel } from '../support/recurrent-model.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const cores = vi.hoisted(() => ({ count: 1 }));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => cores.count,
}));

const ENTRY = new URL('../../dist/jobs/lane-main.js', import.meta.url);
const isBuilt = existsSync(fileURLToPath(ENTRY));
const context = { clock: systemClock, emit: () => {} };

/** Enough for three lanes, and the last turn is not whole. */
const SAMPLES = 145;

function rowsOf(count: number, bad: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, index) =>
    bad.includes(index) ? [UNFEEDABLE, 0] : [index % 7, index % 5],
  );
}

function taskIn(folder: string, count = SAMPLES, bad: readonly number[] = []) {
  const labels = Array.from({ length: count }, (_, index) => index % 2);
  const path = writeIntegerSamples(folder, 'samples.npz', rowsOf(count, bad), labels);
  return {
    referencePath: writeClassifier(folder, 'reference.onnx', [
      [1, 0.1],
      [0.2, 1],
    ]),
    candidatePaths: [
      writeClassifier(folder, 'candidate.onnx', [
        [1, 0.2],
        [0.3, 1],
      ]),
    ],
    skipsReference: false,
    data: { spec: { path, onBadSample: 'skip' }, split: 'eval' },
    threads: 1,
  } satisfies LaneTask;
}

function countThreads(): number {
  return readdirSync('/proc/self/task').length;
}

function evaluationOf({
  referencePath,
  candidatePaths,
  data,
}: Pick<LaneTask, 'referencePath' | 'candidatePaths' | 'data'>): EvaluateTask {
  return {
    kind: 'evaluate',
    reference: { variant: 'fp32', path: referencePath },
    candidates: candidatePaths.map((path) => ({ variant: 'other', path })),
    data,
    task: { name: 'classification', settings: {} },
    budget: {},
    threads: 1,
  };
}

/** A lane's results, from a thread that does nothing else. */
function runLaneInThread(
  entry: URL,
  task: LaneTask,
  share: LaneShare = { lane: 0, lanes: 1 },
): AsyncGenerator<LaneResult> {
  return startLane(entry, task).results(share);
}

/** All results, with what came out of the models as plain lists. */
async function collect(results: AsyncIterable<LaneResult>): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for await (const result of results) {
    if (result.kind === 'bad-sample') all.push([result.index, result.problem.kind]);
    else {
      const values = result.outputs.map((of) =>
        of !== undefined && 'tensors' in of ? [...(of.tensors['scores']?.data ?? [])] : of,
      );
      all.push([result.facts.index, result.facts.truth, ...values]);
    }
  }
  return all;
}

async function runLanes(task: LaneTask, lanes: number, isInline = false) {
  cores.count = lanes;
  const opened = await openLanes(task, isInline ? undefined : ENTRY);
  try {
    return { count: opened.count, results: await collect(opened.results()) };
  } finally {
    await opened.close();
  }
}

describe.skipIf(!isBuilt)('lanes in threads (skipped where `npm run build` was not run)', () => {
  it('give the same results in the order of the samples, however many there are', async () => {
    const task = taskIn(temporaryFolder());
    const inline = await runLanes(task, 8, true);
    expect(inline.count).toBe(1);
    expect(inline.results).toHaveLength(SAMPLES);
    expect(inline.results.map((result) => (result as readonly unknown[])[0])).toEqual(
      Array.from({ length: SAMPLES }, (_, index) => index),
    );
    for (const lanes of [1, 2, 3]) {
      expect(await runLanes(task, lanes), `${lanes} lanes`).toEqual({
        count: lanes,
        results: inline.results,
      });
    }
  });

  it('keep the index of samples that cannot be read', async () => {
    const bad = [0, 5, 50, 101, 102, 144];
    const { count, results } = await runLanes(taskIn(temporaryFolder(), SAMPLES, bad), 3);
    expect(count).toBe(3);
    const found = results as readonly (readonly unknown[])[];
    expect(found.map(([index]) => index)).toEqual(Array.from({ length: SAMPLES }, (_, index) => index));
    expect(found.filter(([, kind]) => kind === 'value-unrepresentable').map(([index]) => index)).toEqual(bad);
  });

  it('give the same evaluation as one lane does, with samples left out and failures', async () => {
    const folder = temporaryFolder();
    const task = evaluationOf(taskIn(folder, SAMPLES, [7, 60]));
    const alone = await evaluateModels(task, context);
    expect(alone[0]).toMatchObject({ n: SAMPLES - 2, skipped: { indices: [7, 60] } });
    cores.count = 3;
    expect(await evaluateModels(task, context, ENTRY)).toEqual(alone);
    const keeping = { ...task, outputsCache: { folder: join(folder, 'cache') } };
    expect(await evaluateModels(keeping, context, ENTRY)).toEqual(alone);
    const reused = alone.map((evaluation) => ({ ...evaluation, referenceReused: true }));
    expect(await evaluateModels(keeping, context, ENTRY)).toEqual(reused);
  });

  it('tell on which sample a model fails', async () => {
    const folder = temporaryFolder();
    const path = writeLookup(folder, 'lookup.onnx', [
      [2, 1],
      [1, 2],
    ]);
    const rows = Array.from({ length: SAMPLES }, (_, index) => [index === 98 ? 2 : index % 2]);
    const data = writeIntegerSamples(folder, 'rows.npz', rows, new Array(SAMPLES).fill(0));
    const task = evaluationOf({
      referencePath: path,
      candidatePaths: [path],
      data: { spec: { path: data }, split: 'eval' },
    });
    cores.count = 3;
    const [evaluation] = await evaluateModels(task, context, ENTRY);
    expect(evaluation).toMatchObject({ n: SAMPLES - 1, failed: { indices: [98] }, verdict: 'invalid' });
  });

  it('are gone after an evaluation that ended early', async () => {
    const folder = temporaryFolder();
    const task = evaluationOf(taskIn(folder));
    cores.count = 3;
    await evaluateModels(task, context, ENTRY);
    const before = countThreads();
    const labels = Array.from({ length: SAMPLES }, (_, index) => (index === 4 ? 9 : 0));
    const wrong = writeIntegerSamples(folder, 'wrong.npz', rowsOf(SAMPLES, []), labels);
    const ended = { ...task, data: { spec: { path: wrong }, split: 'eval' } };
    expect(await attemptAsync(() => evaluateModels(ended, context, ENTRY))).toMatchObject({
      ok: false,
      error: { kind: 'label-out-of-range', place: { sample: 4 } },
    });
    await vi.waitFor(() => expect(countThreads()).toBeLessThanOrEqual(before));
  });
});

describe.skipIf(!isBuilt)('how many lanes there are (skipped where `npm run build` was not run)', () => {
  it.each([
    [95, 2, 1],
    [96, 2, 2],
    [143, 3, 2],
    [144, 3, 3],
    [145, 8, 3],
    [250, 8, 5],
  ])('follows from %i samples and %i cores: %i', async (samples, lanes, expected) => {
    const task = taskIn(temporaryFolder(), samples);
    // The first time brings threads of the runtime, which stay.
    await runLanes(task, lanes);
    const before = countThreads();
    const { count, results } = await runLanes(task, lanes);
    expect(count).toBe(expected);
    expect(results.map((result) => (result as readonly unknown[])[0])).toEqual(
      Array.from({ length: samples }, (_, index) => index),
    );
    await vi.waitFor(() => expect(countThreads()).toBeLessThanOrEqual(before));
  });

  it('is one where states are carried from sample to sample', async () => {
    const folder = temporaryFolder();
    cores.count = 3;
    const opened = await openLanes(
      {
        referencePath: writeRecurrentModel(folder),
        candidatePaths: [],
        skipsReference: false,
        data: { spec: { path: writeRecurrentData(folder, 300) }, split: 'eval' },
        states: [FEEDBACK],
        threads: 1,
      },
      ENTRY,
    );
    expect(opened.count).toBe(1);
    await opened.close();
  });
});

describe('a lane in a thread', () => {
  function entryOf(text: string): URL {
    const path = join(temporaryFolder(), 'entry.mjs');
    writeFileSync(path, text);
    return pathToFileURL(path);
  }
  const any: LaneTask = {
    referencePath: '',
    candidatePaths: [],
    skipsReference: false,
    data: { spec: { path: '' }, split: 'all' },
    threads: 1,
  };
  const take = (entry: URL, task = any) => attemptAsync(() => collect(runLaneInThread(entry, task)));

  it.skipIf(!isBuilt)('passes on what is wrong with its models and data', async () => {
    const task = { ...taskIn(temporaryFolder()), referencePath: '/nowhere/m.onnx' };
    expect(await take(ENTRY, task)).toMatchObject({
      ok: false,
      error: { kind: 'model-not-found', place: { file: '/nowhere/m.onnx' } },
    });
  });

  it.skipIf(!isBuilt)('works through its share alone', async () => {
    const results = runLaneInThread(ENTRY, taskIn(temporaryFolder(), 10), { lane: 1, lanes: 3 });
    const found = (await collect(results)) as readonly (readonly unknown[])[];
    expect(found.map(([index]) => index)).toEqual([1, 4, 7]);
  });

  it.skipIf(!isBuilt)('works no further ahead than a few samples of what is taken', async () => {
    const folder = temporaryFolder();
    const seen = join(folder, 'seen');
    const module = join(folder, 'own.mjs');
    writeFileSync(
      module,
      `import { appendFileSync } from 'node:fs';
      export function preprocess({ fields: { x } }) {
        appendFileSync(${JSON.stringify(seen)}, '.');
        return { x };
      }`,
    );
    const task = taskIn(folder);
    const results = runLaneInThread(ENTRY, {
      ...task,
      data: { ...task.data, spec: { ...task.data.spec, module } },
    });
    await results.next();
    let prepared = -1;
    await vi.waitFor(
      () => {
        const before = prepared;
        prepared = statSync(seen).size;
        expect(prepared).toBe(before);
      },
      { interval: 100, timeout: 5000 },
    );
    expect(prepared).toBeLessThan(20);
    await results.return(undefined);
  });

  it('fails as a fault of this program where it throws', async () => {
    await expect(take(entryOf('throw new Error("a bug");'))).rejects.toThrow('a bug');
  });

  it('does not wait for a thread that has ended without a word', async () => {
    expect(await take(entryOf('process.exit(0);'))).toMatchObject({
      ok: false,
      error: { kind: 'worker-crashed', hint: expect.stringContaining('process.exit') },
    });
  });

  it.skipIf(!isBuilt)('may be left at any time, whatever it is at', async () => {
    const task = taskIn(temporaryFolder());
    for (let taken = 0; taken < 12; taken += 1) {
      let left = taken;
      for await (const result of runLaneInThread(ENTRY, task)) {
        expect(result.kind).toBe('sample');
        if (left === 0) break;
        left -= 1;
      }
    }
  });

  it('is ended where nobody takes its results any more', async () => {
    const beat = join(temporaryFolder(), 'beat');
    const entry = entryOf(`
      import { appendFileSync } from 'node:fs';
      import { parentPort } from 'node:worker_threads';
      const result = { kind: 'bad-sample', index: 0, problem: { kind: 'none', message: 'none' } };
      parentPort.on('message', (request) => request === 'stop' && parentPort.postMessage({ kind: 'end' }));
      setInterval(() => appendFileSync(${JSON.stringify(beat)}, '.'), 5);
      parentPort.postMessage({ kind: 'result', result });
      parentPort.postMessage({ kind: 'result', result });
    `);
    for await (const result of runLaneInThread(entry, any)) {
      expect(result).toMatchObject({ kind: 'bad-sample' });
      break;
    }
    const beats = () => (existsSync(beat) ? readFileSync(beat).length : 0);
    const atEnd = beats();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(beats()).toBe(atEnd);
  });
});
