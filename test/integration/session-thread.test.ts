import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { attemptAsync } from '../../src/core/problem.ts';
import type { NamedTensors } from '../../src/core/tensor.ts';
import { createModelRunner } from '../../src/jobs/model-runner.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import { type SessionThread, startSessionThread } from '../../src/jobs/session-thread.ts';
import { readModel } from '../../src/onnx/model-file.ts';
import { CALIBRATION_METHODS, completeRecipe, type RecipeRequest } from '../../src/quantization/recipe.ts';
import { openSession } from '../../src/runtime/session.ts';
import { writeClassifier } from '../support/evaluated-models.ts';
import { graph, model, node, value } from '../support/graph-builder.ts';
import { DIGITS_DATA, DIGITS_MODEL } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const ENTRY = new URL('../../dist/jobs/session-thread-main.js', import.meta.url);
const isBuilt = existsSync(fileURLToPath(ENTRY));
const SETTINGS = { intraOpThreads: 1 };

function feed(...values: number[]): NamedTensors {
  return { x: { type: 'float32', dims: [1, values.length], data: Float32Array.from(values) } };
}

function classifierIn(folder: string): string {
  return writeClassifier(folder, 'model.onnx', [
    [1, 0.5],
    [0.25, 2],
  ]);
}

/** Lets `use` have a thread, and ends the thread. */
async function withThread<T>(entry: URL, use: (thread: SessionThread) => Promise<T>): Promise<T> {
  const thread = startSessionThread(entry);
  try {
    return await use(thread);
  } finally {
    await thread.close();
  }
}

function entryOf(text: string): URL {
  const path = join(temporaryFolder(), 'entry.mjs');
  writeFileSync(path, text);
  return pathToFileURL(path);
}

/** A thread that tells a file when it starts. */
function logged(log: string): URL {
  return entryOf(`
    import { appendFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(log)}, 'started');
    await import(${JSON.stringify(ENTRY.href)});
  `);
}

function countThreads(): number {
  return readdirSync('/proc/self/task').length;
}

