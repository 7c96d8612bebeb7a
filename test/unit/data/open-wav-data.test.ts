import { describe, expect, it } from 'vitest';
import type { DataSpec } from '../../../src/core/data-spec.ts';
import type { ItemCollection } from '../../../src/data/item-collection.ts';
import { openWavData } from '../../../src/data/open-wav-data.ts';
import { unwrap } from '../../support/unwrap.ts';
import { idsOf, truthsOf, valuesOf } from './audio/audio-collections.ts';
import { shorts, wav } from './audio/wav-writer.ts';
import { fileOf, folderOf } from './formats/folder-of-files.ts';

const sound = (...values: number[]) => wav({ data: shorts(values) });
const CLASSES = { 'no/a.wav': sound(1, 2), 'yes/b.wav': sound(3, 4), 'yes/c.wav': sound(5, 6) };

const open = async (path: string, spec: Partial<DataSpec> = {}): Promise<ItemCollection> =>
  unwrap(await openWavData({ path, ...spec }));

async function faultOf(path: string, spec: Partial<DataSpec>): Promise<unknown> {
  const opened = await openWavData({ path, ...spec });
  return opened.ok ? undefined : opened.error;
}

describe('recordings', () => {
  it('have no truth without labels', async () => {
    const collection = await open(folderOf(CLASSES));
    expect(idsOf(collection)).toEqual(['no/a.wav', 'yes/b.wav', 'yes/c.wav']);
    expect(await truthsOf(collection)).toEqual([undefined, undefined, undefined]);
    await collection.close();
  });

  it.each<[string, Partial<DataSpec>]>([
    ['preprocess', { preprocess: { audio: { length: 3 } } }],
    ['the one input that has it', { inputs: { sr: { value: 16000 }, x: { audio: { length: 3 } } } }],
    ['several inputs alike', { inputs: { a: { audio: { length: 3 } }, b: { audio: { length: 3 } } } }],
  ])('are cut as %s says', async (_case, spec) => {
    const collection = await open(folderOf(CLASSES), spec);
    expect(await valuesOf(collection, 0)).toEqual([1, 2, 0]);
    await collection.close();
  });

  it('cannot be cut in two ways', async () => {
    const folder = folderOf(CLASSES);
    const inputs = { a: { audio: { length: 3 } }, b: { audio: { length: 4 } } };
    expect(await faultOf(folder, { inputs })).toMatchObject({
      kind: 'preprocess-invalid',
      place: { file: folder },
    });
  });

  it('need a folder with recordings in it', async () => {
    const folder = folderOf({ 'notes.txt': '' });
    expect(await faultOf(folder, {})).toMatchObject({ kind: 'no-samples', place: { file: folder } });
  });
});

describe('labels of recordings by class folders', () => {
  it('are the positions of the sorted names', async () => {
    const collection = await open(folderOf(CLASSES), { labels: {} });
    expect(await truthsOf(collection)).toEqual([0, 1, 1].map((index) => ({ kind: 'class', index })));
    await collection.close();
  });

  it('are the positions in `classes` where that is given', async () => {
    const collection = await open(folderOf(CLASSES), { labels: { classes: ['yes', 'maybe', 'no'] } });
    expect(await truthsOf(collection)).toEqual([2, 0, 0].map((index) => ({ kind: 'class', index })));
    await collection.close();
  });

  it.each<[string, Readonly<Record<string, Uint8Array>>, DataSpec['labels'], string]>([
    ['a recording lies in no folder', { 'a.wav': sound(1) }, {}, "'a.wav' does not lie in one"],
    ['a recording lies deeper', { 'a/b/c.wav': sound(1) }, {}, "'a/b/c.wav' does not lie in one"],
    ['a folder is not among the classes', CLASSES, { classes: ['yes'] }, "'no' is not among"],
    [
      'a folder is a number that a class could have',
      { '1/a.wav': sound(1) },
      { classes: ['no', 'yes'] },
      "'1' is not",
    ],
    ['another kind is wanted', CLASSES, { kind: 'text' }, "kind 'text' need a file"],
    ['a column is named', CLASSES, { truth: 'word' }, '`labels.truth` has no effect'],
    ['masks are named', CLASSES, { masks: '/masks' }, '`labels.masks` has no effect'],
  ])('are refused where %s', async (_case, files, labels, message) => {
    const folder = folderOf(files);
    expect(await faultOf(folder, labels === undefined ? {} : { labels })).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining(message),
      place: { file: folder },
    });
  });
});

describe('labels of recordings in a file', () => {
  it('are found by path, which may be written in several ways, and choose the recordings', async () => {
    const file = fileOf('labels.csv', 'file,label,speaker\n./yes/b.wav,hello,s1\nno/a.wav,bye,s2\n');
    const labels = { file, kind: 'text', group: 'speaker' } as const;
    const collection = await open(folderOf(CLASSES), { labels });
    expect(idsOf(collection)).toEqual(['no/a.wav', 'yes/b.wav']);
    expect(collection.describe(1)).toEqual({ id: 'yes/b.wav', group: 's1' });
    expect(collection.unused).toEqual(['yes/c.wav']);
    expect(await truthsOf(collection)).toEqual([
      { kind: 'text', text: 'bye' },
      { kind: 'text', text: 'hello' },
    ]);
    await collection.close();
  });

  it('name the line that is wrong', async () => {
    const file = fileOf('labels.csv', 'file,label\nno/a.wav,0\nyes/b.wav,-1\n');
    expect(await faultOf(folderOf(CLASSES), { labels: { file } })).toMatchObject({
      kind: 'labels-invalid',
      place: { file, line: 3 },
    });
  });

  it('may not be for recordings that are not there, nor masks', async () => {
    const file = fileOf('labels.csv', 'file,label\nz.wav,0\n');
    const folder = folderOf(CLASSES);
    expect(await faultOf(folder, { labels: { file } })).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining("'z.wav'"),
    });
    expect(await faultOf(folder, { labels: { file, masks: '/masks' } })).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining('`labels.masks`'),
    });
  });
});
