import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/core/problem.ts';
import type { Result } from '../../../src/core/result.ts';
import { convertElements } from '../../../src/data/convert-elements.ts';
import { type NpzArchive, openNpz } from '../../../src/data/npz.ts';
import { type EntrySpec, float32Npy, npy, npz, useTemporaryFiles, zip } from './npz-writer.ts';

const write = await useTemporaryFiles();
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/npz/${name}`, import.meta.url));

async function archiveOf(content: Uint8Array): Promise<NpzArchive> {
  const archive = await openNpz(await write(content));
  if (!archive.ok) throw new Error(archive.error.message);
  return archive.value;
}

async function openingProblem(content: Uint8Array): Promise<Problem | undefined> {
  const archive = await openNpz(await write(content));
  if (archive.ok) await archive.value.close();
  return archive.ok ? undefined : archive.error;
}

function unwrap<T>(result: Result<T, Problem>): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** Opens an archive of one entry and reads all its rows. */
async function readAll(entry: EntrySpec, rows: number): Promise<Result<unknown, Problem>> {
  const archive = await archiveOf(zip([entry]));
  try {
    const name = entry.name.replace('.npy', '');
    const unreadable = archive.unreadable.get(name);
    return unreadable === undefined
      ? await archive.readRows(name, 0, rows)
      : { ok: false, error: unreadable };
  } finally {
    await archive.close();
  }
}

describe.each(['stored.npz', 'deflated.npz'])('an archive written by NumPy, %s', (file) => {
  it('reads every row as NumPy does, in and out of order', async () => {
    const expected = JSON.parse(await readFile(fixture('expected.json'), 'utf8')) as Record<
      string,
      unknown[][]
    >;
    const archive = unwrap(await openNpz(fixture(file)));
    for (const [name, rows] of Object.entries(expected)) {
      const { type } = archive.arrays.get(name) ?? { type: 'string' };
      const order = [...rows.keys(), ...[...rows.keys()].reverse()];
      for (const index of order) {
        const row = unwrap(await archive.readRows(name, index, 1));
        const readable = type === 'float16' ? unwrap(asFloat32(row as Uint16Array)) : row;
        const values = [...readable].map((value) => (type.startsWith('int') ? String(value) : value));
        expect(values, `${name}[${index}]`).toEqual(rows[index]);
      }
    }
    await archive.close();
  });

  it('lists the arrays, and those that cannot be fed with the reason', async () => {
    const archive = unwrap(await openNpz(fixture(file)));
    expect(archive.arrays.get('eval/image')).toEqual({
      name: 'eval/image',
      type: 'float32',
      shape: [4, 3, 4, 4],
    });
    expect(archive.arrays.get('eval/nested/name')?.shape).toEqual([4]);
    expect([...archive.unreadable.keys()].sort()).toEqual(['fortran', 'objects', 'text']);
    expect(archive.unreadable.get('objects')).toMatchObject({
      kind: 'npy-unsupported',
      place: { file: fixture(file), tensor: 'objects' },
    });
    await archive.close();
  });

  it('serves overlapping reads of one array', async () => {
    const archive = unwrap(await openNpz(fixture(file)));
    const together = await Promise.all([3, 0, 2, 1].map((row) => archive.readRows('eval/uint8', row, 1)));
    for (const [i, row] of [3, 0, 2, 1].entries()) {
      expect(together[i]).toEqual(await archive.readRows('eval/uint8', row, 1));
    }
    await archive.close();
  });
});

function asFloat32(bits: Uint16Array) {
  const converted = convertElements(bits, 'float16', 'float32');
  return converted.ok
    ? converted
    : { ok: false as const, error: { kind: 'x', message: converted.error.value } };
}

describe('openNpz', () => {
  it('says that a file is missing, and names it', async () => {
    expect(await openNpz('/nowhere/data.npz')).toMatchObject({
      error: {
        kind: 'npz-unreadable',
        place: { file: '/nowhere/data.npz' },
        message: expect.stringContaining('it does not exist'),
      },
    });
  });

  it('says that a folder is not a file', async () => {
    expect(await openNpz('/')).toMatchObject({ error: { kind: 'npz-unreadable' } });
  });

  it.each([
    ['an empty file', new Uint8Array(0)],
    ['text', Buffer.from('hello, this is not a zip file at all')],
    ['a truncated archive', npz({ 'eval/x': float32Npy([2], [1, 2]) }).subarray(0, 150)],
    ['an archive that lost its beginning', npz({ 'eval/x': float32Npy([2], [1, 2]) }).subarray(20)],
  ])('calls %s invalid', async (_case, content) => {
    expect(await openingProblem(content)).toMatchObject({ kind: 'npz-invalid', hint: expect.any(String) });
  });

  it('recognizes a bare .npy and says how to save it instead', async () => {
    expect(await openingProblem(float32Npy([2], [1, 2]))).toMatchObject({
      kind: 'npz-invalid',
      message: expect.stringContaining('one .npy array'),
    });
  });

  it('refuses an array that is there twice', async () => {
    const content = float32Npy([1], [1]);
    const problem = await openingProblem(
      zip([
        { name: 'a.npy', content },
        { name: 'a', content },
      ]),
    );
    expect(problem).toMatchObject({ kind: 'npz-invalid', message: expect.stringContaining("'a' twice") });
  });

  it('refuses a claim of more bytes than deflate can make', async () => {
    const entry = { name: 'a.npy', content: float32Npy([2], [1, 2]), deflate: true, claimedSize: 0x7fffffff };
    expect(await openingProblem(zip([entry]))).toMatchObject({ kind: 'npz-invalid' });
  });

  it('survives any single damaged byte: a value or a problem, never an exception', async () => {
    const whole = zip([
      { name: 'a.npy', content: float32Npy([3], [1, 2, 3]) },
      { name: 'b.npy', content: float32Npy([3], [1, 2, 3]), deflate: true },
    ]);
    const byte = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(byte, async ([position, flip]) => {
        const damaged = Buffer.from(whole);
        damaged[position] = (damaged[position] ?? 0) ^ flip;
        const archive = await openNpz(await write(damaged));
        if (!archive.ok) return;
        for (const { name, shape } of archive.value.arrays.values()) {
          await archive.value.readRows(name, 0, shape[0] ?? 0);
        }
        await archive.value.close();
      }),
      { numRuns: 150 },
    );
  });
});

describe('a hostile entry', () => {
  it.each<[string, EntrySpec, string]>([
    ['is not .npy', { name: 'a.npy', content: Buffer.from('a picture, perhaps, of a cat') }, 'npy-invalid'],
    ['is empty', { name: 'a.npy', content: new Uint8Array(0) }, 'npy-invalid'],
    [
      'has a header longer than itself',
      { name: 'a.npy', content: float32Npy([2], [1, 2]).subarray(0, 40) },
      'npy-invalid',
    ],
    [
      'claims more rows than it has',
      { name: 'a.npy', content: npy('<f4', [3], new Uint8Array(8)) },
      'npy-invalid',
    ],
    [
      'has more bytes than it claims',
      { name: 'a.npy', content: npy('<f4', [1], new Uint8Array(8)) },
      'npy-invalid',
    ],
    ['is a pickle', { name: 'a.npy', content: npy('|O', [2], new Uint8Array(8)) }, 'npy-unsupported'],
    [
      'is encrypted',
      { name: 'a.npy', content: float32Npy([1], [1]), encrypted: true, deflate: true },
      'npy-unsupported',
    ],
    [
      'is compressed with bzip2',
      { name: 'a.npy', content: float32Npy([1], [1]), method: 12 },
      'npy-unsupported',
    ],
  ])('that %s is a named problem', async (_case, entry, kind) => {
    expect(await readAll(entry, 1)).toMatchObject({ ok: false, error: { kind, place: { tensor: 'a' } } });
  });

  it.each([true, false])('with a wrong checksum is damaged (deflated: %s)', async (deflate) => {
    const entry = { name: 'a.npy', content: float32Npy([2], [1, 2]), deflate, claimedCrc: 1 };
    const archive = await archiveOf(zip([entry]));
    expect(await archive.readRows('a', 0, 1)).toMatchObject({ ok: true });
    expect(await archive.readRows('a', 1, 1)).toMatchObject({ error: { kind: 'npz-invalid' } });
    expect(await archive.readRows('a', 0, 1)).toMatchObject({ error: { kind: 'npz-invalid' } });
    await archive.close();
  });

  it('that decompresses to more than it claims is stopped at what it claims', async () => {
    const honest = npy('<f4', [2], new Uint8Array(8));
    const bomb = Buffer.concat([honest, Buffer.alloc(5_000_000)]);
    const entry = { name: 'a.npy', content: bomb, deflate: true, claimedSize: honest.length };
    expect(await readAll(entry, 2)).toMatchObject({
      error: { kind: 'npz-invalid', message: expect.stringContaining('more than') },
    });
  });

  it('that decompresses to less than it claims is damaged', async () => {
    const content = npy('<f4', [1000], new Uint8Array(3000));
    const entry = { name: 'a.npy', content, deflate: true, claimedSize: content.length + 1000 };
    expect(await readAll(entry, 1000)).toMatchObject({
      error: { kind: 'npz-invalid', message: expect.stringContaining('less than') },
    });
  });

  it('that claims a row of more than 2 GiB is refused before memory is taken', async () => {
    const header = npy('<f4', [1, 2 ** 29], new Uint8Array(0));
    // Noise does not shrink, so the compressed size leaves the claim possible.
    const content = Buffer.concat([header, randomBytes(2_200_000)]);
    const entry = { name: 'a.npy', content, deflate: true, claimedSize: header.length + 2 ** 31 };
    expect(await readAll(entry, 1)).toMatchObject({
      error: { kind: 'npz-row-too-large', place: { sample: 0 } },
    });
  });
});

describe('readRows', () => {
  it('starts a deflated array again after damage was found', async () => {
    const archive = await archiveOf(npz({ a: float32Npy([3, 1], [1, 2, 3]) }, true));
    expect(unwrap(await archive.readRows('a', 2, 1))).toEqual(new Float32Array([3]));
    expect(unwrap(await archive.readRows('a', 0, 2))).toEqual(new Float32Array([1, 2]));
    await archive.close();
  });

  it('treats rows outside the array, and arrays that are not there, as bugs of the caller', async () => {
    const archive = await archiveOf(npz({ a: float32Npy([3], [1, 2, 3]) }));
    expect(() => archive.readRows('a', 3, 1)).toThrow(RangeError);
    expect(() => archive.readRows('b', 0, 1)).toThrow(RangeError);
    await archive.close();
  });
});
