import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../src/core/item.ts';
import { openWavFolder } from '../../../../src/data/audio/wav-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { folderOf, idsOf, labelsOf, open, problemOf, truthsOf, valuesOf } from './audio-collections.ts';
import { plainFormat, shorts, wav } from './wav-writer.ts';

describe('a folder of whole recordings', () => {
  it('has an item for each .wav file, in the order of their paths', async () => {
    const folder = folderOf({
      'b.wav': [4],
      'a/z.WAV': [1, 2, 3],
      'B.wav': [5],
      'notes.txt': Buffer.from('hi'),
    });
    const collection = await open(folder);
    expect(idsOf(collection)).toEqual(['B.wav', 'a/z.WAV', 'b.wav']);
    expect(collection.describe(0)).toEqual({ id: 'B.wav' });
    expect(collection.fields).toEqual([{ kind: 'tensor', name: 'audio', type: 'float32', dims: undefined }]);
    expect(await valuesOf(collection, 1)).toEqual([1, 2, 3]);
    expect(await valuesOf(collection, 2)).toEqual([4]);
    expect(collection.unused).toEqual([]);
    await collection.close();
  });

  it('cuts and fills with zeros to the length that is asked for', async () => {
    const collection = await open(folderOf({ 'a.wav': [1, 2, 3, 4, 5], 'b.wav': [6] }), {
      audio: { length: 3 },
    });
    expect(collection.fields[0]).toMatchObject({ dims: [3] });
    expect(await valuesOf(collection, 0)).toEqual([1, 2, 3]);
    expect(await valuesOf(collection, 1)).toEqual([6, 0, 0]);
    await collection.close();
  });

  it('resamples the files of another rate, and leaves the others as they are', async () => {
    const tone = Array.from({ length: 200 }, (_, i) => Math.round(8000 * Math.sin(i / 5)));
    const folder = folderOf({
      'a.wav': wav({ format: plainFormat({ sampleRateHz: 8000 }), data: shorts(tone) }),
      'b.wav': tone,
    });
    const collection = await open(folder, { audio: { sampleRate: 16_000 } });
    const doubled = await valuesOf(collection, 0);
    expect(doubled).toHaveLength(400);
    for (let i = 50; i < 150; i += 1)
      expect(Math.abs((doubled[2 * i] ?? 0) - (tone[i] ?? 0))).toBeLessThan(100);
    expect(await valuesOf(collection, 1)).toEqual(tone);
    await collection.close();
  });

  it('resamples each file by its own rate', async () => {
    const at = (sampleRateHz: number) =>
      wav({ format: plainFormat({ sampleRateHz }), data: shorts(new Array(100).fill(1000)) });
    const folder = folderOf({ 'a.wav': at(8000), 'b.wav': at(32_000), 'c.wav': at(8000) });
    const collection = await open(folder, { audio: { sampleRate: 16_000 } });
    const lengths: number[] = [];
    for (let i = 0; i < 3; i += 1) lengths.push((await valuesOf(collection, i)).length);
    expect(lengths).toEqual([200, 50, 200]);
    await collection.close();
  });

  it('reads recordings that are longer than what is held at once', async () => {
    const long = Array.from({ length: 150_000 }, (_, i) => (i % 30_000) + 1);
    const folder = folderOf({ 'a.wav': long });
    const collection = await open(folder);
    expect(await valuesOf(collection, 0)).toEqual(long);
    const slower = await open(folder, { audio: { sampleRate: 8000 } });
    expect((await valuesOf(slower, 0)).filter((value) => value === 0)).toEqual([]);
    await collection.close();
    await slower.close();
  });

  it('may be a single file, or one file of the folder', async () => {
    const folder = folderOf({ 'a.wav': [1], 'sub/b.wav': [2] });
    const single = await open(join(folder, 'sub/b.wav'));
    expect(idsOf(single)).toEqual(['b.wav']);
    expect(await valuesOf(single, 0)).toEqual([2]);
    const only = await open(folder, { onlyFile: 'sub/b.wav' });
    expect(idsOf(only)).toEqual(['sub/b.wav']);
    expect(await problemOf(folder, { onlyFile: 'c.wav' })).toMatchObject({ kind: 'no-samples' });
    await single.close();
    await only.close();
  });

  it('names recordings that it cannot read and hidden files as unused', async () => {
    const folder = folderOf({
      'a.wav': [1],
      'b.flac': [2],
      '._a.wav': Buffer.from('x'),
      '.cache/c.wav': [3],
    });
    const collection = await open(folder);
    expect(idsOf(collection)).toEqual(['a.wav']);
    expect(collection.unused).toEqual(['._a.wav', '.cache/c.wav', 'b.flac']);
    await collection.close();
  });

  it('reports a bad file when it is read, with its item, and goes on with the next', async () => {
    const folder = folderOf({ 'a.wav': Buffer.from('nothing'), 'b.wav': [], 'c.wav': [1] });
    const collection = await open(folder);
    expect(await collection.read(0)).toMatchObject({
      error: { kind: 'wav-invalid', place: { file: join(folder, 'a.wav'), sample: 0 } },
    });
    expect(await collection.read(1)).toMatchObject({
      error: { kind: 'wav-invalid', message: 'the recording has no samples', place: { sample: 1 } },
    });
    expect(await valuesOf(collection, 2)).toEqual([1]);
    await expect(collection.read(3)).rejects.toThrow(RangeError);
    await collection.close();
  });

  it('cannot come from nowhere, from an empty folder, or with nonsensical numbers', async () => {
    expect(await problemOf('/nowhere')).toMatchObject({
      kind: 'wav-unreadable',
      place: { file: '/nowhere' },
    });
    expect(await problemOf(folderOf({ 'a.txt': Buffer.from('x') }))).toMatchObject({ kind: 'no-samples' });
    const folder = folderOf({ 'a.wav': [1] });
    for (const audio of [
      { sampleRate: 0 },
      { sampleRate: 0.5 },
      { length: -1 },
      { frame: { length: 0 } },
      { frame: { length: 1, hop: 0 } },
      { frame: { length: 1, context: -1 } },
    ]) {
      await expect(openWavFolder(folder, { audio })).rejects.toThrow(RangeError);
    }
  });
});

