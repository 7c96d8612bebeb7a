import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LabelSpec } from '../../../../src/core/data-spec.ts';
import { openJsonl } from '../../../../src/data/formats/jsonl.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { fileOf } from './folder-of-files.ts';

async function open(lines: readonly unknown[], labels?: LabelSpec) {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  return unwrap(await openJsonl(fileOf('items.jsonl', text), labels));
}

async function faultOf(lines: readonly unknown[], labels?: LabelSpec) {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const file = fileOf('items.jsonl', text);
  const result = await openJsonl(file, labels);
  if (result.ok) throw new Error('the file was opened');
  expect(result.error.place?.file).toBe(file);
  return { kind: result.error.kind, message: result.error.message, line: result.error.place?.line };
}

async function itemsOf(lines: readonly unknown[], labels?: LabelSpec) {
  const collection = await open(lines, labels);
  const items = Array.from({ length: collection.count }, async (_, index) =>
    unwrap(await collection.read(index)),
  );
  const all = await Promise.all(items);
  await collection.close();
  return all;
}

describe('the fields', () => {
  it('are the keys of the first line: texts, numbers and nested numbers', async () => {
    const collection = await open([{ text: 'héllo', mask: [[1, 0]], age: 7, pixels: [[0.5], [1], [2]] }]);
    expect(collection.fields).toEqual([
      { kind: 'text', name: 'text' },
      { kind: 'tensor', name: 'mask', type: 'int64', dims: [1, 2] },
      { kind: 'tensor', name: 'age', type: 'int64', dims: [] },
      { kind: 'tensor', name: 'pixels', type: 'float32', dims: [3, 1] },
    ]);
    expect(unwrap(await collection.read(0))).toEqual({
      fields: {
        text: { kind: 'text', text: 'héllo' },
        mask: { kind: 'tensor', tensor: { type: 'int64', dims: [1, 2], data: BigInt64Array.of(1n, 0n) } },
        age: { kind: 'tensor', tensor: { type: 'int64', dims: [], data: BigInt64Array.of(7n) } },
        pixels: {
          kind: 'tensor',
          tensor: { type: 'float32', dims: [3, 1], data: Float32Array.of(0.5, 1, 2) },
        },
      },
    });
    await collection.close();
  });

  it('are floats in all lines where one line has a fraction, be it the last', async () => {
    const items = await itemsOf([{ x: [0, 0] }, { x: [-1, 2] }, { x: [0.25, 1] }]);
    const tensors = items.map(({ fields }) => fields['x']);
    const values = [
      [0, 0],
      [-1, 2],
      [0.25, 1],
    ];
    expect(tensors).toEqual(
      values.map((row) => ({
        kind: 'tensor',
        tensor: { type: 'float32', dims: [2], data: Float32Array.from(row) },
      })),
    );
  });

  it('have no dims of their own where these vary from line to line, but each item has', async () => {
    const lines = [
      { x: [1], y: 1 },
      { x: [2, 3], y: 2 },
      { x: [], y: 3 },
    ];
    const collection = await open(lines);
    expect(collection.fields).toEqual([
      { kind: 'tensor', name: 'x', type: 'int64', dims: undefined },
      { kind: 'tensor', name: 'y', type: 'int64', dims: [] },
    ]);
    expect(unwrap(await collection.read(2)).fields['x']).toMatchObject({ tensor: { dims: [0] } });
    await collection.close();
  });

  it('may have any name', async () => {
    const [item] = await itemsOf(['{"__proto__": 1, "constructor": "a"}']);
    expect(Object.keys(item?.fields ?? {})).toEqual(['__proto__', 'constructor']);
  });

  it('leave keys unused that hold neither, or that only later lines have', async () => {
    const collection = await open([
      { text: 'a', meta: { a: 1 }, flag: true, none: null, words: ['a', 'b'] },
      { text: 'b', more: 1 },
      { text: 'c', more: 2 },
    ]);
    expect(collection.fields).toEqual([{ kind: 'text', name: 'text' }]);
    expect(collection.unused).toEqual([
      "'meta' (an object in line 1, neither numbers nor a text)",
      "'flag' (true in line 1, neither numbers nor a text)",
      "'none' (null in line 1, neither numbers nor a text)",
      "'words' (an array of 2 in line 1, neither numbers nor a text)",
      "'more' (first in line 2; the first line does not have it)",
    ]);
    await collection.close();
  });

  it.each([
    [
      'ragged',
      [{ x: [[1, 2]] }, { x: [[1, 2], [3]] }],
      "'x' cannot be read as numbers: it is ragged: an array of 1 stands beside one of 2",
    ],
    [
      'texts among numbers',
      [{ x: [1] }, { x: [1, 'a'] }],
      "'x' cannot be read as numbers: it holds the text 'a', not a number",
    ],
    ['null', [{ x: 1 }, { x: null }], "'x' cannot be read as numbers: it holds null, not a number"],
    ['missing', [{ x: 1, y: 1 }, { y: 1 }], "the line has no 'x', which the first line has"],
    [
      'a text later',
      [{ x: 1 }, { x: '1' }],
      "'x' cannot be read as numbers: it holds the text '1', not a number",
    ],
    ['a number later', [{ x: 'a' }, { x: 1 }], "'x' is 1, but in the first line a text"],
  ])('are refused where they are %s, and the line', async (_what, lines, message) => {
    expect(await faultOf(lines)).toEqual({ kind: 'item-invalid', message, line: 2 });
  });

  it('are refused where a number cannot be kept', async () => {
    expect(await faultOf([{ x: 1 }, '{"x": 9007199254740993}'])).toEqual({
      kind: 'value-unrepresentable',
      message: "'x' holds a whole number above 2^53, which JSON does not keep exactly",
      line: 2,
    });
    expect(await faultOf([{ x: 0.5 }, '{"x": 1e39}'])).toMatchObject({
      message: "'x' holds a number too large for float32",
      line: 2,
    });
    const [item] = await itemsOf([{ x: [0.5, 3.4028235e38] }]);
    expect(item?.fields['x']).toMatchObject({ tensor: { data: Float32Array.of(0.5, 3.4028235e38) } });
    const [large] = await itemsOf([{ x: [-9007199254740991] }]);
    expect(large?.fields['x']).toMatchObject({ tensor: { data: BigInt64Array.of(-9007199254740991n) } });
  });
});

