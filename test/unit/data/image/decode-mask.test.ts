import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeMask } from '../../../../src/data/image/decode-mask.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { bytesOf, encodedCase, vectors } from './image-vectors.ts';
import { writePng } from './png-writer.ts';

const TWO_BY_TWO = writePng({ width: 2, height: 2, lines: new Uint8Array([0, 5, 255, 1, 7, 1]) });

async function refusal(encoded: string | Uint8Array) {
  const decoded = await decodeMask(encoded);
  if (decoded.ok) throw new Error('it was decoded');
  return decoded.error;
}

describe('decodeMask', () => {
  it('gives the stored values', async () => {
    // The second line is stored as differences from the pixel to the left.
    const mask = { width: 2, height: 2, data: new Uint8Array([5, 255, 7, 8]) };
    expect(unwrap(await decodeMask(TWO_BY_TWO))).toEqual(mask);
    const path = join(temporaryFolder(), 'mask.png');
    writeFileSync(path, TWO_BY_TWO);
    expect(unwrap(await decodeMask(path))).toEqual(mask);
  });

  it('predicts from above where above and corner are equally near', async () => {
    // To the left 11, above 8, in the corner 10: 11 + 8 − 10 = 9 is one away from the last two.
    const lines = new Uint8Array([0, 10, 8, 4, 1, 5]);
    const { data } = unwrap(await decodeMask(writePng({ width: 2, height: 2, lines })));
    expect(data).toEqual(new Uint8Array([10, 8, 11, 13]));
  });

  it.each(vectors.masks)('gives indices, not colours: $name', async ({ encoded, indices }) => {
    const { width, height, base64 } = indices;
    expect(unwrap(await decodeMask(bytesOf(encoded)))).toEqual({ width, height, data: bytesOf(base64) });
  });

  it.each([
    ['a PNG of colours', encodedCase('PNG, RGB'), /holds colours/],
    ['a PNG of gray with transparency', encodedCase('PNG, gray with transparency'), /transparency/],
    ['16 bits', encodedCase('PNG, gray of 16 bits'), /16 bits/],
    ['a JPEG, which changes values', encodedCase('JPEG, gray'), /cannot be JPEG/],
  ])('does not take %s', async (_, bytes, message) => {
    const { kind, hint, ...rest } = await refusal(bytes);
    expect(kind).toBe('image-unsupported');
    expect(rest.message).toMatch(message);
    expect(hint).toContain('save class numbers');
  });

  it.each([
    ['no bytes', new Uint8Array(), /empty/],
    ['a text', Buffer.from('not a mask'), /no image file/],
    ['a file that breaks off within a chunk', TWO_BY_TWO.subarray(0, 45), /cut short/],
    ['a file that breaks off between chunks', TWO_BY_TWO.subarray(0, -12), /cut short/],
    ['a wrong byte', withByte(TWO_BY_TWO, 45, 0x99), /checksum of its IDAT chunk/],
    [
      'pixels that are not compressed',
      writePng({ width: 2, height: 2, compressed: new Uint8Array([1, 2, 3]) }),
      /cannot be unpacked/,
    ],
    [
      'compressed pixels that break off',
      writePng({ width: 2, height: 2, compressed: deflateSync(new Uint8Array(6)).subarray(0, 6) }),
      /cannot be unpacked/,
    ],
    ['too few pixels', writePng({ width: 2, height: 2, lines: new Uint8Array(5) }), /pixels are missing/],
    ['too many pixels', writePng({ width: 2, height: 2, lines: new Uint8Array(700) }), /cannot be unpacked/],
    [
      'a filter that does not exist',
      writePng({ width: 2, height: 1, lines: new Uint8Array([9, 0, 0]) }),
      /filter 9/,
    ],
    ['no pixels', writePng({ width: 0, height: 4 }), /no pixels/],
    ['a size beyond all sense', writePng({ width: 60_000, height: 60_000 }), /60000 by 60000/],
    ['a depth that does not exist', writePng({ width: 1, height: 1, bitDepth: 3 }), /3 bits/],
  ])('refuses %s', async (_, bytes, message) => {
    const { kind, ...rest } = await refusal(bytes);
    expect(kind).toBe('image-unreadable');
    expect(rest.message).toMatch(message);
  });

  it('names a file that is not there', async () => {
    const path = join(temporaryFolder(), 'missing.png');
    expect(await refusal(path)).toMatchObject({ kind: 'image-unreadable', place: { file: path } });
  });
});

function withByte(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[index] = value;
  return copy;
}
