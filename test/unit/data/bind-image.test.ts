import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { InputSpec } from '../../../src/core/data-spec.ts';
import { encodeFloat16 } from '../../../src/core/float16.ts';
import type { ElementType } from '../../../src/core/tensor.ts';
import { bindImage } from '../../../src/data/bind-image.ts';
import type { FieldInfo, FieldValue } from '../../../src/data/item-collection.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';
import { writePng } from './image/png-writer.ts';

const FILES: FieldInfo = { kind: 'image', name: 'image' };
const X: ModelInput = { name: 'x', type: 'float32', dims: ['n', 3, 'h', 'w'] };
const AT = { file: 'data', sample: 4 };
const GRAY: InputSpec = { image: { channels: 'gray' } };

const bind = (spec: InputSpec, input: Partial<ModelInput> = {}, field: FieldInfo = FILES) =>
  bindImage({ ...X, ...input }, field, spec, 'data');

const arrays = (type: ElementType, dims?: readonly number[]): FieldInfo => ({
  kind: 'tensor',
  name: 'pixels',
  type,
  dims,
});

const bytes = (dims: readonly number[], data: readonly number[]): FieldValue => ({
  kind: 'tensor',
  tensor: { type: 'uint8', dims, data: Uint8Array.from(data) },
});

/** A gray picture, as the bytes of a PNG. */
function gray(width: number, pixels: readonly number[]): FieldValue {
  const lines: number[] = [];
  for (let start = 0; start < pixels.length; start += width)
    lines.push(0, ...pixels.slice(start, start + width));
  const height = pixels.length / width;
  return { kind: 'image', encoded: writePng({ width, height, lines: Uint8Array.from(lines) }) };
}

describe('a picture', () => {
  it('is decoded, normalized and laid out, and says where it came from', async () => {
    const encoded = await sharp(Buffer.of(255, 0, 51, 102, 153, 204), {
      raw: { width: 2, height: 1, channels: 3 },
    })
      .png()
      .toBuffer();
    const binding = unwrap(bind({ scale: 1 / 255 }));
    expect(binding).toMatchObject({ fed: { name: 'x', dims: undefined }, field: 'image' });
    const { tensor, geometry } = unwrap(await binding.prepare({ kind: 'image', encoded }, AT));
    expect(tensor).toEqual({
      type: 'float32',
      dims: [1, 3, 1, 2],
      data: Float32Array.from([255, 102, 0, 153, 51, 204], (pixel) => pixel / 255),
    });
    expect(geometry).toMatchObject({
      width: 2,
      height: 1,
      fedWidth: 2,
      fedHeight: 1,
      scale: [1, 1],
      offset: [0, 0],
    });
  });

  it('has the dimensions of the model where resizing makes all alike', async () => {
    const image = { resize: { width: 4, height: 2 }, layout: 'nhwc' } as const;
    const binding = unwrap(bind({ image }, { dims: [1, 2, 4, 3] }));
    expect(binding.fed.dims).toEqual([1, 2, 4, 3]);
    expect(unwrap(await binding.prepare(gray(1, [9]), AT)).tensor.dims).toEqual([1, 2, 4, 3]);
  });

  it('is refused at opening where resizing makes it another size than the model takes', () => {
    expect(bind({ image: { resize: { width: 4, height: 2 } } }, { dims: [1, 3, 4, 4] })).toMatchObject({
      ok: false,
      error: {
        kind: 'shape-mismatch',
        message: "a prepared picture is [3,2,4], the model's input 'x' is [1,3,4,4]",
        place: { file: 'data', tensor: 'x' },
      },
    });
  });

  it('is refused when it is read where its own size does not fit, with its file', async () => {
    const file = join(temporaryFolder(), 'tall.png');
    writeFileSync(file, (gray(1, [1, 2]) as { encoded: Uint8Array }).encoded);
    const binding = unwrap(bind(GRAY, { dims: ['n', 1, 1, 2] }));
    expect(unwrap(await binding.prepare(gray(2, [1, 2]), AT)).tensor.dims).toEqual([1, 1, 1, 2]);
    const mismatch = { kind: 'shape-mismatch', message: expect.stringContaining('is [1,2,1]') };
    expect(await binding.prepare(gray(1, [1, 2]), AT)).toMatchObject({
      ok: false,
      error: { ...mismatch, place: { ...AT, tensor: 'x' } },
    });
    expect(await binding.prepare({ kind: 'image', encoded: file }, AT)).toMatchObject({
      ok: false,
      error: { ...mismatch, place: { file, sample: 4 } },
    });
  });

  it('that cannot be decoded names its file and the sample', async () => {
    const file = join(temporaryFolder(), 'broken.jpg');
    writeFileSync(file, 'not a picture');
    const binding = unwrap(bind({}));
    expect(await binding.prepare({ kind: 'image', encoded: file }, AT)).toMatchObject({
      ok: false,
      error: { kind: 'image-unreadable', place: { file, sample: 4 } },
    });
    expect(await binding.prepare({ kind: 'image', encoded: Buffer.from('no') }, AT)).toMatchObject({
      ok: false,
      error: { kind: 'image-unreadable', place: AT },
    });
  });

  it('that would become too large names the sample', async () => {
    const binding = unwrap(bind({ image: { resize: { shortSide: 60_000 } } }));
    expect(await binding.prepare(gray(2, [1, 2]), AT)).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-invalid', place: { ...AT, tensor: 'x' } },
    });
  });

  it('cannot be prepared by settings that fit no picture', () => {
    expect(bind({ image: { crop: { width: 0, height: 1 } } })).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-invalid', place: { file: 'data', tensor: 'x', field: '/image/crop/width' } },
    });
    expect(bind({ mean: [1, 2] })).toMatchObject({ ok: false, error: { kind: 'preprocess-invalid' } });
  });
});

