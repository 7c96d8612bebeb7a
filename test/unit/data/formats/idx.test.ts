import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { LabelSpec } from '../../../../src/core/data-spec.ts';
import { openIdx } from '../../../../src/data/formats/idx.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { fileOf } from './folder-of-files.ts';

const UINT8 = 8;
const INT32 = 12;

/** An idx file: the code of the element type, the dims, and the elements as bytes. */
function idx(code: number, dims: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header[2] = code;
  header[3] = dims.length;
  dims.forEach((dim, axis) => {
    header.writeUInt32BE(dim, 4 + 4 * axis);
  });
  return Buffer.concat([header, data]);
}

const images = idx(UINT8, [3, 2, 1], Uint8Array.of(1, 2, 3, 4, 1, 2));

async function openWith(labels: Uint8Array, settings: LabelSpec = {}, name = 'labels-idx1-ubyte') {
  return openIdx(fileOf('images', images), { file: fileOf(name, labels), ...settings });
}

async function truthsOf(labels: Uint8Array, settings: LabelSpec = {}, name?: string) {
  const collection = unwrap(await openWith(labels, settings, name));
  const truths = [0, 1, 2].map(async (index) => unwrap(await collection.read(index)).truth);
  const values = await Promise.all(truths);
  await collection.close();
  return values;
}

async function faultOf(labels: Uint8Array, settings: LabelSpec = {}) {
  const result = await openWith(labels, settings);
  if (result.ok) throw new Error('the labels were accepted');
  return result.error;
}

async function openingFault(content: Uint8Array, name = 'images') {
  const file = fileOf(name, content);
  const result = await openIdx(file, undefined);
  if (result.ok) throw new Error('the file was opened');
  expect(result.error).toMatchObject({ kind: 'data-invalid', place: { file } });
  return result.error;
}

describe('an idx file', () => {
  it.each([
    ['plain', 'train-images-idx3-ubyte', images],
    ['gzipped', 'train-images-idx3-ubyte.gz', gzipSync(images)],
    [
      'gzipped in two members',
      'a.GZ',
      Buffer.concat([gzipSync(images.subarray(0, 9)), gzipSync(images.subarray(9))]),
    ],
  ])('has its rows as items, %s', async (_what, name, content) => {
    const collection = unwrap(await openIdx(fileOf(name, content), undefined));
    expect(collection).toMatchObject({
      count: 3,
      fields: [{ kind: 'tensor', name: 'image', type: 'uint8', dims: [2, 1] }],
    });
    expect(unwrap(await collection.read(1))).toEqual({
      fields: {
        image: { kind: 'tensor', tensor: { type: 'uint8', dims: [2, 1], data: Uint8Array.of(3, 4) } },
      },
    });
    const keys = await Promise.all(
      [0, 1, 2].map(async (index) => unwrap(await collection.contentKey(index))),
    );
    expect(keys[0]).toBe(keys[2]);
    expect(keys[0]).not.toBe(keys[1]);
    await collection.close();
  });

  it.each([
    [8, 'uint8', '02ff', Uint8Array.of(2, 255)],
    [9, 'int8', '02ff', Int8Array.of(2, -1)],
    [11, 'int16', '0102fffe', Int16Array.of(258, -2)],
    [12, 'int32', '00000102fffffffe', Int32Array.of(258, -2)],
    [13, 'float32', '3f800000c0200000', Float32Array.of(1, -2.5)],
    [14, 'float64', '3ff0000000000000c004000000000000', Float64Array.of(1, -2.5)],
  ])('of the code %d holds %s, the most significant byte first', async (code, type, hex, data) => {
    const collection = unwrap(
      await openIdx(fileOf('a', idx(code, [1, 2], Buffer.from(hex, 'hex'))), undefined),
    );
    expect(unwrap(await collection.read(0)).fields['image']).toEqual({
      kind: 'tensor',
      tensor: { type, dims: [2], data },
    });
    await collection.close();
  });

  it.each([
    ['another file', Buffer.from('\x89PNG....', 'latin1'), "it begins with the bytes '89504e47'"],
    ['an unknown type', idx(10, [1], Uint8Array.of(1)), "it begins with the bytes '00000a01'"],
    ['a first byte that is not zero', Buffer.from('0100080100000001ff', 'hex'), "bytes '01000801'"],
    ['a second byte that is not zero', Buffer.from('0001080100000001ff', 'hex'), "bytes '00010801'"],
    ['an empty file', Buffer.alloc(0), "it begins with the bytes ''"],
    ['a header that is cut short', images.subarray(0, 10), 'the idx header is cut short'],
    [
      'too few bytes',
      images.subarray(0, -1),
      'the header claims uint8 [3,2,1], 6 bytes, but the file holds 5',
    ],
    ['too many bytes', Buffer.concat([images, images]), '6 bytes, but the file holds 28'],
    ['no items', idx(UINT8, [0, 2], Buffer.alloc(0)), 'its shape is [0,2]'],
    ['no dims', idx(UINT8, [], Uint8Array.of(1)), 'its shape is []'],
  ])('is refused where it is %s', async (_what, content, message) => {
    expect((await openingFault(content)).message).toContain(message);
  });

  it('is refused where gzip does not match its name, is damaged or is cut short', async () => {
    expect((await openingFault(gzipSync(images))).hint).toContain('let its name end in .gz');
    expect((await openingFault(images, 'a.gz')).message).toContain('damaged or cut short');
    expect((await openingFault(gzipSync(images).subarray(0, -9), 'a.gz')).message).toContain(
      'damaged or cut short',
    );
    expect(await openIdx(`${fileOf('a', '')}.gz`, undefined)).toMatchObject({
      ok: false,
      error: { kind: 'data-unreadable' },
    });
  });
});

