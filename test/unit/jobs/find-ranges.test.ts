import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { attemptAsync } from '../../../src/core/problem.ts';
import { digestModel } from '../../../src/jobs/digest-inputs.ts';
import { type FoundRanges, findRanges } from '../../../src/jobs/find-ranges.ts';
import { loadRanges } from '../../../src/jobs/load-ranges.ts';
import type { QuantizeTask } from '../../../src/jobs/quantize-task.ts';
import { formatRanges, type SavedRanges } from '../../../src/jobs/saved-ranges.ts';
import type { WorkerEvent } from '../../../src/jobs/worker-protocol.ts';
import { readModel } from '../../../src/onnx/model-file.ts';
import { viewGraph } from '../../../src/quantization/graph-view.ts';
import { STATIC_INT8 } from '../../../src/quantization/recipe.ts';
import { FEEDBACK, writeRecurrentData, writeRecurrentModel } from '../../support/recurrent-model.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const MINMAX = { method: 'minmax' } as const;

function taskIn(folder: string, more: Partial<QuantizeTask> = {}): QuantizeTask {
  const modelPath = join(folder, 'recurrent.onnx');
  if (!existsSync(modelPath)) writeRecurrentModel(folder);
  return {
    kind: 'quantize',
    modelPath,
    outputPath: join(folder, 'out.onnx'),
    data: { spec: { path: writeRecurrentData(folder, 4) }, split: 'calib' },
    states: [FEEDBACK],
    recipe: STATIC_INT8,
    threads: 1,
    ...more,
  };
}

/** Ranges of `tensors`, and on how many samples the model was run for them. */
async function find(
  task: QuantizeTask,
  tensors: readonly string[] = ['stateN', 'y'],
  settings: Parameters<typeof findRanges>[2] = MINMAX,
): Promise<FoundRanges & { readonly runs: number }> {
  let runs = 0;
  const context = {
    clock: systemClock,
    emit: (event: WorkerEvent) => {
      if (event.kind === 'progress') runs = event.progress.done;
    },
  };
  const view = viewGraph(unwrap(readModel(task.modelPath)));
  const found = await findRanges(view, tensors, settings, { task, scratch: temporaryFolder() }, context);
  return { ...found, runs };
}

function withoutData({ data: _, ...task }: QuantizeTask): QuantizeTask {
  return task;
}

/** Calibrates and saves; gives the task, the file and what is in it. */
async function save(settings?: Parameters<typeof findRanges>[2]) {
  const folder = temporaryFolder();
  const file = join(folder, 'ranges.json');
  const task = taskIn(folder, { saveRangesPath: file });
  const found = await find(task, ['y', 'stateN'], settings);
  return { folder, file, found, task, saved: unwrap(await firstOf(loadRanges(file))) };
}

async function firstOf(loading: ReturnType<typeof loadRanges>) {
  const loaded = await loading;
  if (loaded.ok) return loaded;
  const [error] = loaded.error;
  if (error === undefined) throw new Error('no problem');
  return { ok: false, error } as const;
}