describe.skipIf(!isBuilt)('a session in a thread (skipped where `npm run build` was not run)', () => {
  it('computes what a session here does, run after run', async () => {
    const path = classifierIn(temporaryFolder());
    const here = unwrap(await openSession(path, SETTINGS));
    const feeds = [feed(1, 2), feed(-3, 0.5), feed(0, 0)];
    await withThread(ENTRY, async (thread) => {
      await thread.open(path, SETTINGS);
      const results = await Promise.all(feeds.map(thread.run));
      expect(results).toEqual(await Promise.all(feeds.map(here.run)));
    });
    // What was fed is still the caller's.
    expect(feeds[0]).toEqual(feed(1, 2));
    await here.close();
  });

  it('passes on what the runtime says of the model and of a run, and goes on', async () => {
    const folder = temporaryFolder();
    await withThread(ENTRY, async (thread) => {
      const nowhere = join(folder, 'nowhere.onnx');
      expect(await attemptAsync(() => thread.open(nowhere, SETTINGS))).toMatchObject({
        ok: false,
        error: { kind: 'model-rejected-by-runtime', place: { file: nowhere } },
      });
      await thread.open(classifierIn(folder), SETTINGS);
      expect(await attemptAsync(() => thread.run(feed(1, 2, 3)))).toMatchObject({
        ok: false,
        error: { kind: 'inference-failed' },
      });
      expect(await thread.run(feed(1, 0))).toMatchObject({ scores: { data: Float32Array.of(1, 0.5) } });
    });
  });

  it('takes another model once it has let go of the one before', async () => {
    const folder = temporaryFolder();
    await withThread(ENTRY, async (thread) => {
      await thread.open(classifierIn(folder), SETTINGS);
      const running = thread.run(feed(1, 0));
      await thread.unload();
      expect(await running).toMatchObject({ scores: { data: Float32Array.of(1, 0.5) } });
      await thread.open(
        writeClassifier(folder, 'other.onnx', [
          [3, 4],
          [0, 0],
        ]),
        SETTINGS,
      );
      expect(await thread.run(feed(1, 0))).toMatchObject({ scores: { data: Float32Array.of(3, 4) } });
    });
  });

  it('runs models in memory one after another beside this thread, and leaves no file and no thread', async () => {
    const scratch = temporaryFolder();
    const log = join(temporaryFolder(), 'log');
    const runner = createModelRunner({ scratch, threads: 2, sessionEntry: logged(log) });
    for (const path of [classifierIn(temporaryFolder()), DIGITS_MODEL]) {
      const { inputs } = unwrap(await openSession(path, SETTINGS));
      const [{ name, dims }] = inputs as [(typeof inputs)[number]];
      const shape = dims.map((dim) => (typeof dim === 'number' ? dim : 1));
      const data = new Float32Array(shape.reduce((product, dim) => product * dim, 1)).fill(1);
      const outputs = await runner.with(unwrap(readModel(path)), ({ run }) =>
        Promise.all(Array.from({ length: 6 }, () => run({ [name]: { type: 'float32', dims: shape, data } }))),
      );
      for (const each of outputs) expect(each).toEqual(outputs[0]);
    }
    // A model that cannot be loaded costs no thread either.
    const broken = unwrap(readModel(DIGITS_MODEL));
    for (const node of broken.proto.graph?.node ?? []) node.opType = 'Nowhere';
    await expect(runner.with(broken, async () => {})).rejects.toThrow();
    await runner.with(unwrap(readModel(DIGITS_MODEL)), async () => {});
    await runner.close();
    expect(readFileSync(log, 'utf8')).toBe('started');
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('runs a model on what another gave, once for each change of what it is fed, in either thread', async () => {
    const scratch = temporaryFolder();
    const runner = createModelRunner({ scratch, threads: 2, sessionEntry: ENTRY });
    // scores = [x0 + x1 / 4, x0 / 2 + 2 * x1], and then plus what is added.
    const first = unwrap(readModel(classifierIn(temporaryFolder())));
    const results = await runner.withSplit(
      first,
      ([scores]) => {
        expect(scores).toMatchObject({ name: 'scores', dims: ['batch', 2] });
        return model(
          graph({
            inputs: [value('scores', 'float', [1, 2]), value('more', 'float', [1])],
            nodes: [node('Add', ['scores', 'more'], ['y'])],
            outputs: [value('y', 'float', [1, 2])],
          }),
        );
      },
      ({ runAll }) =>
        Promise.all(
          Array.from({ length: 6 }, (_, sample) =>
            runAll(
              feed(sample, 4),
              [10, 20].map((more) => ({ more: { type: 'float32', dims: [1], data: Float32Array.of(more) } })),
            ),
          ),
        ),
    );
    expect(results.map((each) => each.map(({ y }) => Array.from(y?.data as Float32Array)))).toEqual(
      Array.from({ length: 6 }, (_, sample) =>
        [10, 20].map((more) => [sample + 1 + more, sample / 2 + 8 + more]),
      ),
    );
    expect(readdirSync(scratch)).toEqual([]);
    await runner.close();
  });

  it('lets the runs end that were asked for, and is gone then', async () => {
    const path = classifierIn(temporaryFolder());
    // The first time brings threads of the runtime, which stay.
    await withThread(ENTRY, (thread) => thread.open(path, SETTINGS));
    const before = countThreads();
    const thread = startSessionThread(ENTRY);
    await thread.open(path, SETTINGS);
    const running = thread.run(feed(1, 0));
    await thread.close();
    expect(await running).toHaveProperty('scores');
    await vi.waitFor(() => expect(countThreads()).toBeLessThanOrEqual(before));
  });

  it.each(CALIBRATION_METHODS)('changes nothing about what a calibration by %s finds', async (method) => {
    const log = join(temporaryFolder(), 'log');
    const entry = logged(log);
    const quantize = async (threads: number, sessionEntry: URL | undefined) => {
      const outputPath = join(temporaryFolder(), 'quantized.onnx');
      const request: RecipeRequest = { format: 'static-int8', latencyGate: 'off', calibration: { method } };
      const task = {
        kind: 'quantize',
        modelPath: DIGITS_MODEL,
        outputPath,
        data: { spec: { path: DIGITS_DATA }, split: 'calib' },
        recipe: completeRecipe(request),
        threads,
      } as const;
      const context = { clock: systemClock, emit: () => {} };
      await quantizeModel(task, sessionEntry === undefined ? context : { ...context, sessionEntry });
      return readFileSync(outputPath);
    };
    const alone = await quantize(2, undefined);
    // One thread is not to become two.
    expect((await quantize(1, entry)).equals(alone)).toBe(true);
    expect(existsSync(log)).toBe(false);
    expect((await quantize(2, entry)).equals(alone)).toBe(true);
    expect(readFileSync(log, 'utf8')).toBe('started');
  });
});

describe('a thread that is none', () => {
  it('fails as a fault of this program where it throws', async () => {
    await withThread(entryOf('throw new Error("a bug");'), async (thread) => {
      await expect(thread.open('', SETTINGS)).rejects.toThrow('a bug');
      await expect(thread.run({})).rejects.toThrow('a bug');
    });
  });

  it('is not waited for where it has ended without a word', async () => {
    await withThread(entryOf('process.exit(0);'), async (thread) => {
      expect(await attemptAsync(() => thread.open('', SETTINGS))).toMatchObject({
        ok: false,
        error: { kind: 'worker-crashed' },
      });
    });
  });
});