describe('labels of an idx file', () => {
  const classes = (...indices: number[]) => indices.map((index) => ({ kind: 'class', index }));

  it('are classes of any integer type, gzipped or not', async () => {
    const labels = idx(UINT8, [3], Uint8Array.of(7, 0, 255));
    expect(await truthsOf(labels)).toEqual(classes(7, 0, 255));
    expect(await truthsOf(gzipSync(labels), {}, 'labels.gz')).toEqual(classes(7, 0, 255));
    expect(await truthsOf(idx(INT32, [3, 1], Buffer.from('000000010000010000000002', 'hex')))).toEqual(
      classes(1, 256, 2),
    );
  });

  it('may be any numbers, a row each', async () => {
    const labels = idx(13, [3, 2], Buffer.from('3f80000040000000'.repeat(3), 'hex'));
    const truth = { kind: 'tensor', dims: [2], values: Float32Array.of(1, 2) };
    expect(await truthsOf(labels, { kind: 'tensor' })).toEqual([truth, truth, truth]);
  });

  it('are as many as the items', async () => {
    expect(await faultOf(idx(UINT8, [2], Uint8Array.of(1, 2)))).toMatchObject({
      kind: 'sample-count-mismatch',
      message: 'there are 3 items and 2 labels',
    });
  });

  it('are refused where one is negative or beyond the classes, and the item is named', async () => {
    expect(await faultOf(idx(9, [3], Uint8Array.of(1, 255, 1)))).toMatchObject({
      kind: 'labels-invalid',
      message: 'the label is -1; classes are whole numbers from 0',
      place: { sample: 1 },
    });
    expect(await faultOf(idx(UINT8, [3], Uint8Array.of(0, 1, 2)), { classes: ['a', 'b'] })).toMatchObject({
      message: 'the label is 2, but `labels.classes` names the classes 0 to 1',
      place: { sample: 2 },
    });
  });

  it('are refused where they are no classes, of another kind, or somewhere else', async () => {
    const floats = idx(13, [3], Buffer.alloc(12));
    expect((await faultOf(floats)).message).toBe('the labels are float32 [3], not one class an item');
    expect((await faultOf(images)).message).toBe('the labels are uint8 [3,2,1], not one class an item');
    expect((await faultOf(floats, { kind: 'text' })).message).toBe(
      "an idx file cannot hold labels of the kind 'text'",
    );
    expect((await faultOf(floats, { group: 'x' })).message).toContain('`labels.group` has no effect');
    expect(await openIdx(fileOf('images', images), { kind: 'class' })).toMatchObject({
      ok: false,
      error: { kind: 'labels-invalid', hint: 'name it in `labels.file`' },
    });
    expect((await faultOf(Buffer.from('file,label\n'))).kind).toBe('data-invalid');
  });
});
