import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LabelSpec } from '../../../../src/core/data-spec.ts';
import { type Problem, problem } from '../../../../src/core/problem.ts';
import { err, ok, type Result } from '../../../../src/core/result.ts';
import { openImageFolder } from '../../../../src/data/formats/image-folder.ts';
import type { DecodeMask } from '../../../../src/data/formats/image-masks.ts';
import type { ItemCollection } from '../../../../src/data/item-collection.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { folderOf } from './folder-of-files.ts';

const decodeMask: DecodeMask = async (path) =>
  ok({ width: 2, height: 1, data: Uint8Array.of(path.length > 0 ? 7 : 0, 8) });

async function open(folder: string, labels?: LabelSpec): Promise<ItemCollection> {
  return unwrap(await openImageFolder(folder, labels, decodeMask));
}

async function faultOf(folder: string, labels?: LabelSpec): Promise<Problem> {
  const result = await openImageFolder(folder, labels, decodeMask);
  if (result.ok) throw new Error('the folder was opened');
  return result.error;
}

function idsOf(collection: ItemCollection): readonly string[] {
  return Array.from({ length: collection.count }, (_, index) => collection.describe(index).id);
}

async function truthsOf(collection: ItemCollection): Promise<readonly unknown[]> {
  const truths: unknown[] = [];
  for (let i = 0; i < collection.count; i += 1) truths.push(unwrap(await collection.read(i)).truth);
  return truths;
}

describe('the pictures of a folder', () => {
  it('are those with a known ending in any case, sorted by code units, at any depth', async () => {
    const folder = folderOf({ 'b.PNG': '', 'a/z/1.jpeg': '', 'a/10.jpg': '', 'a/9.webp': '', 'B.jpg': '' });
    const collection = await open(folder);
    expect(idsOf(collection)).toEqual(['B.jpg', 'a/10.jpg', 'a/9.webp', 'a/z/1.jpeg', 'b.PNG']);
    expect(collection).toMatchObject({
      path: folder,
      fields: [{ kind: 'image', name: 'image' }],
      unused: [],
    });
    expect(unwrap(await collection.read(1))).toEqual({
      fields: { image: { kind: 'image', encoded: join(folder, 'a/10.jpg') } },
    });
  });

  it('leave the rest unused, and say so', async () => {
    const folder = folderOf({
      'a.jpg': '',
      '.b.jpg': '',
      '.git/c.jpg': '',
      'notes.txt': '',
      'd.jpg.bak': '',
    });
    const { unused } = await open(folder);
    expect(unused).toEqual(['.b.jpg (hidden)', '.git (hidden)', 'd.jpg.bak', 'notes.txt']);
  });

  it('may be links, but not out of the folder, to folders, or to nothing', async () => {
    const outside = folderOf({ 'x.jpg': '' });
    const folder = folderOf({ 'a.jpg': '', 'sub/b.jpg': '' });
    symlinkSync(join(folder, 'sub/b.jpg'), join(folder, 'in.jpg'));
    symlinkSync(join(outside, 'x.jpg'), join(folder, 'out.jpg'));
    symlinkSync(folder, join(folder, 'sub', 'loop'));
    symlinkSync(join(folder, 'sub'), join(folder, 'dir'));
    symlinkSync(`${folder}-other`, join(folder, 'none.jpg'));
    const collection = await open(folder);
    expect(idsOf(collection)).toEqual(['a.jpg', 'in.jpg', 'sub/b.jpg']);
    expect(collection.unused).toEqual([
      'dir (a link, but not to a file)',
      'none.jpg (a link to nothing)',
      'out.jpg (a link out of the folder)',
      'sub/loop (a link, but not to a file)',
    ]);
  });

  it('have no truth unless labels are asked for, also in class folders', async () => {
    const collection = await open(folderOf({ 'cat/1.jpg': '', 'dog/2.jpg': '' }));
    expect(await truthsOf(collection)).toEqual([undefined, undefined]);
  });

  it('must be there', async () => {
    expect(await faultOf(folderOf({}))).toMatchObject({
      kind: 'no-samples',
      message: 'the folder holds no pictures: it is empty',
    });
    const folder = folderOf({ 'a.txt': '', 'b.txt': '', 'c.txt': '', 'd.txt': '' });
    expect(await faultOf(folder)).toMatchObject({
      message: 'the folder holds no pictures: it holds a.txt, b.txt, c.txt and 1 more',
      place: { file: folder },
    });
    expect(await faultOf(join(folder, 'a.txt'))).toMatchObject({
      kind: 'data-unreadable',
      message: 'the data is not a folder',
    });
    expect(await faultOf(join(folder, 'none'))).toMatchObject({ kind: 'data-unreadable' });
  });

  it('have one content key where they are copies, by size and by both ends', async () => {
    const bytes = (size: number, change: number) => {
      const content = Buffer.alloc(size, 1);
      if (change >= 0) content[change] = 2;
      return content;
    };
    const folder = folderOf({
      'a.jpg': bytes(100_000, -1),
      'b.jpg': bytes(100_000, -1),
      'c.jpg': bytes(100_001, -1),
      'd.jpg': bytes(100_000, 16_383),
      'e.jpg': bytes(100_000, 100_000 - 16_384),
      'f.jpg': bytes(100_000, 50_000),
      'g.jpg': bytes(20_000, 17_000),
      'h.jpg': bytes(20_000, -1),
      'i.jpg': '',
    });
    const collection = await open(folder);
    const keys = await Promise.all(
      Array.from({ length: 9 }, async (_, index) => unwrap(await collection.contentKey(index))),
    );
    const [a, b, c, d, e, f, g, h, i] = keys;
    expect(a).toMatch(/^[0-9a-f]{64}$/);
    expect(b).toBe(a);
    expect(f).toBe(a);
    expect(new Set([a, c, d, e, g, h, i]).size).toBe(7);
  });

  it('name the item where one has gone since', async () => {
    const folder = folderOf({ 'a.jpg': '' });
    const collection = await open(folder);
    const { rmSync } = await import('node:fs');
    rmSync(join(folder, 'a.jpg'));
    expect(await collection.contentKey(0)).toMatchObject({
      ok: false,
      error: { kind: 'data-unreadable', place: { file: join(folder, 'a.jpg'), sample: 0 } },
    });
  });
});

