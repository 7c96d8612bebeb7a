import { writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { unwrap } from '../../../support/unwrap.ts';
import { fileOf } from './folder-of-files.ts';
import { b64, faultOf, openFile } from './perf-analyzer-file.ts';

describe('a file that perf_analyzer could not have', () => {
  const x = [1, 2, 3, 4];

  it.each([
    [
      'no object',
      '[1]',
      'data-invalid',
      'the file is not JSON: an object was expected',
      { line: 1, column: 1 },
    ],
    [
      'cut short',
      '{"data": [\n{"x": [1, 2',
      'data-invalid',
      'the file is not JSON: the file ends in the middle',
      { line: 2, column: 12 },
    ],
    [
      'empty',
      '',
      'data-invalid',
      'the file is not JSON: the file ends in the middle',
      { line: 1, column: 1 },
    ],
    [
      'binary',
      '\0\0\0',
      'data-invalid',
      'the file is not JSON: an object was expected',
      { line: 1, column: 1 },
    ],
    ['without data', '{"dat": []}', 'data-invalid', "the file has no list 'data'", { field: '/data' }],
    [
      'with data that is no list',
      '{"data": {"x": [1]}}',
      'data-invalid',
      "the file has no list 'data'",
      { field: '/data' },
    ],
    [
      'without entries',
      '{"data": []}',
      'no-samples',
      "the file holds no items: its list 'data' is empty",
      { field: '/data' },
    ],
    [
      'with nothing to feed',
      '{"data": [{"timestamp": [1], "note": "a"}]}',
      'no-samples',
      'the file holds no items: its first entry holds nothing to feed',
      { field: '/data' },
    ],
    [
      'with NaN',
      '{"data": [{"x": [1, NaN, 3, 4]}]}',
      'item-invalid',
      /^the entry is not JSON: /,
      { line: 1, field: '/data/0' },
    ],
    [
      'nested too deeply',
      `{"data": [${'['.repeat(9999)}`,
      'data-invalid',
      /nested deeper than 256$/,
      { line: 1 },
    ],
  ])('is told to be %s', async (_what, text, kind, message, place) => {
    expect(await faultOf(text)).toMatchObject({
      kind,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      place,
    });
  });

  it.each([
    ['no object', 7, '/data/1', 'the entry is 7, not an object'],
    ['no value', { y: x }, '/data/1', "the entry has no 'x', which the first one has"],
    ['a lone number', { x: 5 }, '/data/1/x', 'it is 5'],
    ['null', { x: null }, '/data/1/x', 'it is null'],
    ['no content', { x: { shape: [4] } }, '/data/1/x', "it has neither 'content' nor 'b64'"],
    ['content that is none', { x: { content: 'abc' } }, '/data/1/x', "its content is the text 'abc'"],
    ['bytes that are none', { x: { b64: 7 } }, '/data/1/x', 'its content is an object'],
    [
      'a nested list',
      {
        x: [
          [1, 2],
          [3, 4],
        ],
      },
      '/data/1/x',
      'it is a nested list',
    ],
    ['an element that is none', { x: [1, 2, 3, null] }, '/data/1/x', 'element 3 is null, not a number'],
    ['a text among numbers', { x: [1, '2', 3, 4] }, '/data/1/x', "element 1 is the text '2', not a number"],
    ['too few numbers', { x: [1, 2, 3] }, '/data/1/x', 'it holds 3 numbers, but [2,2] is 4'],
    ['a batch of two', { x: [...x, ...x] }, '/data/1/x', 'it holds 8 numbers, but [2,2] is 4'],
    [
      'a shape of another size',
      { x: { content: x, shape: [3] } },
      '/data/1/x',
      'it holds 4 numbers, but [3] is 3',
    ],
    ['a shape that is none', { x: { content: x, shape: [-1, 4] } }, '/data/1/x', 'its shape is [-1,4]'],
    ['a shape as text', { x: { content: x, shape: '4' } }, '/data/1/x', 'its shape is "4"'],
    ['no base64', { x: { b64: 'a*==' } }, '/data/1/x', 'its bytes are not in base64'],
    ['base64 cut short', { x: { b64: 'AAAAA' } }, '/data/1/x', 'its bytes are not in base64'],
    [
      'bytes of another type',
      { x: { b64: 'AAAAAAA=' } },
      '/data/1/x',
      'it holds 5 bytes, which are no whole number of float32',
    ],
    ['too many bytes', { x: b64(new Float64Array(4)) }, '/data/1/x', 'it holds 8 numbers, but [2,2] is 4'],
    [
      'a number beyond float32',
      { x: [1, 2, 3, 1e39] },
      '/data/1/x',
      'element 3 is 1e+39, which float32 cannot hold',
    ],
    [
      'a text instead of numbers',
      { x: ['a'] },
      '/data/1/x',
      'it is another kind of value than in the first entry',
    ],
    ['several texts', { x: ['a', 'b'] }, '/data/1/x', 'it holds 2 texts'],
  ])('is told the entry and the field that has %s', async (_what, entry, field, message) => {
    const text = `{"data": [{"x": [1, 2, 3, 4]},\n${JSON.stringify(entry)}]}`;
    expect(await faultOf(text)).toMatchObject({ kind: 'item-invalid', message, place: { line: 2, field } });
  });

  it.each([
    ['int32', 1.5, 'element 0 is 1.5, which int32 cannot hold'],
    ['uint8', 256, 'element 0 is 256, which uint8 cannot hold'],
    ['uint8', -1, 'element 0 is -1, which uint8 cannot hold'],
    ['int64', 2 ** 53, 'element 0 is 9007199254740992, which int64 cannot hold'],
    ['float64', '1e400', 'element 0 is Infinity, which float64 cannot hold'],
  ] as const)('has no %s of %s', async (type, value, message) => {
    const modelInputs = [{ name: 'x', type, dims: ['batch', 1] }];
    expect(await faultOf(`{"data": [{"x": [${value}]}]}`, { modelInputs })).toMatchObject({ message });
  });

  it('has no numbers for an input of texts', async () => {
    const modelInputs = [{ name: 'x', type: 'string', dims: ['batch', 1] } as const];
    expect(await faultOf({ data: [{ x: [1] }] }, { modelInputs })).toMatchObject({
      message: 'it holds no text, but the input takes texts',
    });
  });

  it('has no bytes for what is no input', async () => {
    const spec = { module: '/mine.mjs' };
    expect(await faultOf({ data: [{ x: [1, 2, 3, 4], y: { b64: 'AAAA' } }] }, { spec })).toMatchObject({
      message: 'it holds bytes for no input of the model, so that their type is not known',
      place: { field: '/data/0/y' },
    });
  });

  it('is not there, or has changed since it was opened', async () => {
    expect(await openFile('/none/data.json', {})).toMatchObject({
      ok: false,
      error: { kind: 'data-unreadable' },
    });
    const file = fileOf('data.json', '{"data": [{"x": [1, 2, 3, 4]}, {"x": [1, 2, 3, 4]}]}');
    const collection = unwrap(await openFile(file, {}));
    onTestFinished(() => collection.close());
    writeFileSync(file, '{"data": [{"x": [1, 2, 3, 4]}, {"y": [1, 2, 3, 4]}]}');
    expect(await collection.read(1)).toMatchObject({
      ok: false,
      error: { kind: 'item-invalid', place: { file, line: 1, field: '/data/1/x', sample: 1 } },
    });
  });
});
