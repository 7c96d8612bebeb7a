import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { DataSpec } from '../../src/core/data-spec.ts';
import { attemptAsync, type Problem } from '../../src/core/problem.ts';
import { openNpz } from '../../src/data/npz.ts';
import { evaluateModels } from '../../src/jobs/evaluate-models.ts';
import type { EvaluateTask, ModelEvaluation } from '../../src/jobs/evaluate-task.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';
import { writePng } from '../unit/data/image/png-writer.ts';
import { float32Npy, int64Npy, npz } from '../unit/data/npz-writer.ts';

const PROFILE = fileURLToPath(new URL('../../profiles/digits/', import.meta.url));
const MODEL = join(PROFILE, 'digits.onnx');
const COUNT = 12;

/** Pictures of 8 by 8 pixels and their digits, a few of those that the example is evaluated on. */
const DIGITS = await readDigits();

async function readDigits(): Promise<{
  readonly pixels: readonly Uint8Array[];
  readonly labels: readonly number[];
}> {
  const archive = unwrap(await openNpz(join(PROFILE, 'digits.npz')));
  const images = unwrap(await archive.readRows('eval/image', 0, COUNT)) as Float32Array;
  const labels = unwrap(await archive.readRows('labels', 0, COUNT)) as BigInt64Array;
  await archive.close();
  // The shades are sixteenths, so that they are whole numbers of 15 in a byte.
  const pixels = Array.from({ length: COUNT }, (_, index) =>
    Uint8Array.from(images.subarray(64 * index, 64 * index + 64), (shade) => 15 * 16 * shade),
  );
  return { pixels, labels: Array.from(labels, Number) };
}

/** As the model takes a picture of `DIGITS`: gray, [1, 8, 8], 0 to 1. */
const PREPROCESS = { image: { channels: 'gray' }, scale: 1 / 240 } as const;

function pngOf(pixels: Uint8Array, width = 8): Uint8Array {
  const height = pixels.length / width;
  const lines = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y += 1)
    lines.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return writePng({ width, height, lines });
}

/** A folder of pictures `00.png` to `11.png` and their labels; what `broken` names is other bytes than it should be. */
function writePictures(
  broken: Readonly<Record<string, Uint8Array>> = {},
  labels: readonly number[] = DIGITS.labels,
) {
  const folder = join(temporaryFolder(), 'pictures');
  mkdirSync(folder);
  const names = DIGITS.pixels.map((_, index) => `${String(index).padStart(2, '0')}.png`);
  for (const [index, name] of names.entries()) {
    writeFileSync(join(folder, name), broken[name] ?? pngOf(DIGITS.pixels[index] as Uint8Array));
  }
  const file = join(dirname(folder), 'labels.csv');
  writeFileSync(
    file,
    ['file,label', ...names.map((name, index) => `${name},${labels[index]}`), ''].join('\n'),
  );
  const spec: DataSpec = { path: folder, labels: { file }, preprocess: PREPROCESS };
  return { folder, file, spec };
}

async function evaluate(
  spec: DataSpec,
  more: Partial<EvaluateTask> = {},
  split = 'all',
): Promise<{ readonly result: ModelEvaluation; readonly progress: readonly number[] }> {
  const progress: number[] = [];
  const [result] = await evaluateModels(
    {
      kind: 'evaluate',
      reference: { variant: 'fp32', path: MODEL },
      candidates: [{ variant: 'same', path: MODEL }],
      data: { spec, split },
      task: { name: 'classification', settings: {} },
      budget: {},
      threads: 1,
      ...more,
    },
    {
      clock: systemClock,
      emit: (event) => {
        if (event.kind === 'progress') progress.push(event.progress.done);
      },
    },
  );
  if (result === undefined) throw new Error('nothing was evaluated');
  return { result, progress };
}

async function faultOf(...args: Parameters<typeof evaluate>): Promise<Problem> {
  const evaluated = await attemptAsync(() => evaluate(...args));
  if (evaluated.ok) throw new Error('the data was evaluated');
  return evaluated.error;
}

const whole = pngOf(DIGITS.pixels[0] as Uint8Array);
const TRUNCATED = whole.subarray(0, whole.length - 30);
const TALL = pngOf(new Uint8Array(8 * 9));

describe('a folder of digits', () => {
  it('gives what the arrays of the example give', async () => {
    const { result, progress } = await evaluate(writePictures().spec);
    const arrays = await evaluate({ path: join(PROFILE, 'digits.npz') }, { samples: COUNT }, 'eval');
    expect(result).toMatchObject({
      n: COUNT,
      identical: true,
      skipped: { count: 0, indices: [], problems: [] },
      top1: 1,
      figures: arrays.result.figures,
    });
    const oneWrong = writePictures({}, DIGITS.labels.with(4, ((DIGITS.labels[4] as number) + 1) % 10));
    expect((await evaluate(oneWrong.spec)).result.top1).toBeCloseTo(11 / 12, 9);
    expect(progress.at(-1)).toBe(COUNT);
  });
});

