import { describe, expect, it } from 'vitest';
import { guessFormat } from '../../../../src/data/formats/guess-format.ts';
import { fileOf, folderOf } from './folder-of-files.ts';

describe('the format of a file', () => {
  it.each([
    ['a.npz', 'npz'],
    ['a.NPY', 'npy'],
    ['a.jsonl', 'jsonl'],
    ['a.ndjson', 'jsonl'],
    ['a.json', 'perf-analyzer'],
    ['t10k-images-idx3-ubyte', 'idx'],
    ['t10k-images-idx3-ubyte.gz', 'idx'],
    ['t10k-images.idx3-ubyte', 'idx'],
    ['a.idx', 'idx'],
    ['a.wav', 'wav'],
  ])('%s is %s', async (name, format) => {
    expect(await guessFormat(fileOf(name, ''))).toEqual({ ok: true, value: format });
  });

  it.each(['a.csv', 'a.yaml', 'npz', 'a.npz.bak', 'a.gz', 'a.jpg'])('%s tells none', async (name) => {
    const file = fileOf(name, '');
    expect(await guessFormat(file)).toMatchObject({
      ok: false,
      error: {
        kind: 'format-unknown',
        message: `the file's name '${name}' does not tell its format`,
        place: { file },
        hint: expect.stringContaining('.npz, .npy, .jsonl, .json (perf_analyzer), .wav or idx'),
      },
    });
  });

  it('cannot be told where there is nothing', async () => {
    expect(await guessFormat('/none/a.npz')).toMatchObject({ ok: false, error: { kind: 'data-unreadable' } });
  });
});

describe('the format of a folder', () => {
  it.each([
    [{ 'a/b/1.JPG': '', 'notes.txt': '', '.hidden.wav': '' }, 'images'],
    [{ 'a/1.wav': '' }, 'wav'],
    [{ 'test_data_set_0/input_0.pb': '', 'model.onnx': '' }, 'test-data-set'],
    [{ 'input_0.npy': '', 'output_0.npy': '' }, 'test-data-set'],
  ])('is that of what it holds: %j', async (files, format) => {
    expect(await guessFormat(folderOf(files as Record<string, string>))).toEqual({ ok: true, value: format });
  });

  it.each([
    [{}, 'the folder holds no items of a known format; it holds nothing'],
    [{ 'a.txt': '', 'deep/er/input_0.npy': '' }, /it holds (a\.txt, deep\/er\/input_0\.npy|deep.*)$/],
    [Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i}.txt`, ''])), /\d\.txt and 3 more$/],
    [{ 'a.jpg': '', 'b.png': '', 'c.wav': '' }, /holds files of several formats: .*2 of 'images'/],
  ])('is not told by %j', async (files, message) => {
    const folder = folderOf(files as Record<string, string>);
    expect(await guessFormat(folder)).toMatchObject({
      ok: false,
      error: { kind: 'format-unknown', message: expect.stringMatching(message), place: { file: folder } },
    });
  });
});
