import { describe, expect, it } from 'vitest';
import type { DataSpec } from '../../../src/core/data-spec.ts';
import { type OpenSamplesOptions, openSamples } from '../../../src/data/open-samples.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';
import { fileOf, folderOf } from './formats/folder-of-files.ts';
import { writePng } from './image/png-writer.ts';
import { float32Npy, int64Npy, npz, useTemporaryFiles } from './npz-writer.ts';

const write = await useTemporaryFiles();

const IMAGE: ModelInput = { name: 'x', type: 'float32', dims: ['batch', 2] };

describe('a split by content', () => {
  const TWENTY = float32Npy(
    [20, 2],
    Array.from({ length: 40 }, (_, index) => index >> 1),
  );
  const splits = { seed: 2, sizes: { calib: 0.5, eval: 0.5 } };
  const scenes = int64Npy(
    [20],
    Array.from({ length: 20 }, (_, index) => index >> 2),
  );
  const arrays = { all: { x: 'rows', labels: 'classes', sequence: 'scene', group: 'scene' } };

  async function split(name: string, more: Partial<OpenSamplesOptions> = {}) {
    const path = await write(
      npz({
        rows: TWENTY,
        classes: int64Npy(
          [20],
          Array.from({ length: 20 }, (_, index) => index),
        ),
        scene: scenes,
      }),
    );
    const options = { split: name, modelInputs: [IMAGE], withTruth: true, ...more };
    const opened = await openSamples({ path, splits, arrays }, options);
    if (!opened.ok) throw new Error(opened.error.message);
    const rows: number[] = [];
    for await (const { index, id, group, truth, feeds } of opened.value.samples()) {
      const row = Number(feeds['x']?.data[0]);
      expect({ index, id, group, truth }).toEqual({
        index: rows.length,
        id: `all/${row}`,
        group: String(row >> 2),
        truth: { kind: 'class', index: row },
      });
      rows.push(row);
    }
    await opened.value.close();
    return rows;
  }

  it('takes its items from the arrays that are mapped for all, each with its own label and group', async () => {
    const [calib, evaluation] = [await split('calib'), await split('eval')];
    expect([...calib, ...evaluation].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, row) => row),
    );
    expect(evaluation).not.toEqual([...evaluation].sort((a, b) => a - b));
    expect(await split('all')).toEqual(Array.from({ length: 20 }, (_, row) => row));
  });

  it('is limited after it is made, to its first items', async () => {
    expect(await split('eval', { limit: 3 })).toEqual((await split('eval')).slice(0, 3));
  });

  it('keeps the order of the data where states are carried', async () => {
    const state: ModelInput = { name: 'state', type: 'float32', dims: ['n', 2] };
    const states = [{ output: 'stateN', input: 'state' }];
    const rows = await split('eval', { states, modelInputs: [IMAGE, state] });
    expect(rows).toEqual((await split('eval')).sort((a, b) => a - b));
  });

  it('has to be one of those that there are', async () => {
    const path = await write(npz({ 'all/x': TWENTY }));
    for (const name of ['test', 'toString']) {
      expect(await openSamples({ path, splits }, { split: name, modelInputs: [IMAGE] })).toMatchObject({
        ok: false,
        error: {
          kind: 'split-missing',
          message: expect.stringContaining("there are 'calib', 'eval'"),
          place: { file: path },
        },
      });
    }
  });
});

describe('random data', () => {
  it('is made up, the same each time, for any split', async () => {
    const spec: DataSpec = { path: '', format: 'random' };
    const read = async (split: string) => {
      const opened = await openSamples(spec, { split, modelInputs: [IMAGE] });
      if (!opened.ok) throw new Error(opened.error.message);
      expect(opened.value).toMatchObject({ isMadeUp: true, count: 32 });
      return opened.value.read(31);
    };
    expect(await read('eval')).toEqual(await read('calib'));
    expect(await read('eval')).toMatchObject({ value: { index: 31, feeds: { x: { dims: [1, 2] } } } });
  });

  it('is what no other data is', async () => {
    const path = await write(npz({ 'eval/x': float32Npy([1, 2], [1, 2]) }));
    const opened = await openSamples({ path }, { split: 'eval', modelInputs: [IMAGE] });
    if (!opened.ok) throw new Error(opened.error.message);
    expect(opened.value.isMadeUp).toBe(false);
    await opened.value.close();
  });
});

describe('what else is known of a sample', () => {
  it('is left out where nobody compares: truths of folders and lines too', async () => {
    const path = fileOf('x.jsonl', '{"x": [1, 2], "label": 3, "group": "g"}\n');
    for (const withTruth of [true, false]) {
      const opened = await openSamples({ path }, { split: 'all', modelInputs: [IMAGE], withTruth });
      if (!opened.ok) throw new Error(opened.error.message);
      const sample = await opened.value.read(0);
      await opened.value.close();
      expect(sample).toMatchObject({ ok: true, value: { id: 'line 1', group: 'g' } });
      expect(sample.ok && sample.value.truth).toEqual(withTruth ? { kind: 'class', index: 3 } : undefined);
    }
  });

  it('is how a picture came to be what is fed', async () => {
    const path = folderOf({ 'a.png': writePng({ width: 2, height: 4, lines: new Uint8Array(12) }) });
    const image = { resize: { width: 1, height: 1 } };
    const modelInputs: ModelInput[] = [{ name: 'x', type: 'float32', dims: ['n', 3, 1, 1] }];
    const opened = await openSamples({ path, preprocess: { image } }, { split: 'all', modelInputs });
    expect(opened.ok && (await opened.value.read(0))).toMatchObject({
      value: {
        id: 'a.png',
        geometry: { width: 2, height: 4, fedWidth: 1, fedHeight: 1, scale: [0.5, 0.25] },
      },
    });
  });
});
