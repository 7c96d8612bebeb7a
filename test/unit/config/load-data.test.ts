import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describesDataAlone, loadDataSet } from '../../../src/config/load-data.ts';
import { loadProfile } from '../../../src/config/load-profiles.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function fileOf(text: string): { readonly folder: string; readonly file: string } {
  const folder = temporaryFolder();
  const file = join(folder, 'data.yaml');
  writeFileSync(file, text);
  return { folder, file };
}

async function dataOf(text: string) {
  const { folder, file } = fileOf(text);
  const loaded = await loadDataSet(file);
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('; '));
  return { folder, data: loaded.value };
}

/** The data of a profile, which serves for calibration as well. */
async function profileDataOf(data: string) {
  const folder = temporaryFolder();
  const file = join(folder, 'profile.yaml');
  for (const name of ['m.onnx', 'd.npz', 'd.idx']) writeFileSync(join(folder, name), '');
  mkdirSync(join(folder, 'photos'));
  writeFileSync(
    file,
    `name: a\nmodel: m.onnx\ndata: ${data}\nvariants: [{ name: int8, recipe: dynamic-int8 }]\n`,
  );
  const loaded = await loadProfile(file);
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('; '));
  return loaded.value.data.set;
}

/** `line:column field message` of all problems. */
async function problemsOf(text: string): Promise<readonly string[]> {
  const loaded = await loadDataSet(fileOf(text).file);
  if (loaded.ok) throw new Error('expected problems');
  return loaded.error.map(
    ({ message, place }) => `${place?.line}:${place?.column} ${place?.field} ${message}`,
  );
}