describe('the file', () => {
  it('may have a byte order mark, CRLF, blank lines and no last line break, and problems count all lines', async () => {
    const items = await itemsOf(['\ufeff{"x": 1}\r', '', '  \r', '{"x": 2}']);
    expect(items.map(({ fields }) => fields['x'])).toMatchObject([
      { tensor: { data: BigInt64Array.of(1n) } },
      { tensor: { data: BigInt64Array.of(2n) } },
    ]);
    expect(await faultOf(['{"x": 1}\r', '', '{"x": }'])).toMatchObject({ kind: 'item-invalid', line: 3 });
    expect(await faultOf(['{"x": 1}', '[]'])).toMatchObject({
      line: 2,
      message: 'the line holds an array of 0, not an object',
    });
  });

  it('must hold something', async () => {
    expect(await faultOf(['', ' '])).toMatchObject({
      kind: 'no-samples',
      message: expect.stringContaining('no line that is not blank'),
    });
    expect(await faultOf([{ id: 1, label: 0 }])).toMatchObject({
      kind: 'no-samples',
      message: expect.stringContaining('no key of its first line'),
    });
    expect(await openJsonl('/none/items.jsonl')).toMatchObject({
      ok: false,
      error: { kind: 'data-unreadable' },
    });
  });

  it('is read again for each item, and a line that has changed since is named with the item', async () => {
    const file = fileOf('items.jsonl', '{"x": 1}\n\n{"x": 2}\n');
    const collection = unwrap(await openJsonl(file));
    writeFileSync(file, '{"x": 1}\n\n{"y": 2}\n');
    expect(await collection.read(1)).toMatchObject({
      ok: false,
      error: {
        kind: 'item-invalid',
        message: "the line has no 'x', which the first line has",
        place: { file, line: 3, sample: 1 },
      },
    });
    await collection.close();
  });

  it('may have become shorter, which spares the items before', async () => {
    const file = fileOf('items.jsonl', '{"x": 1}\n{"x": 2}\n');
    const collection = unwrap(await openJsonl(file));
    writeFileSync(file, '{"x": 1}\n');
    expect(await collection.read(1)).toMatchObject({
      ok: false,
      error: { kind: 'data-unreadable', place: { file, sample: 1 } },
    });
    expect((await collection.read(0)).ok).toBe(true);
    await collection.close();
  });
});

