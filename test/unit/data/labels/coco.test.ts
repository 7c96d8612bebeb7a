import { describe, expect, it } from 'vitest';
import type { LabelSpec } from '../../../../src/core/data-spec.ts';
import { readCoco } from '../../../../src/data/labels/coco.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { fileOf } from '../formats/folder-of-files.ts';

const categories = [
  { id: 18, name: 'dog' },
  { id: 3, name: 'car' },
];
const images = [
  { id: 11, file_name: 'a.jpg' },
  { id: 12, file_name: 'sub/b.jpg' },
];
const annotation = { id: 1, image_id: 11, category_id: 18, bbox: [1, 2, 3, 4], area: 7.5, iscrowd: 0 };

function coco(change: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ images, categories, annotations: [annotation], ...change });
}

async function read(content: string, labels: LabelSpec = { kind: 'boxes' }) {
  const table = unwrap(await readCoco(fileOf('instances.json', content), labels));
  return Object.fromEntries([...table].map(([item, { truth }]) => [item, truth]));
}

async function fault(content: string | Uint8Array, labels: LabelSpec = { kind: 'boxes' }) {
  const file = fileOf('instances.json', content);
  const result = await readCoco(file, labels);
  if (result.ok) throw new Error('the labels were accepted');
  expect(result.error).toMatchObject({ kind: 'labels-invalid', place: { file } });
  return result.error;
}

describe("COCO's annotations", () => {
  const box = { category: 1, x: 1, y: 2, width: 3, height: 4, isCrowd: false, area: 7.5 };

  it('give every image its boxes, with the categories in the order of their ids', async () => {
    const crowd = { ...annotation, category_id: 3, iscrowd: 1 };
    expect(await read(coco({ annotations: [annotation, crowd] }))).toEqual({
      'a.jpg': { kind: 'boxes', boxes: [box, { ...box, category: 0, isCrowd: true }] },
      'sub/b.jpg': { kind: 'boxes', boxes: [] },
    });
  });

  it('have the categories in the order of the given classes, which may be more', async () => {
    const labels: LabelSpec = { kind: 'boxes', classes: ['cat', 'car', 'dog'] };
    expect(await read(coco(), labels)).toMatchObject({ 'a.jpg': { boxes: [{ category: 2 }] } });
  });

  it('may leave out the area and whether it is a crowd', async () => {
    const { area, iscrowd, ...bare } = annotation;
    expect(await read(coco({ annotations: [bare] }))).toMatchObject({
      'a.jpg': { boxes: [{ area: 12, isCrowd: false }] },
    });
  });

  it.each([
    [
      'an image that is not there',
      { annotations: [{ ...annotation, image_id: 9 }] },
      '/annotations/0/image_id',
      'there is no image with the id 9',
    ],
    [
      'a category that is not there',
      { annotations: [{ ...annotation, category_id: 9 }] },
      '/annotations/0/category_id',
      'there is no category with the id 9; the ids are 3, 18',
    ],
    [
      'a box of three numbers',
      { annotations: [{ ...annotation, bbox: [1, 2, 3] }] },
      '/annotations/0/bbox',
      'the box is an array of 3, not [x, y, width, height]',
    ],
    [
      'a box of negative size',
      { annotations: [annotation, { ...annotation, bbox: [1, 2, 3, -4] }] },
      '/annotations/1/bbox',
      'height of the box is -4, not a size in pixels',
    ],
    ['no images', { images: undefined }, '/images', '`images` is nothing, not an array'],
    [
      'an image twice',
      { images: [images[0], { id: 13, file_name: './a.jpg' }] },
      '/images/1/file_name',
      "the image 'a.jpg' stands twice in the file",
    ],
    [
      'an id twice',
      { images: [images[0], { id: 11, file_name: 'c.jpg' }] },
      '/images/1/id',
      'two images have the id 11',
    ],
    [
      'a category twice',
      { categories: [categories[0], categories[0]] },
      '/categories/1/id',
      'two categories have the id 18',
    ],
    [
      'an image without a name',
      { images: [{ id: 1 }] },
      '/images/0/file_name',
      'the name of the image is nothing',
    ],
    [
      'a number among the annotations',
      { annotations: [4] },
      '/annotations/0',
      'here stands 4, not an object',
    ],
  ])('are refused with %s, and the place', async (_what, change, field, message) => {
    expect(await fault(coco(change))).toMatchObject({ message, place: { field } });
  });

  it('are refused where a category is not among the given classes', async () => {
    expect(await fault(coco(), { kind: 'boxes', classes: ['cat', 'car'] })).toMatchObject({
      message: "the category 'dog' is not among `labels.classes`, which are 'cat', 'car'",
      place: { field: '/annotations/0/category_id' },
    });
  });

  it('are refused where the file is no JSON, with line and column', async () => {
    const broken = JSON.stringify({ images, categories }, undefined, 1).replace('"id": 3', '"id": NaN');
    expect(await fault(broken)).toMatchObject({ place: { line: 18, column: 10 } });
    expect((await fault('[]')).message).toBe('here stands an array of 0, not an object');
    expect((await fault(Buffer.from('{"\xe9": 1}', 'latin1'))).message).toBe('the file is not UTF-8');
  });
});