describe('loadDataSet', () => {
  it('resolves every field, and every path against the folder of the file', async () => {
    const { folder, data } = await dataOf(`
path: photos
format: images
labels:
  file: labels.csv
  item: name
  truth: breed
  kind: mask
  classes: [cat, dog]
  group: owner
  masks: masks
splits: { seed: 7, sizes: { calib: 0.1, eval: 100 } }
inputs:
  image:
    from: photo
    resize: { letterbox: { width: 640, height: 480 }, fill: 0, align: top-left, filter: bicubic }
    crop: { width: 32, height: 16 }
    channels: bgr
    layout: nhwc
    scale: 1/255
    mean: [0.1, 0.2, 0.3]
    std: 2
    dims: [1, 3]
  text: { tokenize: { tokenizer: tok/tokenizer.json, maxLength: 128, padding: max-length, output: attention-mask } }
  sound: { sampleRate: 16000, length: 400, frame: { length: 512, hop: 256, context: 64 } }
  rate: { value: 16000 }
onBadSample: skip
`);
    expect(data).toEqual({
      path: join(folder, 'photos'),
      format: 'images',
      labels: {
        file: join(folder, 'labels.csv'),
        item: 'name',
        truth: 'breed',
        kind: 'mask',
        classes: ['cat', 'dog'],
        group: 'owner',
        masks: join(folder, 'masks'),
      },
      splits: { seed: 7, sizes: { calib: 0.1, eval: 100 } },
      inputs: {
        image: {
          from: 'photo',
          image: {
            resize: { letterbox: { width: 640, height: 480 }, fill: 0, align: 'top-left', filter: 'bicubic' },
            crop: { width: 32, height: 16 },
            channels: 'bgr',
            layout: 'nhwc',
          },
          scale: 1 / 255,
          mean: [0.1, 0.2, 0.3],
          std: 2,
          dims: [1, 3],
        },
        text: {
          tokenize: {
            tokenizer: join(folder, 'tok/tokenizer.json'),
            maxLength: 128,
            padding: 'max-length',
            output: 'attention-mask',
          },
        },
        sound: {
          audio: { sampleRate: 16_000, length: 400, frame: { length: 512, hop: 256, context: 64 } },
        },
        rate: { value: 16_000 },
      },
      onBadSample: 'skip',
    });
  });

  it('takes as little as a path, and leaves an absolute one as it is', async () => {
    expect((await dataOf('path: /data/photos\n')).data).toEqual({ path: '/data/photos' });
  });

  it('takes the arrays of an .npz by split, and a module of the user’s own', async () => {
    const { folder, data } = await dataOf(
      'path: d.npz\narrays: { test: { x: features, labels: y } }\npreprocess: ./own.mjs\n',
    );
    expect(data).toEqual({
      path: join(folder, 'd.npz'),
      arrays: { test: { x: 'features', labels: 'y' } },
      module: join(folder, 'own.mjs'),
    });
  });

  it('needs no path for random data', async () => {
    expect((await dataOf('format: random\n')).data).toEqual({ path: '', format: 'random' });
  });

  it.each([
    ['{ shortSide: 256 }', { shortSide: 256 }],
    ['{ width: 224, height: 192, filter: nearest }', { width: 224, height: 192, filter: 'nearest' }],
    ['{ letterbox: { width: 640, height: 640 } }', { letterbox: { width: 640, height: 640 } }],
  ])('resizes in three ways: %s', async (written, resize) => {
    const { data } = await dataOf(`path: photos\npreprocess: { resize: ${written} }\n`);
    expect(data.preprocess).toEqual({ image: { resize } });
  });

  it.each([
    ['1/255', 1 / 255],
    ['0.5/2', 0.25],
    ['0.25', 0.25],
    ['-2', -2],
  ])('takes the scale %s for a number', async (written, scale) => {
    expect((await dataOf(`path: d\npreprocess: { scale: ${written} }\n`)).data.preprocess).toEqual({ scale });
  });

  it('names the file that cannot be read', async () => {
    expect(await loadDataSet('/nowhere/data.yaml')).toMatchObject({
      ok: false,
      error: [
        {
          kind: 'file-unreadable',
          message: expect.stringContaining('ENOENT'),
          place: { file: '/nowhere/data.yaml' },
        },
      ],
    });
  });

  it.each([
    ['a bracket that is left open', 'path: [d\n', 'yaml-syntax'],
    ['a key twice', 'path: a\npath: b\n', 'duplicate-field'],
    ['a list', '- path: a\n', 'invalid-value'],
    ['nothing', '', 'invalid-value'],
  ])('refuses %s', async (_what, text, kind) => {
    expect(await loadDataSet(fileOf(text).file)).toMatchObject({ ok: false, error: [{ kind }] });
  });

  it('reports all errors at once, each with line, column and field', async () => {
    const text = `path: 3
formt: npz
labels: { kind: clas, colour: red }
splits: { seed: -1, sizes: { Eval: -1, calib: 0 } }
preprocess:
  resize: { shortSide: 0 }
  channels: hsv
  scale: 1/x
  mean: []
  frame: { hop: 0 }
  tokenize: { maxLength: 5 }
onBadSample: ignore
`;
    expect((await problemsOf(text)).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      '1:7 /path',
      '2:1 /formt',
      '3:17 /labels/kind',
      '3:23 /labels/colour',
      '4:17 /splits/seed',
      '4:36 /splits/sizes/Eval',
      '4:47 /splits/sizes/calib',
      '6:24 /preprocess/resize/shortSide',
      '7:13 /preprocess/channels',
      '8:10 /preprocess/scale',
      '9:9 /preprocess/mean',
      '10:3 /preprocess/frame/length',
      '10:17 /preprocess/frame/hop',
      '11:3 /preprocess/tokenize/tokenizer',
      '12:14 /onBadSample',
    ]);
  });

  it.each([
    ['no path', 'format: images\n', '1:1 /path "path" is missing'],
    ['neither path nor format', '{}\n', '1:1 /path "path" is missing'],
    [
      'random data with a path',
      'format: random\npath: d\n',
      '2:7 /path random data is made up, so it has no "path"',
    ],
    [
      'two ways to resize',
      'path: d\npreprocess: { resize: { shortSide: 256, letterbox: { width: 1, height: 1 } } }\n',
      '2:23 /preprocess/resize "resize" needs exactly one of shortSide, width with height, and letterbox',
    ],
    [
      'no way to resize',
      'path: d\npreprocess: { resize: { filter: box } }\n',
      '2:23 /preprocess/resize "resize" needs exactly one of shortSide, width with height, and letterbox',
    ],
    [
      'a width without a height',
      'path: d\npreprocess: { resize: { width: 256 } }\n',
      '2:23 /preprocess/resize "resize" needs exactly one of shortSide, width with height, and letterbox',
    ],
    [
      'a filling around nothing',
      'path: d\npreprocess: { resize: { shortSide: 256, fill: 0 } }\n',
      '2:47 /preprocess/resize/fill "fill" and "align" say what is around a letterbox',
    ],
    [
      'an alignment in nothing',
      'path: d\npreprocess: { resize: { shortSide: 256, align: center } }\n',
      '2:48 /preprocess/resize/align "fill" and "align" say what is around a letterbox',
    ],
    [
      'a value with other settings',
      'path: d\ninputs: { rate: { value: 16000, scale: 2 } }\n',
      '2:26 /inputs/rate/value an input with a "value" is fed nothing else',
    ],
    [
      'padding to no length',
      'path: d\ninputs: { a/b: { tokenize: { tokenizer: t.json, padding: max-length } } }\n',
      '2:58 /inputs/a~1b/tokenize/padding padding to max-length needs "maxLength"',
    ],
    [
      'a fraction of nothing',
      'path: d\npreprocess: { scale: 1/0 }\n',
      '2:22 /preprocess/scale "scale" is 1/0, which is no number',
    ],
    [
      'a module beside inputs that it makes itself',
      'path: d\npreprocess: ./own.mjs\ninputs: { x: { scale: 2 } }\n',
      '3:9 /inputs a module of your own makes all inputs',
    ],
  ])('refuses what no schema can say: %s', async (_what, text, expected) => {
    expect(await problemsOf(text)).toEqual([expected]);
  });

  it('reports several rules in the order of the file', async () => {
    const text =
      'format: random\ninputs: { a: { value: 1, dims: [1] } }\npreprocess: { resize: {} }\npath: d\n';
    expect((await problemsOf(text)).map((line) => line.split(' ')[1])).toEqual([
      '/inputs/a/value',
      '/preprocess/resize',
      '/path',
    ]);
  });
});