describe('a bad picture among them', () => {
  it.each<[string, Uint8Array, string]>([
    ['breaks off', TRUNCATED, 'image-unreadable'],
    ['is empty', new Uint8Array(), 'image-unreadable'],
    ['is something else', Buffer.from('<html>not found</html>'), 'image-unreadable'],
    ['has another size', TALL, 'shape-mismatch'],
  ])('ends the evaluation with its file and index where it %s', async (_case, bytes, kind) => {
    const { folder, spec } = writePictures({ '05.png': bytes });
    expect(await faultOf(spec)).toMatchObject({
      kind,
      place: { file: join(folder, '05.png'), sample: 5 },
      hint: expect.stringMatching(/./),
    });
  });

  it('is counted and listed where it may be left out, and the rest is evaluated', async () => {
    const { folder, spec } = writePictures({
      '00.png': TRUNCATED,
      '05.png': TALL,
      '11.png': new Uint8Array(),
    });
    const { result, progress } = await evaluate({ ...spec, onBadSample: 'skip' });
    expect(result).toMatchObject({
      n: COUNT - 3,
      identical: true,
      skipped: { count: 3, indices: [0, 5, 11] },
    });
    expect(result.skipped.problems).toHaveLength(3);
    for (const [position, index] of [0, 5, 11].entries()) {
      const file = join(folder, `${String(index).padStart(2, '0')}.png`);
      expect(result.skipped.problems[position]).toContain(`sample ${index}: `);
      expect(result.skipped.problems[position]).toContain(file);
    }
    expect(progress.at(-1)).toBe(COUNT);
  });

  it('is found wherever a split by content puts it', async () => {
    const { folder, spec } = writePictures({ '05.png': TALL });
    const splits = { seed: 3, sizes: { eval: 1 } };
    expect(await faultOf({ ...spec, splits }, {}, 'eval')).toMatchObject({
      kind: 'shape-mismatch',
      place: { file: join(folder, '05.png') },
    });
    const { result } = await evaluate({ ...spec, splits, onBadSample: 'skip' }, {}, 'eval');
    expect(result).toMatchObject({ n: COUNT - 1, skipped: { count: 1 } });
    expect(result.skipped.problems[0]).toContain(join(folder, '05.png'));
  });

  it('does not matter behind the samples that are asked for', async () => {
    const { spec } = writePictures({ '11.png': TRUNCATED });
    expect((await evaluate(spec, { samples: 11 })).result).toMatchObject({ n: 11, skipped: { count: 0 } });
  });
});

describe('a label among them', () => {
  it('that the model has no class for names the data and the sample', async () => {
    const { folder, spec } = writePictures({}, DIGITS.labels.with(7, 10));
    for (const onBadSample of ['fail', 'skip'] as const) {
      expect(await faultOf({ ...spec, onBadSample })).toMatchObject({
        message: expect.stringContaining('10'),
        place: { file: folder, sample: 7 },
      });
    }
  });

  it('that is no class names the line, whatever may be left out', async () => {
    const { file, spec } = writePictures({}, DIGITS.labels.with(7, -1));
    expect(await faultOf({ ...spec, onBadSample: 'skip' })).toMatchObject({
      kind: 'labels-invalid',
      place: { file, line: 9 },
    });
  });
});

describe('arrays of digits', () => {
  const rows = (pixels: readonly Uint8Array[]) =>
    float32Npy(
      [pixels.length, 1, 8, 8],
      pixels.flatMap((picture) => Array.from(picture, (shade) => shade / 240)),
    );

  function writeArrays(arrays: Readonly<Record<string, Uint8Array>>): string {
    const path = join(temporaryFolder(), 'digits.npz');
    writeFileSync(path, npz(arrays));
    return path;
  }

  it('with a row too few for their labels are refused', async () => {
    const path = writeArrays({
      'eval/image': rows(DIGITS.pixels.slice(1)),
      labels: int64Npy([COUNT], DIGITS.labels),
    });
    expect(await faultOf({ path }, {}, 'eval')).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining('12 of them for 11 samples'),
      place: { file: path, tensor: 'labels' },
    });
  });

  it('that are damaged in the file are refused with the sample at which it shows', async () => {
    const bytes = Buffer.from(
      npz({ 'eval/image': rows(DIGITS.pixels), labels: int64Npy([COUNT], DIGITS.labels) }),
    );
    // The first pixels of a picture in the middle of the file, which nothing is compressed in.
    bytes[bytes.indexOf('NUMPY') + 2048] = 0xff;
    const path = join(temporaryFolder(), 'digits.npz');
    writeFileSync(path, bytes);
    expect(await faultOf({ path }, {}, 'eval')).toMatchObject({
      kind: 'npz-invalid',
      place: { file: path, sample: COUNT - 1, tensor: 'eval/image' },
    });
  });

  it('that were made up are no reason to judge a model', async () => {
    expect(await faultOf({ path: '', format: 'random' }, {}, 'eval')).toMatchObject({ kind: 'data-made-up' });
  });
});

describe('a module of the user that fails on a digit', () => {
  it('names the item, and is left out where it may be', async () => {
    const folder = temporaryFolder();
    const lines = DIGITS.pixels.map((picture, index) =>
      JSON.stringify({ pixels: Array.from(picture), label: DIGITS.labels[index], id: `digit-${index}` }),
    );
    writeFileSync(join(folder, 'digits.jsonl'), `${lines.join('\n')}\n`);
    writeFileSync(
      join(folder, 'mine.mjs'),
      `export async function preprocess({ id, fields: { pixels } }) {
        if (id === 'digit-3') throw new Error('I know no threes');
        return { image: { dims: [1, 8, 8], data: Float32Array.from(pixels.data, (shade) => Number(shade) / 240) } };
      }`,
    );
    const spec: DataSpec = { path: join(folder, 'digits.jsonl'), module: join(folder, 'mine.mjs') };
    expect(await faultOf(spec)).toMatchObject({
      kind: 'preprocess-module-failed',
      message: expect.stringMatching(/item 'digit-3': .*mine\.mjs: preprocess threw: I know no threes/),
      place: { file: spec.path, sample: 3 },
    });
    const { result } = await evaluate({ ...spec, onBadSample: 'skip' });
    expect(result).toMatchObject({ n: COUNT - 1, identical: true, skipped: { count: 1, indices: [3] } });
  });
});