describe('findRanges', () => {
  it('calibrates with carried states, from zeros on', async () => {
    const { ranges, samples, reused, runs } = await find(taskIn(temporaryFolder()));
    expect(Object.fromEntries(ranges)).toEqual({ stateN: { min: -10, max: 10 }, y: { min: -10, max: 10 } });
    expect({ samples, reused, runs }).toEqual({ samples: 4, reused: undefined, runs: 4 });
  });

  it('asks for data, or for saved ranges', async () => {
    const task = withoutData(taskIn(temporaryFolder()));
    expect(await attemptAsync(() => find(task))).toMatchObject({
      ok: false,
      error: { kind: 'no-calibration-data', hint: expect.stringContaining('--ranges') },
    });
  });

  it('saves what it found and what it found it with, a tensor a line', async () => {
    const { file, saved, task } = await save();
    expect(saved).toMatchObject({
      format: 'ptq-agent ranges',
      model: { file: 'recurrent.onnx', sha256: await digestModel(task.modelPath) },
      data: { file: 'data.npz', split: 'calib', samples: 4 },
      calibration: MINMAX,
      versions: { onnxruntime: expect.any(String) },
    });
    const lines = readFileSync(file, 'utf8').split('\n').slice(-5);
    expect(lines).toEqual([
      '    "stateN": { "min": -10, "max": 10, "observed": { "min": -10, "max": 10 } },',
      '    "y": { "min": -10, "max": 10, "observed": { "min": -10, "max": 10 } }',
      '  }',
      '}',
      '',
    ]);
    expect(readdirSync(join(file, '..')).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('saves the exact numbers, and what was seen beside what was kept', async () => {
    const { saved, found } = await save({ method: 'moving-average' });
    const range = found.ranges.get('y');
    expect(range?.max).toBeCloseTo(1 + 0.01 * 2 + 0.01 * 5 + 0.01 * 9, 1);
    expect(saved.tensors['y']).toEqual({ ...range, observed: { min: -10, max: 10 } });
  });

  it.each([
    ['mse', ['percentile', 'entropy']],
    ['minmax', ['moving-average']],
  ] as const)(
    'finds with %s in the same runs what will be asked for, as far as it looks at the same',
    async (method, same) => {
      const methods = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const;
      const folder = temporaryFolder();
      const further = methods.filter((of) => of !== method).map((of) => ({ method: of }));
      const cached = (name: string, more = {}) =>
        taskIn(folder, { rangesCache: { folder: join(folder, name), ...more } });
      expect(await find(cached('shared', { further }), ['y'], { method })).toMatchObject({ runs: 4 });
      for (const other of methods) {
        const settings = { method: other };
        const shared = await find(cached('shared'), ['y'], settings);
        const alone = await find(cached(`alone-${other}`), ['y'], settings);
        expect(shared.ranges).toEqual(alone.ranges);
        expect([other, shared.runs]).toEqual([
          other,
          other === method || same.includes(other as never) ? 0 : 4,
        ]);
      }
      // With other samples it is another calibration.
      const few = { method, samples: 2 };
      await find(cached('few', { further: [{ method: same[0] }] }), ['y'], few);
      expect(await find(cached('few'), ['y'], { method: same[0] })).toMatchObject({ runs: 4 });
    },
  );

  it.each(['mse', 'entropy', 'percentile'] as const)('saves what %s has seen, too', async (method) => {
    const { saved, found } = await save({ method });
    expect(saved.tensors['y']).toEqual({ ...found.ranges.get('y'), observed: { min: -10, max: 10 } });
  });

  it('takes saved ranges without data, also after they were edited', async () => {
    const { file, saved, task } = await save();
    const edited = { ...saved, tensors: { ...saved.tensors, y: { min: -1.25, max: 0.1 } } };
    writeFileSync(file, formatRanges(edited));
    const read = unwrap(await firstOf(loadRanges(file)));
    const ranges = { file, saved: read, anyModel: false };
    const found = await find(withoutData({ ...task, ranges }), ['y']);
    expect(found).toMatchObject({ samples: 4, seconds: 0, inferenceSeconds: 0, reused: true, runs: 0 });
    expect(Object.fromEntries(found.ranges)).toEqual({ y: { min: -1.25, max: 0.1 } });
  });

  it('refuses the ranges of another model unless it is told to take them', async () => {
    const { file, saved, task } = await save();
    const modelPath = writeRecurrentModel(temporaryFolder(), 'other.onnx', 0.5);
    const other = (anyModel: boolean) => find({ ...task, modelPath, ranges: { file, saved, anyModel } });
    expect(await attemptAsync(() => other(false))).toMatchObject({
      ok: false,
      error: {
        kind: 'ranges-of-another-model',
        place: { file, field: '/model/sha256' },
        hint: expect.stringContaining('--ranges-any-model'),
      },
    });
    expect(await other(true)).toMatchObject({ reused: true });
  });

  it('names the tensor that has no range, and the one that may be meant', async () => {
    const { file, saved, task } = await save();
    const { y, ...others } = saved.tensors as { readonly y: { min: number; max: number } };
    const using = (tensors: SavedRanges['tensors']) =>
      attemptAsync(() => find({ ...task, ranges: { file, saved: { ...saved, tensors }, anyModel: false } }));
    expect(await using(others)).toMatchObject({
      ok: false,
      error: {
        kind: 'range-missing',
        place: { file, tensor: 'y' },
        hint: expect.stringContaining('--save-ranges'),
      },
    });
    expect(await using({ ...others, Y: y })).toMatchObject({
      error: { kind: 'range-missing', hint: expect.stringContaining("'Y'") },
    });
    expect(await using({ ...saved.tensors, z: y })).toMatchObject({
      error: { kind: 'range-of-unknown-tensor', place: { file, field: '/tensors/z', tensor: 'z' } },
    });
  });

  describe('with a cache', () => {
    const cached = (folder: string, more: Partial<QuantizeTask> = {}) =>
      taskIn(folder, { rangesCache: { folder: join(folder, 'calibration') }, ...more });

    it('calibrates once for the same model, data and settings', async () => {
      const folder = temporaryFolder();
      const first = await find(cached(folder));
      const again = await find(cached(folder));
      expect(first).toMatchObject({ runs: 4 });
      expect(again).toMatchObject({ runs: 0, reused: true, samples: 4, seconds: 0 });
      expect(again.ranges.get('y')).toEqual(first.ranges.get('y'));
    });

    it('calibrates again for a variant that needs more, and then knows both', async () => {
      const folder = temporaryFolder();
      await find(cached(folder), ['y']);
      expect(await find(cached(folder), ['stateN'])).toMatchObject({ runs: 4 });
      expect(await find(cached(folder), ['y', 'stateN'])).toMatchObject({ runs: 0 });
      expect(readdirSync(join(folder, 'calibration'))).toHaveLength(1);
    });

    it.each<[string, Partial<QuantizeTask>, Parameters<typeof findRanges>[2]]>([
      ['method', {}, { method: 'mse' }],
      ['number of samples', {}, { method: 'minmax', samples: 2 }],
      ['state', { states: [{ ...FEEDBACK, dims: [1, 2] }] }, MINMAX],
    ])('calibrates again for another %s', async (_, more, settings) => {
      const folder = temporaryFolder();
      await find(cached(folder));
      expect((await find(cached(folder, more), ['y'], settings)).reused).toBeUndefined();
    });

    it('calibrates again for another part of the split, as ranges of all would tell of samples that are kept apart', async () => {
      const folder = temporaryFolder();
      const task = cached(folder);
      if (task.data === undefined) throw new Error('the task has data');
      await find(task);
      // States are carried from sample to sample, so the part is their beginning.
      expect(await find({ ...task, data: { ...task.data, only: [0, 1] } })).toMatchObject({ runs: 2 });
      expect(await find({ ...task, data: { ...task.data, only: [0] } })).toMatchObject({ runs: 1 });
      expect(await find(task)).toMatchObject({ runs: 0 });
    });

    it('calibrates again for another split', async () => {
      const folder = temporaryFolder();
      const task = cached(folder);
      await find(task);
      const data = { spec: { path: join(folder, 'data.npz') }, split: 'eval' };
      expect(await find({ ...task, data })).toMatchObject({ runs: 4 });
    });

    it('calibrates again for other data and another model', async () => {
      const folder = temporaryFolder();
      const task = cached(folder);
      await find(task);
      const elsewhere = temporaryFolder();
      const data = { spec: { path: writeRecurrentData(elsewhere, 3) }, split: 'calib' };
      expect(await find({ ...task, data })).toMatchObject({ runs: 3 });
      const modelPath = writeRecurrentModel(elsewhere, 'other.onnx', 0.5);
      expect(await find({ ...task, modelPath })).toMatchObject({ runs: 4 });
    });

    it('takes a damaged file for none', async () => {
      const folder = temporaryFolder();
      await find(cached(folder));
      const [name = ''] = readdirSync(join(folder, 'calibration'));
      writeFileSync(join(folder, 'calibration', name), '{ "format": "ptq-a');
      expect(await find(cached(folder))).toMatchObject({ runs: 4 });
      expect(await find(cached(folder))).toMatchObject({ runs: 0 });
    });

    it('saves what it reuses, too', async () => {
      const folder = temporaryFolder();
      const file = join(folder, 'saved.json');
      await find(cached(folder));
      expect(await find(cached(folder, { saveRangesPath: file }))).toMatchObject({ runs: 0 });
      expect(unwrap(await firstOf(loadRanges(file))).tensors).toHaveProperty('y');
    });
  });
});

describe('loadRanges', () => {
  async function problemsOf(edit: (text: string) => string) {
    const { file } = await save();
    writeFileSync(file, edit(readFileSync(file, 'utf8')));
    const loaded = await loadRanges(file);
    return loaded.ok ? [] : loaded.error.map(({ kind, place }) => [kind, place?.field, place?.line]);
  }

  it.each<[string, (text: string) => string, readonly unknown[]]>([
    [
      'a later format',
      (text) => text.replace('"version": 1', '"version": 2'),
      ['invalid-value', '/version', 3],
    ],
    [
      'words for numbers',
      (text) => text.replace('"y": { "min": -10', '"y": { "min": "low"'),
      ['invalid-value', '/tensors/y/min', 23],
    ],
    [
      'a range without an end',
      (text) => text.replace('"y": { "min": -10, "max": 10,', '"y": { "min": -10,'),
      ['missing-field', '/tensors/y/max', 23],
    ],
    [
      'ends that are swapped',
      (text) => text.replace('"y": { "min": -10, "max": 10,', '"y": { "min": 10, "max": -10,'),
      ['invalid-value', '/tensors/y', 23],
    ],
    [
      'a tensor that is there twice',
      (text) => text.replace('"y":', '"stateN":'),
      ['duplicate-field', undefined, 23],
    ],
    [
      'a digest that is none',
      (text) => text.replace(/"sha256": "../, '"sha256": "'),
      ['invalid-value', '/model/sha256', 6],
    ],
    ['half a file', (text) => text.slice(0, 100), ['yaml-syntax', undefined, 6]],
  ])('names place and field of %s', async (_, edit, expected) => {
    expect((await problemsOf(edit))[0]).toEqual(expected);
  });

  it('refuses infinity, which is no JSON but can be written by hand', async () => {
    expect(await problemsOf((text) => text.replace('"max": 10', '"max": .inf'))).not.toEqual([]);
  });

  it('says that there is no such file', async () => {
    expect(await loadRanges('/nowhere.json')).toMatchObject({
      ok: false,
      error: [{ kind: 'ranges-not-found', place: { file: '/nowhere.json' } }],
    });
  });
});
