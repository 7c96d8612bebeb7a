import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeFloat16 } from '../../../src/core/float16.ts';
import type { ElementType } from '../../../src/core/tensor.ts';
import type { Item } from '../../../src/data/item-collection.ts';
import { bindOwnModule } from '../../../src/data/own-preprocessing.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';
import { float32Value, textValue } from '../../support/fake-collection.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const X: ModelInput = { name: 'x', type: 'float32', dims: ['n', 2] };
const AT = { file: 'data', sample: 3 };
const ITEM: Item = { fields: { pixels: float32Value([1, 2]) } };

function moduleOf(source: string): string {
  const path = join(temporaryFolder(), 'mine.mjs');
  writeFileSync(path, source);
  return path;
}

/** What a function, as its source, makes of an item. */
async function prepare(source: string, input: Partial<ModelInput> = {}, item = ITEM) {
  const path = moduleOf(`export ${source}`);
  const { prepare } = unwrap(await bindOwnModule(path, [{ ...X, ...input }]));
  return { path, prepared: await prepare(item, AT, 'a/b.png') };
}

/** What becomes of a value that `preprocess` returns. */
const returning = async (value: string, input: Partial<ModelInput> = {}) =>
  (await prepare(`const preprocess = () => (${value});`, input)).prepared;

const fed = async (...args: Parameters<typeof prepare>) =>
  unwrap((await prepare(...args)).prepared).feeds['x'];

describe('a module of the user', () => {
  it('makes the feeds of an item, at once or later', async () => {
    const body =
      '({ fields: { pixels } }) => ({ x: { dims: pixels.dims, data: pixels.data.map((v) => 2 * v) } });';
    const expected = { type: 'float32', dims: [1, 2], data: Float32Array.of(2, 4) };
    expect(await fed(`const preprocess = ${body}`)).toEqual(expected);
    expect(await fed(`const preprocess = async ${body}`)).toEqual(expected);
  });

  it('is given the name of the item, and all that it holds', async () => {
    const fields: Item['fields'] = {
      pixels: float32Value([1]),
      title: textValue('a'),
      photo: { kind: 'image', encoded: '/data/a.png' },
    };
    const source = `function preprocess(item) {
      const seen = JSON.stringify(item, (key, value) => (ArrayBuffer.isView(value) ? [...value] : value));
      throw new Error(seen);
    }`;
    const { prepared } = await prepare(source, {}, { fields });
    const [, seen = ''] = /threw: (.*)$/.exec(prepared.ok ? '' : prepared.error.message) ?? [];
    expect(JSON.parse(seen)).toEqual({
      index: 3,
      id: 'a/b.png',
      fields: {
        pixels: { type: 'float32', dims: [1], data: [1] },
        title: { text: 'a' },
        photo: { encoded: '/data/a.png' },
      },
    });
  });

  it('feeds every input, whose dimensions are not known before', async () => {
    const path = moduleOf(`export const preprocess = () => ({
      a: { dims: [1], data: Float32Array.of(1) },
      b: { dims: [], data: BigInt64Array.of(2n) },
    });`);
    const inputs: ModelInput[] = [
      { name: 'a', type: 'float32', dims: ['n', 1] },
      { name: 'b', type: 'int64', dims: [] },
    ];
    const { fed, prepare } = unwrap(await bindOwnModule(path, inputs));
    expect(fed).toEqual([
      { name: 'a', type: 'float32', dims: undefined },
      { name: 'b', type: 'int64', dims: undefined },
    ]);
    expect(unwrap(await prepare(ITEM, AT, 'i')).feeds).toEqual({
      a: { type: 'float32', dims: [1, 1], data: Float32Array.of(1) },
      b: { type: 'int64', dims: [], data: BigInt64Array.of(2n) },
    });
  });

  it.each<[ElementType, string, unknown]>([
    ['float64', 'Float64Array.of(1, 2)', Float64Array.of(1, 2)],
    ['float16', 'Float32Array.of(0.5, 2)', Uint16Array.of(encodeFloat16(0.5), encodeFloat16(2))],
    ['int8', 'Int32Array.of(-1, 2)', Int8Array.of(-1, 2)],
    ['bool', 'Uint8Array.of(0, 1)', Uint8Array.of(0, 1)],
    ['uint64', 'BigInt64Array.of(1n, 2n)', BigUint64Array.of(1n, 2n)],
  ])('may give numbers for %s as %s', async (type, array, data) => {
    const prepared = await returning(`{ x: { dims: [2], data: ${array} } }`, { type });
    expect(unwrap(prepared).feeds['x']).toEqual({ type, dims: [1, 2], data });
  });

  it.each(['[2]', '[1, 2]'])('may give the dimensions as %s, with or without a leading 1', async (dims) => {
    const prepared = await returning(`{ x: { dims: ${dims}, data: Float32Array.of(1, 2) } }`);
    expect(unwrap(prepared).feeds['x']?.dims).toEqual([1, 2]);
  });
});

