import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../support/pictures.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { bytesOf, encodedCase, imageOf, vectors } from './image-vectors.ts';
import { writePng } from './png-writer.ts';

const JPEG = encodedCase('JPEG, chroma subsampling 2');
const PNG = encodedCase('PNG, RGB');

function fileWith(content: string | Uint8Array, name = 'picture.jpg'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

async function refusal(encoded: string | Uint8Array) {
  const decoded = await decodeImage(encoded, 'rgb');
  if (decoded.ok) throw new Error('it was decoded');
  return decoded.error;
}

describe('createImageDecoder', () => {
  it.each(vectors.decode)('gives the pixels that Pillow gives: $name', async ({ encoded, rgb, gray }) => {
    const bytes = bytesOf(encoded);
    expect(unwrap(await decodeImage(bytes, 'rgb'))).toEqual(imageOf(rgb));
    expect(unwrap(await decodeImage(bytes, 'gray'))).toEqual(imageOf(gray));
  });

  it('reads a path as it reads bytes, whatever the name says', async () => {
    const decoded = unwrap(await decodeImage(fileWith(PNG, 'a [page=2].jpg'), 'rgb'));
    expect(decoded).toEqual(unwrap(await decodeImage(PNG, 'rgb')));
  });

  it('decodes a file anew when it has changed', async () => {
    const path = fileWith(PNG);
    await decodeImage(path, 'rgb');
    writeFileSync(path, encodedCase('PNG, one pixel'));
    expect(unwrap(await decodeImage(path, 'rgb'))).toMatchObject({ width: 1, height: 1 });
  });

  it('decodes many pictures at once', async () => {
    const alone = unwrap(await decodeImage(JPEG, 'rgb'));
    const together = await Promise.all(Array.from({ length: 40 }, () => decodeImage(JPEG, 'rgb')));
    for (const decoded of together) expect(unwrap(decoded)).toEqual(alone);
  });

  it('takes a picture with more bytes behind its end, as Pillow does', async () => {
    const longer = new Uint8Array([...JPEG, 1, 2, 3, 4]);
    expect(unwrap(await decodeImage(longer, 'rgb'))).toEqual(unwrap(await decodeImage(JPEG, 'rgb')));
  });

  it('takes a picture that a decoder merely warns of, as Pillow does', async () => {
    const warned = new Uint8Array([...JPEG.subarray(0, -2), 1, 2, 3, ...JPEG.subarray(-2)]);
    expect(unwrap(await decodeImage(warned, 'rgb'))).toEqual(unwrap(await decodeImage(JPEG, 'rgb')));
  });

  it('keeps no pictures, and leaves the cores to pictures that are decoded at once', async () => {
    sharp.cache(true);
    sharp.concurrency(2);
    await decodeImage(PNG, 'rgb');
    expect(sharp.cache()).toMatchObject({ memory: { max: 0 }, items: { max: 0 } });
    expect(sharp.concurrency()).toBe(1);
  });

  it('finds the frame header of a CMYK JPEG behind any number of filling bytes', async () => {
    const cmyk = encodedCase('JPEG, CMYK');
    const filled = new Uint8Array([...cmyk.subarray(0, 2), 0xff, 0xff, 0xff, ...cmyk.subarray(2)]);
    expect(unwrap(await decodeImage(filled, 'rgb'))).toEqual(unwrap(await decodeImage(cmyk, 'rgb')));
  });

  it('names the file and the reason where there is no file', async () => {
    const path = join(temporaryFolder(), 'missing.jpg');
    const { kind, message, place, hint } = await refusal(path);
    expect(kind).toBe('image-unreadable');
    expect(message).toMatch(/cannot be read .*ENOENT/);
    expect(place).toEqual({ file: path });
    expect(hint).toContain('onBadSample');
  });

  it('refuses a folder', async () => {
    expect(await refusal(temporaryFolder())).toMatchObject({ kind: 'image-unreadable' });
  });

  it('refuses an empty file', async () => {
    expect((await refusal(fileWith(''))).message).toContain('the file is empty');
    expect((await refusal(new Uint8Array())).message).toContain('the file is empty');
  });

  it('refuses a text that is called .jpg', async () => {
    const path = fileWith('this is not the picture that you look for');
    expect(await refusal(path)).toMatchObject({
      kind: 'image-unreadable',
      message: expect.stringContaining('it is no image file'),
      place: { file: path },
    });
  });

  it.each([
    ['half a JPEG', JPEG.subarray(0, JPEG.length / 2)],
    ['a JPEG without its end', JPEG.subarray(0, -2)],
    ['the header of a JPEG', JPEG.subarray(0, 30)],
    ['the first three bytes of a JPEG', JPEG.subarray(0, 3)],
    ['three quarters of a progressive JPEG', cut(encodedCase('JPEG, progressive'), 0.75)],
    ['half a PNG', PNG.subarray(0, PNG.length / 2)],
    ['half a WebP', cut(encodedCase('WebP'), 0.5)],
    ['a WebP without its last bytes', encodedCase('WebP').subarray(0, -3)],
  ])('refuses %s instead of giving gray areas', async (_, bytes) => {
    const { kind, message } = await refusal(bytes);
    expect(kind).toBe('image-unreadable');
    expect(message).toMatch(/^the picture cannot be decoded: \S/);
    expect(message).not.toContain('\n');
  });

  it('refuses a PNG with a wrong byte', async () => {
    const broken = PNG.slice();
    const middle = Math.floor(broken.length / 2);
    broken[middle] = (broken[middle] as number) ^ 1;
    expect(await refusal(broken)).toMatchObject({ kind: 'image-unreadable' });
  });

  it('refuses a header that claims more pixels than are sensible, before memory is asked for them', async () => {
    const huge = writePng({ width: 60_000, height: 60_000, colorType: 2 });
    expect(await refusal(huge)).toMatchObject({
      kind: 'image-unreadable',
      message: expect.stringContaining('pixel limit'),
    });
    expect(await refusal(claimingJpegSize(65_000))).toMatchObject({ kind: 'image-unreadable' });
  });

  it.each([
    ['GIF', 'GIF89a\x01\x00\x01\x00'],
    ['BMP', 'BM\x46\x00\x00\x00'],
    ['TIFF', 'II*\0\x08\x00\x00\x00'],
    ['HEIF or AVIF', '\0\0\0\x1cftypavif'],
  ])('says that it decodes no %s', async (format, beginning) => {
    const bytes = new Uint8Array(Buffer.from(beginning, 'latin1'));
    expect(await refusal(bytes)).toMatchObject({
      kind: 'image-unsupported',
      message: expect.stringContaining(`it is ${format}`),
      hint: 'save it as PNG or JPEG',
    });
  });

  it('takes no vector graphics, which a general decoder would draw', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
    expect(await refusal(fileWith(svg, 'a.svg'))).toMatchObject({ kind: 'image-unreadable' });
  });
});

function cut(bytes: Uint8Array, share: number): Uint8Array {
  return bytes.subarray(0, Math.floor(bytes.length * share));
}

/** A JPEG whose frame header claims that many rows and columns. */
function claimingJpegSize(side: number): Uint8Array {
  const bytes = Buffer.from(JPEG);
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(side, frame + 5);
  bytes.writeUInt16BE(side, frame + 7);
  return new Uint8Array(bytes);
}