describe('labels of whole recordings', () => {
  const folder = () => folderOf({ 'a.wav': [1], 'b.wav': [2], 'c.wav': [3] });

  it('come with their items, and recordings without one are left out by name', async () => {
    const truth: Truth = { kind: 'class', index: 4 };
    const labels = labelsOf({ 'b.wav': { truth, group: 'speaker 1' }, 'c.wav': { truth } });
    const collection = await open(folder(), { labels });
    expect([collection.describe(0), collection.describe(1)]).toEqual([
      { id: 'b.wav', group: 'speaker 1' },
      { id: 'c.wav' },
    ]);
    expect(await truthsOf(collection)).toEqual([truth, truth]);
    expect(collection.unused).toEqual(['a.wav']);
    await collection.close();
  });

  it('must be for files that exist, and for one at least', async () => {
    const truth: Truth = { kind: 'class', index: 0 };
    expect(
      await problemOf(folder(), { labels: labelsOf({ 'x.wav': { truth }, 'a.wav': { truth } }) }),
    ).toMatchObject({
      kind: 'labels-invalid',
      message: "1 labels are for files that do not exist: 'x.wav'",
    });
    expect(await problemOf(folder(), { labels: labelsOf({}) })).toMatchObject({ kind: 'no-samples' });
  });
});

describe('the content key', () => {
  it('is shared by copies and by the frames of a recording, and by nothing else', async () => {
    const long = Array.from({ length: 40_000 }, (_, i) => i % 1000);
    const files = {
      'a.wav': long,
      'copy.wav': long,
      'first.wav': [9, ...long.slice(1)],
      'last.wav': [...long.slice(0, -1), 9],
      'longer.wav': [...long.slice(0, 20_000), 9, ...long.slice(20_000)],
      'short.wav': [1, 2],
    };
    const whole = await open(folderOf(files));
    const keys: string[] = [];
    for (let i = 0; i < whole.count; i += 1) keys.push(unwrap(await whole.contentKey(i)));
    expect(keys[1]).toBe(keys[0]);
    expect(new Set(keys).size).toBe(5);
    const frames = await open(whole.path, { audio: { frame: { length: 20_000 } } });
    expect([unwrap(await frames.contentKey(0)), unwrap(await frames.contentKey(1))]).toEqual([
      keys[0],
      keys[0],
    ]);
    expect(unwrap(await frames.contentKey(4))).toBe(keys[2]);
    rmSync(join(whole.path, 'a.wav'));
    expect(await whole.contentKey(0)).toMatchObject({
      error: { kind: 'data-unreadable', place: { file: join(whole.path, 'a.wav'), sample: 0 } },
    });
    await whole.close();
    await frames.close();
  });
});