describe('what is known of an item', () => {
  it('is its line where it has no id', async () => {
    const collection = await open([{ x: 1 }, '', { x: 2 }]);
    expect([collection.describe(0), collection.describe(1)]).toEqual([{ id: 'line 1' }, { id: 'line 3' }]);
    await collection.close();
  });

  it('is its id, its group and its sequence where it has them', async () => {
    const collection = await open([
      { id: 'a', x: 1, group: 'g', sequence: 4 },
      { id: 7, x: 1, group: 2, sequence: 'end' },
    ]);
    expect(collection.fields).toHaveLength(1);
    expect(collection.describe(0)).toEqual({ id: 'a', group: 'g', sequence: '4' });
    expect(collection.describe(1)).toEqual({ id: '7', group: '2', sequence: 'end' });
    await collection.close();
  });

  it('may be a group under another key, and then `group` is a field', async () => {
    const collection = await open([{ x: 1, by: 'g', group: 3 }], { group: 'by' });
    expect(collection.describe(0).group).toBe('g');
    expect(collection.fields.map(({ name }) => name)).toEqual(['x', 'group']);
    await collection.close();
  });

  it.each([
    [
      'an id twice',
      [
        { x: 1, id: 'a' },
        { x: 1, id: 'a' },
      ],
      undefined,
      'item-invalid',
      "the id 'a' stands in line 1 already",
    ],
    [
      'an id that is none',
      [
        { x: 1, id: 'a' },
        { x: 1, id: null },
      ],
      undefined,
      'item-invalid',
      'the id is null',
    ],
    [
      'no id later',
      [{ x: 1, id: 'a' }, { x: 1 }],
      undefined,
      'item-invalid',
      "the line has no 'id', which the first line has",
    ],
    [
      'no group later',
      [{ x: 1, group: 'a' }, { x: 1 }],
      undefined,
      'item-invalid',
      "the line has no 'group', which the first line has",
    ],
    [
      'a group that is none',
      [
        { x: 1, group: 'a' },
        { x: 1, group: [] },
      ],
      undefined,
      'labels-invalid',
      'the group is an array of 0, not a text or a whole number',
    ],
    [
      'a sequence that is none',
      [
        { x: 1, sequence: 1 },
        { x: 1, sequence: 1.5 },
      ],
      undefined,
      'sequence-invalid',
      'the sequence is 1.5',
    ],
  ] as const)('is refused with %s', async (_what, lines, labels, kind, message) => {
    expect(await faultOf(lines, labels)).toEqual({ kind, message, line: 2 });
  });

  it('is refused where the group that is asked for is not there', async () => {
    expect(await faultOf([{ x: 1 }], { group: 'by' })).toEqual({
      kind: 'labels-invalid',
      message: "the line has no 'by'; its keys are 'x'",
      line: 1,
    });
  });
});

describe('the truth', () => {
  it('is the class under `label` where there is one', async () => {
    const items = await itemsOf([
      { x: 1, label: 3 },
      { x: 2, label: 0 },
    ]);
    expect(items.map(({ truth }) => truth)).toEqual([
      { kind: 'class', index: 3 },
      { kind: 'class', index: 0 },
    ]);
    expect(items[0]?.fields).not.toHaveProperty('label');
    expect((await itemsOf([{ x: 1 }]))[0]).not.toHaveProperty('truth');
    expect((await itemsOf([{ x: 1 }], {}))[0]).not.toHaveProperty('truth');
  });

  it('is of the kind and under the key that the settings name', async () => {
    const [item] = await itemsOf([{ text: 'hallo', label: 1, target: 'hello' }], {
      kind: 'text',
      truth: 'target',
    });
    expect(item?.truth).toEqual({ kind: 'text', text: 'hello' });
    expect(Object.keys(item?.fields ?? {})).toEqual(['text', 'label']);
    const [tagged] = await itemsOf([{ text: 'a b', label: ['O', 'B'] }], { kind: 'tags' });
    expect(tagged?.truth).toEqual({ kind: 'tags', tags: ['O', 'B'] });
  });

  it('is checked in all lines when the file is opened', async () => {
    const lines = [
      { x: 1, label: 0 },
      { x: 1, label: 'pos' },
    ];
    expect(await faultOf(lines)).toEqual({
      kind: 'labels-invalid',
      message: "the label is the text 'pos', not the number of a class",
      line: 2,
    });
    expect(await faultOf([{ x: 1, label: 0 }, { x: 1 }])).toMatchObject({
      line: 2,
      message: "the line has no 'label', which the first line has",
    });
    expect(await itemsOf(lines, { classes: ['neg', 'pos'] })).toMatchObject([
      { truth: { index: 0 } },
      { truth: { index: 1 } },
    ]);
  });

  it('is refused where it is asked for and not there, or is asked for elsewhere', async () => {
    const message = "the line has no 'label'; its keys are 'x'";
    expect(await faultOf([{ x: 1 }], { kind: 'class' })).toEqual({
      kind: 'labels-invalid',
      message,
      line: 1,
    });
    expect(await faultOf([{ x: 1 }], { classes: ['a'] })).toMatchObject({ message });
    expect(await faultOf([{ x: 1 }], { truth: 'label' })).toMatchObject({ message });
    expect(await faultOf([{ x: 1 }], { file: '/l.csv' })).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining('`labels.file` has no effect here'),
    });
    expect(await faultOf([{ x: 1, label: 1 }], { kind: 'mask' })).toMatchObject({ kind: 'labels-invalid' });
  });
});

it('lines that feed the same have one content key, whatever their ids, labels and blanks', async () => {
  const collection = await open([
    { id: 1, x: [1, 2], label: 0 },
    '{"label": 1, "x": [1,2.0],   "id": 2}',
    { id: 3, x: [1, 3], label: 0 },
  ]);
  const keys = await Promise.all([0, 1, 2].map(async (index) => unwrap(await collection.contentKey(index))));
  expect(keys[0]).toBe(keys[1]);
  expect(keys[0]).not.toBe(keys[2]);
  await collection.close();
});