describe('a module that cannot be used', () => {
  it.each<[string, string, string]>([
    ['exports something else', 'export const prepare = () => ({});', 'exports no function'],
    ['exports no function', 'export const preprocess = {};', 'exports no function'],
    ['exports by default', 'export default () => ({});', 'exports no function'],
    ['is no JavaScript', 'export function (', 'cannot be loaded'],
    ['throws while it is loaded', "throw new Error('no weights');", 'no weights'],
  ])('%s', async (_case, source, message) => {
    const path = moduleOf(source);
    expect(await bindOwnModule(path, [X])).toMatchObject({
      ok: false,
      error: {
        kind: 'preprocess-module-invalid',
        message: expect.stringContaining(message),
        place: { file: path },
      },
    });
  });

  it('is not there', async () => {
    const path = join(temporaryFolder(), 'none.mjs');
    expect(await bindOwnModule(path, [X])).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-module-invalid', place: { file: path } },
    });
  });
});

describe('what a module may not return', () => {
  const two = 'data: Float32Array.of(1, 2)';

  it.each<[string, string, string]>([
    ['nothing', 'undefined', 'returned no object'],
    ['null', 'null', 'returned no object'],
    ['a number', '7', 'returned no object'],
    ['another input', `{ y: { dims: [2], ${two} } }`, "'x' is missing"],
    ['nothing for an input', '{ x: undefined }', "'x' is missing"],
    ['null for an input', '{ x: null }', "'x' has no `dims`"],
    ['a bare array', '{ x: Float32Array.of(1, 2) }', "'x' has no `dims`"],
    ['dimensions that are no list', `{ x: { dims: 2, ${two} } }`, "'x' has no `dims`"],
    ['dimensions that are not whole', `{ x: { dims: [1.5], ${two} } }`, "'x' has no `dims`"],
    ['negative dimensions', `{ x: { dims: [-1, -2], ${two} } }`, "'x' has no `dims`"],
    ['no data', '{ x: { dims: [2] } }', "'x' has no `data`"],
    ['null for data', '{ x: { dims: [2], data: null } }', "'x' has no `data`"],
    ['a plain list', '{ x: { dims: [2], data: [1, 2] } }', "'x' has no `data`"],
    ['too few elements', `{ x: { dims: [3], ${two} } }`, '2 elements for the dimensions [3]'],
    ['another shape', `{ x: { dims: [2, 1], ${two} } }`, "is [2,1], the model's input is [n,2]"],
    ['a number that is too large', '{ x: { dims: [2], data: Float64Array.of(1, 1e300) } }', 'holds 1e+300'],
  ])('%s', async (_case, value, message) => {
    expect(await returning(value)).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-module-failed', message: expect.stringContaining(message), place: AT },
    });
  });

  it('floats for integers', async () => {
    expect(await returning(`{ x: { dims: [2], ${two} } }`, { type: 'int64' })).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("is float32, the model's input is int64") },
    });
  });

  it('is said with the keys that there are', async () => {
    expect(await returning('{ image: 1, mask: 2 }')).toMatchObject({
      ok: false,
      error: { hint: "its keys are 'image', 'mask'" },
    });
  });
});

describe('a module that fails on an item', () => {
  it.each([
    ['throws', "const preprocess = () => { throw new Error('too dark'); };", 'preprocess threw: too dark'],
    [
      'throws something else',
      "const preprocess = () => { throw 'too dark'; };",
      'preprocess threw: too dark',
    ],
    [
      'rejects',
      "const preprocess = async () => { throw new Error('too dark'); };",
      'preprocess threw: too dark',
    ],
  ])('%s, which names the module and the sample', async (_case, source, message) => {
    const { path, prepared } = await prepare(source);
    expect(prepared).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-module-failed', message: `${path}: ${message}`, place: AT },
    });
  });
});