describe('class folders', () => {
  const files = { 'dog/1.jpg': '', 'cat/2.jpg': '', 'cat/3.jpg': '' };
  const classes = (...indices: number[]) => indices.map((index) => ({ kind: 'class', index }));

  it('are numbered in the order of their names, or of the given classes', async () => {
    expect(await truthsOf(await open(folderOf(files), {}))).toEqual(classes(0, 0, 1));
    expect(await truthsOf(await open(folderOf(files), { kind: 'class' }))).toEqual(classes(0, 0, 1));
    const labels: LabelSpec = { classes: ['bird', 'dog', 'cat'] };
    expect(await truthsOf(await open(folderOf(files), labels))).toEqual(classes(2, 2, 1));
  });

  it('are taken by their names where these are numbers', async () => {
    const folder = folderOf({ '10/a.jpg': '', '9/b.jpg': '' });
    expect(await truthsOf(await open(folder, {}))).toEqual(classes(0, 1));
  });

  it.each([
    ['a picture in none', { ...files, 'x.jpg': '' }, {}, "'x.jpg' lies in none"],
    ['a picture deeper', { ...files, 'cat/a/4.jpg': '' }, {}, "'cat/a/4.jpg' lies deeper"],
    ['a folder of an unknown class', files, { classes: ['cat', 'bird'] }, "the folder 'dog' is not among"],
    [
      'a folder of a number among names',
      { '0/a.jpg': '' },
      { classes: ['cat', 'bird'] },
      "the folder '0' is not among",
    ],
    ['a class that stands twice', files, { classes: ['cat', 'dog', 'cat'] }, "the class 'cat' stands twice"],
    ['a kind that folders cannot tell', files, { kind: 'boxes' }, "labels of the kind 'boxes' need a file"],
    [
      'a column without a file',
      files,
      { truth: 'x' },
      '`labels.truth` has no effect here: there is no `labels.file`',
    ],
    ['masks that are not asked for', files, { masks: '/m' }, '`labels.masks` has no effect here'],
  ] as const)('are refused with %s', async (_what, held, labels, message) => {
    const folder = folderOf(held);
    expect(await faultOf(folder, labels)).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining(message),
      place: { file: folder },
    });
  });
});