describe('another shape of a picture', () => {
  it('is given to the same pixels', async () => {
    const binding = unwrap(bind({ ...GRAY, dims: [4] }, { dims: ['n', 4] }));
    const { tensor } = unwrap(await binding.prepare(gray(2, [1, 2, 3, 4]), AT));
    expect(tensor).toEqual({ type: 'float32', dims: [1, 4], data: Float32Array.of(1, 2, 3, 4) });
    expect(await binding.prepare(gray(1, [1, 2]), AT)).toMatchObject({
      ok: false,
      error: { kind: 'shape-mismatch', message: expect.stringContaining('which `dims` makes [4]') },
    });
  });

  it('is refused at opening where the size is known to be another', () => {
    const image = { resize: { width: 2, height: 2 }, channels: 'gray' } as const;
    expect(unwrap(bind({ image, dims: [4] }, { dims: ['n', 4] })).fed.dims).toEqual([1, 4]);
    expect(bind({ image, dims: [5] }, { dims: ['n', 5] })).toMatchObject({
      ok: false,
      error: { kind: 'shape-mismatch' },
    });
  });
});

describe('arrays of bytes', () => {
  it('are pictures, with dimensions that are known at opening', async () => {
    const binding = unwrap(bind(GRAY, { dims: ['n', 1, 2, 2] }, arrays('uint8', [2, 2])));
    expect(binding.fed.dims).toEqual([1, 1, 2, 2]);
    const { tensor } = unwrap(await binding.prepare(bytes([2, 2], [1, 2, 3, 4]), AT));
    expect(tensor.data).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it('with channels put behind each other are laid out as planes', async () => {
    const binding = unwrap(bind({ image: { channels: 'bgr' } }, {}, arrays('uint8', [1, 2, 3])));
    const { tensor } = unwrap(await binding.prepare(bytes([1, 2, 3], [1, 2, 3, 4, 5, 6]), AT));
    expect(tensor).toMatchObject({ dims: [1, 3, 1, 2], data: Float32Array.of(3, 6, 2, 5, 1, 4) });
  });

  it.each<[string, FieldInfo, string]>([
    ['of another type', arrays('float32', [2, 2]), 'an array of float32'],
    ['of another type and of any size', arrays('int8'), 'an array of int8'],
    ['of other dimensions', arrays('uint8', [2]), 'the shape [2]'],
    ['with channels first', arrays('uint8', [3, 8, 8]), '8 channels'],
  ])('%s are refused at opening', (_case, field, message) => {
    expect(bind({ image: {} }, {}, field)).toMatchObject({
      ok: false,
      error: {
        kind: 'preprocess-invalid',
        message: expect.stringContaining(message),
        place: { file: 'data', tensor: 'x' },
      },
    });
  });

  it('that turn out to be no picture are refused when they are read', async () => {
    const binding = unwrap(bind({}, {}, arrays('uint8')));
    expect(await binding.prepare(bytes([2], [1, 2]), AT)).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-invalid', place: { ...AT, tensor: 'x' } },
    });
    expect(await binding.prepare({ kind: 'text', text: 'a' }, AT)).toMatchObject({
      ok: false,
      error: { kind: 'dtype-mismatch', place: AT },
    });
  });
});

describe('the type of a fed picture', () => {
  it('may be halves, as far as they reach', async () => {
    const dims = ['n', 1, 1, 2] as const;
    const half = unwrap(bind({ ...GRAY, scale: 0.5 }, { type: 'float16', dims }));
    expect(unwrap(await half.prepare(gray(2, [1, 3]), AT)).tensor.data).toEqual(
      Uint16Array.of(encodeFloat16(0.5), encodeFloat16(1.5)),
    );
    const huge = unwrap(bind({ ...GRAY, scale: 1000 }, { type: 'float16', dims }));
    expect(await huge.prepare(gray(2, [1, 200]), AT)).toMatchObject({
      ok: false,
      error: {
        kind: 'value-unrepresentable',
        message: expect.stringContaining('a pixel becomes 200000'),
        place: AT,
      },
    });
  });

  it.each<[ElementType, unknown]>([
    ['uint8', Uint8Array.of(0, 255)],
    ['int32', Int32Array.of(0, 255)],
  ])('may be %s where nothing is computed with the pixels', async (type, data) => {
    const binding = unwrap(bind(GRAY, { type, dims: ['n', 1, 1, 2] }));
    expect(unwrap(await binding.prepare(gray(2, [0, 255]), AT)).tensor).toEqual({
      type,
      dims: [1, 1, 1, 2],
      data,
    });
  });

  it('is no integer behind scale, mean and std', () => {
    expect(bind({ scale: 2 }, { type: 'uint8' })).toMatchObject({
      ok: false,
      error: {
        kind: 'dtype-mismatch',
        message: expect.stringContaining('becomes float32'),
        place: { tensor: 'x' },
      },
    });
    expect(bind({}, { type: 'string' })).toMatchObject({ ok: false, error: { kind: 'dtype-mismatch' } });
  });
});