describe('the data of a profile', () => {
  it.each([
    ['a folder', '{ path: photos }', 'photos'],
    ['a file without splits', '{ path: d.idx }', 'd.idx'],
  ])('is split for calibration and evaluation where it is %s', async (_what, written) => {
    expect(await profileDataOf(written)).toMatchObject({
      splits: { seed: 0, sizes: { calib: 0.2, eval: 0.8 } },
    });
  });

  it('is split as the profile says, with the seed 0 unless it says another', async () => {
    expect(await profileDataOf('{ path: photos, splits: { sizes: { calib: 10, eval: 20 } } }')).toMatchObject(
      {
        splits: { seed: 0, sizes: { calib: 10, eval: 20 } },
      },
    );
    expect(await profileDataOf('{ path: d.npz, splits: { seed: 3, sizes: { eval: 1 } } }')).toMatchObject({
      splits: { seed: 3 },
    });
  });

  it.each(['{ path: d.npz }', '{ path: d.idx, format: npz }', '{ format: random }'])(
    'has splits of its own as %s',
    async (written) => {
      expect(await profileDataOf(written)).not.toHaveProperty('splits');
    },
  );

  it('is not split where it is described in a file of its own', async () => {
    expect((await dataOf('path: photos\n')).data).not.toHaveProperty('splits');
  });
});

describe('describesDataAlone', () => {
  it.each([
    ['path: d\n', true],
    ['{}\n', true],
    ['name: a\nmodel: m.onnx\ndata: { path: d }\n', false],
    ['variants: []\n', false],
    ['', false],
    ['path: [', undefined],
  ])('tells data from a profile: %j', async (text, expected) => {
    expect(await describesDataAlone(fileOf(text).file)).toBe(expected);
  });

  it('does not know about a file that is not there', async () => {
    expect(await describesDataAlone('/nowhere/data.yaml')).toBeUndefined();
  });
});
