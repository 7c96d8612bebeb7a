import { beforeEach, describe, expect, it, vi } from 'vitest';
import { attemptAsync } from '../../../src/core/problem.ts';
import { type LaneTask, openLane } from '../../../src/jobs/evaluation-lane.ts';
import { openLanes } from '../../../src/jobs/evaluation-lanes.ts';
import type { Session } from '../../../src/runtime/session.ts';
import { writeClassifier, writeSamples } from '../../support/evaluated-models.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** What is loaded, run and closed. */
const seen = vi.hoisted(() => ({ loaded: [] as string[], runs: [] as string[], closed: 0 }));
vi.mock('../../../src/jobs/open-model.ts', async (original) => {
  const { openModel } = await original<typeof import('../../../src/jobs/open-model.ts')>();
  return {
    openModel: async (path: string, threads: number): Promise<Session> => {
      const session = await openModel(path, threads);
      const name = path.split('/').at(-1) as string;
      seen.loaded.push(`${name} with ${threads}`);
      return {
        ...session,
        run: (feeds) => {
          seen.runs.push(name);
          return session.run(feeds);
        },
        close: async () => {
          seen.closed += 1;
          await session.close();
        },
      };
    },
  };
});
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => 4,
}));

const ANYWHERE = new URL('file:///nowhere/lane-main.js');

beforeEach(() => {
  seen.loaded = [];
  seen.runs = [];
  seen.closed = 0;
});

function taskIn(folder: string, more: Partial<LaneTask> = {}): LaneTask {
  return {
    referencePath: writeClassifier(folder, 'a.onnx', [
      [1, 0],
      [0, 1],
    ]),
    candidatePaths: [
      writeClassifier(folder, 'b.onnx', [
        [1, 0],
        [0.5, 1],
      ]),
    ],
    skipsReference: false,
    data: {
      spec: {
        path: writeSamples(folder, 'd.npz', [
          [1, 2],
          [2, 1],
        ]),
      },
      split: 'eval',
    },
    threads: 1,
    ...more,
  };
}

async function runAll(task: LaneTask) {
  const lane = await openLane(task);
  const results = [];
  for await (const result of lane.results({ lane: 0, lanes: 1 })) results.push(result);
  await lane.close();
  return results;
}

describe('a lane', () => {
  it('runs every model on every sample, in turn, and closes them', async () => {
    await runAll(taskIn(temporaryFolder()));
    expect(seen).toEqual({
      loaded: ['a.onnx with 1', 'b.onnx with 1'],
      runs: ['a.onnx', 'b.onnx', 'a.onnx', 'b.onnx'],
      closed: 2,
    });
  });

  it('loads and runs a model once that is compared with itself, however often', async () => {
    const task = taskIn(temporaryFolder());
    const { referencePath } = task;
    const [first] = await runAll({ ...task, candidatePaths: [referencePath, referencePath] });
    expect(seen).toMatchObject({ loaded: ['a.onnx with 1'], runs: ['a.onnx', 'a.onnx'] });
    const outputs = first?.kind === 'sample' ? first.outputs : [];
    expect(outputs).toHaveLength(3);
    expect(outputs[1]).toBe(outputs[0]);
    expect(outputs[2]).toBe(outputs[0]);
  });

  it('does not run a reference whose outputs are known', async () => {
    const [first] = await runAll(taskIn(temporaryFolder(), { skipsReference: true }));
    expect(seen.runs).toEqual(['b.onnx', 'b.onnx']);
    expect(first?.kind === 'sample' && first.outputs[0]).toBeUndefined();
  });

  it('runs a known reference where it is a candidate as well', async () => {
    const task = taskIn(temporaryFolder(), { skipsReference: true });
    const [first] = await runAll({ ...task, candidatePaths: [task.referencePath] });
    expect(seen).toMatchObject({ loaded: ['a.onnx with 1'], runs: ['a.onnx', 'a.onnx'] });
    expect(first?.kind === 'sample' && first.outputs[1]).toHaveProperty('tensors');
  });

  it('closes what it has loaded where it cannot go on', async () => {
    const task = taskIn(temporaryFolder());
    const missing = { ...task, candidatePaths: [...task.candidatePaths, '/nowhere/c.onnx'] };
    expect(await attemptAsync(() => openLane(missing))).toMatchObject({
      ok: false,
      error: { kind: 'model-not-found' },
    });
    expect(seen.closed).toBe(2);
  });
});

describe('the threads inside of the operators', () => {
  it('are those that were asked for where samples are too few to be shared out', async () => {
    const lanes = await openLanes(taskIn(temporaryFolder(), { threads: 3 }), ANYWHERE);
    expect(lanes.count).toBe(1);
    // How many samples there are is known only after models and data were opened.
    expect(seen).toMatchObject({
      loaded: ['a.onnx with 1', 'b.onnx with 1', 'a.onnx with 3', 'b.onnx with 3'],
      closed: 2,
    });
    await lanes.close();
  });

  it('are those that were asked for where there is nobody to share with, and one each otherwise', async () => {
    const folder = temporaryFolder();
    const many = Array.from({ length: 100 }, (_, index) => [index, 1]);
    const data = { spec: { path: writeSamples(folder, 'many.npz', many) }, split: 'eval' };
    await (await openLanes(taskIn(folder, { threads: 3, data }), undefined)).close();
    expect(seen.loaded).toEqual(['a.onnx with 3', 'b.onnx with 3']);
    seen.loaded = [];
    const shared = await openLanes(taskIn(folder, { threads: 3, data }), ANYWHERE);
    expect([shared.count, seen.loaded]).toEqual([2, ['a.onnx with 1', 'b.onnx with 1']]);
    await shared.close();
  });
});
