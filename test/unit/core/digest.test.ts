import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestFile, digestText } from '../../../src/core/digest.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ptq-digest-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

// FIPS 180-4 example values, and the million times "a" of its long-message test.
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const MILLION_A = 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0';

describe('digestFile', () => {
  it.each([
    ['an empty file', '', EMPTY],
    ['a short file', 'abc', ABC],
    ['a million bytes', 'a'.repeat(1_000_000), MILLION_A],
  ])('gives the SHA-256 of %s', async (_what, text, digest) => {
    const file = join(folder, 'file');
    await writeFile(file, text);
    expect(await digestFile(file)).toEqual({ ok: true, value: digest });
  });

  it('joins the blocks of a file that is larger than one', async () => {
    const file = join(folder, 'large');
    const text = 'quantize'.repeat(400_000);
    await writeFile(file, text);
    expect(await digestFile(file)).toEqual({ ok: true, value: digestText(text) });
  });

  it.each([
    ['does not exist', 'none', 'ENOENT'],
    ['is a folder', '.', 'EISDIR'],
  ])('names a file that %s', async (_what, name, code) => {
    const file = join(folder, name);
    const result = await digestFile(file);
    expect(result).toMatchObject({ ok: false, error: { kind: 'file-unreadable', place: { file } } });
    expect(!result.ok && result.error.message).toContain(code);
  });
});

describe('digestText', () => {
  it('gives the SHA-256 of the UTF-8 bytes', () => {
    expect(digestText('abc')).toBe(ABC);
    expect(digestText('')).toBe(EMPTY);
  });
});
