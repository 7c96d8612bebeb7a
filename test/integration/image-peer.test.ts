import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ImageSpec, InputSpec, ResizeFilter } from '../../src/core/data-spec.ts';
import type { PixelImage } from '../../src/data/image/pixel-image.ts';
import { findPeerPython } from '../perf/peer-subjects.ts';
import { decodeImage, preprocessImage, resizeImage } from '../support/pictures.ts';
import { findRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

// Holds pictures against Pillow and NumPy, by the rules of torchvision's transforms: every pixel must be the same.

const FILTERS: readonly ResizeFilter[] = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'];

const PHOTO_FOLDERS = ['imagenet_samples/images', 'nanodet_coco/images', 'ultraface_rfb320/images'];

const IMAGENET = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const SPECS: readonly InputSpec[] = [
  { image: { crop: { width: 224, height: 224 } }, ...IMAGENET },
  { image: { resize: { shortSide: 256 }, crop: { width: 224, height: 224 } }, ...IMAGENET },
  {
    image: { resize: { shortSide: 232, filter: 'bicubic' }, crop: { width: 225, height: 223 } },
    ...IMAGENET,
  },
  {
    image: { resize: { width: 320, height: 240 } },
    mean: 127,
    std: 128,
  },
  {
    image: { resize: { width: 416, height: 416 }, channels: 'bgr', layout: 'nhwc' },
    mean: [103.53, 116.28, 123.675],
    std: [57.375, 57.12, 58.395],
  },
  { image: { resize: { letterbox: { width: 640, height: 640 } } }, scale: 1 / 255 },
  { image: { resize: { shortSide: 28, filter: 'lanczos' }, channels: 'gray' }, scale: 1 / 255 },
];

const peer = findPeer();
const models = findRealModels();
const photos = listPhotos(models.directory);

describe('agreement with Pillow and torchvision', () => {
  if (peer.python === undefined) {
    it(`is not tested: ${peer.reason}`, (context) => {
      context.skip(peer.reason);
    });
    return;
  }
  const { python } = peer;

  it.each(FILTERS)('holds for random pictures resized by the %s filter', (filter) => {
    const random = randomBytes(filter.length);
    const cases = [
      [1, 1],
      [1, 9],
      [9, 1],
      [2, 3],
      [64, 48],
      [101, 77],
      [3, 400],
      [400, 3],
    ].flatMap(([width = 0, height = 0]) =>
      [
        [1, 1],
        [2 * width, height],
        [width, 3 * height + 1],
        [17, 23],
        [224, 224],
        [Math.ceil(width / 3), Math.ceil(height / 2)],
      ].flatMap(([toWidth = 0, toHeight = 0]) =>
        ([1, 3] as const).map((channels) => ({
          image: { width, height, channels, data: random(width * height * channels) },
          size: { width: toWidth, height: toHeight },
        })),
      ),
    );
    const jobs = cases.map(({ image, size }) => ({
      raw: rawOf(image),
      resize: { ...size, filter_name: filter },
    }));
    const expected = runPeer(python, jobs);
    for (const [i, { image, size }] of cases.entries()) {
      expect(largestDifference(resizeImage(image, size, filter).data, expected[i]?.bytes)).toBe(0);
    }
  });

  it('holds for pictures of every size that are cropped, filled and normalized', () => {
    const random = randomBytes(7);
    const cases = Array.from({ length: 400 }, (_, i) => {
      const side = () => 1 + ((random(1)[0] as number) % 50);
      const [width, height] = [side(), side()];
      const channels = i % 5 === 0 ? 1 : 3;
      const image: PixelImage = { width, height, channels, data: random(width * height * channels) };
      return { image, spec: { image: randomSpec(i, side), scale: 1 / 255, mean: 0.45, std: 0.225 } };
    });
    const jobs = cases.map(({ image, spec }) => ({ raw: rawOf(image), prepare: spec }));
    const expected = runPeer(python, jobs);
    for (const [i, { image, spec }] of cases.entries()) {
      const { tensor } = preprocessImage(image, spec);
      expect(tensor.dims, JSON.stringify(spec)).toEqual(expected[i]?.shape);
      expect(tensor.data, JSON.stringify(spec)).toEqual(floatsOf(expected[i]?.bytes));
    }
  });

  if (photos.length === 0) skipWithoutRealModels(models);

  it.skipIf(photos.length === 0)('holds for decoded photos', { timeout: 300_000 }, async () => {
    const jobs = photos.flatMap((encoded) => (['rgb', 'gray'] as const).map((mode) => ({ encoded, mode })));
    const expected = runPeer(python, jobs);
    for (const [i, { encoded, mode }] of jobs.entries()) {
      const decoded = unwrap(await decodeImage(encoded, mode));
      expect(largestDifference(decoded.data, expected[i]?.bytes), encoded).toBe(0);
    }
  });

  it.skipIf(photos.length === 0).each(SPECS.map((spec) => ({ spec, name: JSON.stringify(spec) })))(
    'holds for photos prepared by $name',
    { timeout: 300_000 },
    async ({ spec }) => {
      const mode = spec.image?.channels === 'gray' ? 'gray' : 'rgb';
      const some = photos.filter((_, i) => i % 20 === 0 || i >= photos.length - 15);
      const jobs = some.map((encoded) => ({ encoded, prepare: spec }));
      const expected = runPeer(python, jobs);
      for (const [i, path] of some.entries()) {
        const { tensor } = preprocessImage(unwrap(await decodeImage(path, mode)), spec);
        expect(tensor.dims, path).toEqual(expected[i]?.shape);
        expect(largestDifference(tensor.data as Float32Array, floatsOf(expected[i]?.bytes)), path).toBe(0);
      }
    },
  );
});

function findPeer(): ReturnType<typeof findPeerPython> {
  const found = findPeerPython();
  if (found.python === undefined) return found;
  const tried = spawnSync(found.python, ['-c', 'import numpy, PIL']);
  if (tried.status === 0) return found;
  return { python: undefined, reason: `${found.python} has no numpy or no pillow` };
}

function listPhotos(directory: string | undefined): readonly string[] {
  if (directory === undefined) return [];
  return PHOTO_FOLDERS.flatMap((folder) =>
    readdirSync(join(directory, folder))
      .filter((name) => name.endsWith('.jpg'))
      .map((name) => join(directory, folder, name)),
  );
}

interface PeerResult {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the script in test/fixtures/image makes of each job. */
function runPeer(python: string, jobs: readonly object[]): readonly PeerResult[] {
  const folder = temporaryFolder();
  const script = fileURLToPath(new URL('../fixtures/image/reference.py', import.meta.url));
  const output = execFileSync(python, ['-B', script, folder], {
    input: JSON.stringify(jobs),
    maxBuffer: 2 ** 26,
  });
  const shapes = JSON.parse(output.toString()) as number[][];
  return shapes.map((shape, i) => ({ shape, bytes: new Uint8Array(readFileSync(join(folder, `${i}.bin`))) }));
}

function rawOf({ data, ...sizes }: PixelImage) {
  return { ...sizes, base64: Buffer.from(data).toString('base64') };
}

function floatsOf(bytes = new Uint8Array()): Float32Array {
  return new Float32Array(bytes.buffer);
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number> | undefined): number {
  if (actual.length !== expected?.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < actual.length; i += 1) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    // Written so that NaN counts as a difference.
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Bytes by a linear congruential generator, with many that are black or white, where kernels overshoot. */
function randomBytes(seed: number): (length: number) => Uint8Array {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return (length) =>
    Uint8Array.from({ length }, () => {
      const kind = next();
      const value = Math.floor(next() * 256);
      if (kind < 0.2) return 0;
      return kind < 0.4 ? 255 : value;
    });
}

function randomSpec(i: number, side: () => number): ImageSpec {
  const filter = FILTERS[i % FILTERS.length] as ResizeFilter;
  const resizes: readonly ImageSpec['resize'][] = [
    undefined,
    { shortSide: side(), filter },
    { width: side(), height: side(), filter },
    { letterbox: { width: 20 + side(), height: 20 + side() }, filter },
    { letterbox: { width: 20 + side(), height: 20 + side() }, fill: 9, align: 'top-left', filter },
  ];
  const resize = resizes[Math.floor(i / 6) % resizes.length];
  return {
    ...(resize === undefined ? {} : { resize }),
    ...(i % 3 === 0 ? {} : { crop: { width: side(), height: side() } }),
    channels: (['rgb', 'bgr', 'gray'] as const)[Math.floor(i / 2) % 3] ?? 'rgb',
    layout: i % 2 === 0 ? 'nchw' : 'nhwc',
  };
}