describe('a file of labels', () => {
  it('chooses the pictures, and may lie among them', async () => {
    const folder = folderOf({
      'a.jpg': '',
      'sub/b.jpg': '',
      'c.jpg': '',
      'labels.csv': 'file,label,by\nsub/b.jpg,1,x\na.jpg,0,y\n',
    });
    const collection = await open(folder, { file: join(folder, 'labels.csv'), group: 'by' });
    expect(idsOf(collection)).toEqual(['a.jpg', 'sub/b.jpg']);
    expect(collection.describe(1)).toEqual({ id: 'sub/b.jpg', group: 'x' });
    expect(await truthsOf(collection)).toEqual([
      { kind: 'class', index: 0 },
      { kind: 'class', index: 1 },
    ]);
    expect(collection.unused).toEqual(['c.jpg (without a label)']);
  });

  it('must name pictures that are there, and tells the line', async () => {
    const folder = folderOf({ 'a.jpg': '', 'l.csv': 'file,label\na.jpg,0\nb.jpg,1\n' });
    expect(await faultOf(folder, { file: join(folder, 'l.csv') })).toMatchObject({
      kind: 'labels-invalid',
      message: "the label is for 'b.jpg', but the folder has no such picture",
      place: { file: join(folder, 'l.csv'), line: 3 },
    });
    writeFileSync(join(folder, 'l.csv'), 'file,label\n');
    expect((await faultOf(folder, { file: join(folder, 'l.csv') })).message).toBe('no picture has a label');
  });

  it("may be COCO's, for boxes only", async () => {
    const coco = { images: [{ id: 1, file_name: 'a.jpg' }], categories: [], annotations: [] };
    const folder = folderOf({
      'images/a.jpg': '',
      'images/b.jpg': '',
      'instances.json': JSON.stringify(coco),
    });
    const file = join(folder, 'instances.json');
    const collection = await open(join(folder, 'images'), { file, kind: 'boxes' });
    expect(idsOf(collection)).toEqual(['a.jpg']);
    expect(await truthsOf(collection)).toEqual([{ kind: 'boxes', boxes: [] }]);
    expect((await faultOf(join(folder, 'images'), { file })).message).toContain(
      'taken for COCO, which holds boxes',
    );
    expect((await faultOf(join(folder, 'images'), { file, kind: 'boxes', truth: 'x' })).message).toContain(
      '`labels.truth` has no effect',
    );
    expect(await faultOf(folder, { file, kind: 'boxes' })).toMatchObject({
      message: "the label is for 'a.jpg', but the folder has no such picture",
      place: { file, field: '/images/0/file_name' },
    });
  });
});

describe('masks', () => {
  const files = {
    'images/a.jpg': '',
    'images/sub/b.jpeg': '',
    'images/c.jpg': '',
    'masks/a.png': '',
    'masks/sub/b.png': '',
  };

  it('are found by the names of the pictures and decoded when an item is read', async () => {
    const folder = folderOf({ ...files, 'masks/x.png': '', 'masks/notes.txt': '' });
    const masks = join(folder, 'masks');
    const decoded: string[] = [];
    const collection = unwrap(
      await openImageFolder(join(folder, 'images'), { kind: 'mask', masks }, (path) => {
        decoded.push(path);
        return decodeMask(path);
      }),
    );
    expect(idsOf(collection)).toEqual(['a.jpg', 'sub/b.jpeg']);
    expect(collection.unused).toEqual([
      `${masks}/notes.txt`,
      `${masks}/x.png (without a picture)`,
      'c.jpg (without a mask)',
    ]);
    expect(decoded).toEqual([]);
    expect(unwrap(await collection.read(1)).truth).toEqual({
      kind: 'tensor',
      dims: [1, 2],
      values: Uint8Array.of(7, 8),
    });
    expect(decoded).toEqual([join(masks, 'sub/b.png')]);
  });

  it('are no pictures where their folder lies among these', async () => {
    const folder = folderOf({ 'a.jpg': '', 'masks/a.png': '', 'masksets/a.jpg': '' });
    const collection = await open(folder, { kind: 'mask', masks: join(folder, 'masks') });
    expect(idsOf(collection)).toEqual(['a.jpg']);
    expect(collection.unused).toEqual(['masksets/a.jpg (without a mask)']);
  });

  it('are refused without a folder of their own, with a file, and where none fits', async () => {
    const folder = folderOf(files);
    const [images, masks] = [join(folder, 'images'), join(folder, 'masks')];
    const kind = 'mask';
    expect((await faultOf(images, { kind })).message).toBe(
      "labels of the kind 'mask' need a folder of masks",
    );
    expect((await faultOf(images, { kind, masks: images })).message).toContain(
      'the masks lie among the pictures',
    );
    expect((await faultOf(images, { kind, masks, file: masks })).message).toContain(
      '`labels.file` has no effect',
    );
    expect((await faultOf(images, { kind, masks: join(folder, 'none') })).kind).toBe('data-unreadable');
    expect((await faultOf(images, { kind, masks: join(masks, 'sub') })).message).toBe(
      "no picture has a mask; that of 'a.jpg' would be 'a.png'",
    );
  });

  it.each<[string, Result<never, Problem> | Awaited<ReturnType<DecodeMask>>, string]>([
    ['cannot be decoded', err(problem('image-unreadable', 'broken')), 'image-unreadable'],
    ['has several channels', ok({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) }), 'labels-invalid'],
  ])('name file and item where one %s', async (_what, result, kind) => {
    const folder = folderOf(files);
    const labels: LabelSpec = { kind: 'mask', masks: join(folder, 'masks') };
    const collection = unwrap(await openImageFolder(join(folder, 'images'), labels, async () => result));
    expect(await collection.read(1)).toMatchObject({
      ok: false,
      error: { kind, place: { file: join(folder, 'masks/sub/b.png'), sample: 1 } },
    });
  });
});
