import { truncateSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflateByteSource, openByteSource } from '../../../../src/data/formats/byte-source.ts';
import { fileOf } from './folder-of-files.ts';

async function readAt(source: Awaited<ReturnType<typeof openByteSource>>, position: number, size: number) {
  const bytes = Buffer.alloc(size);
  await source.read(bytes, position);
  return bytes.toString('latin1');
}

describe('the bytes of a file', () => {
  it('can be read at any position', async () => {
    const source = await openByteSource(fileOf('a', 'abcdef'));
    expect(source.sizeBytes).toBe(6);
    expect([await readAt(source, 4, 2), await readAt(source, 0, 3), await readAt(source, 6, 0)]).toEqual([
      'ef',
      'abc',
      '',
    ]);
    await source.close();
  });

  it('are missed where the file has become shorter', async () => {
    const path = fileOf('a', 'abcdef');
    const source = await openByteSource(path);
    truncateSync(path, 4);
    await expect(readAt(source, 3, 3)).rejects.toMatchObject({
      problem: {
        kind: 'data-unreadable',
        message: 'the file ends at byte 4, before the end of the item',
        place: { file: path },
      },
    });
    await source.close();
  });
});

describe('the bytes of a gzip file', () => {
  it.each([100, 1_000_000, 4_999_999])('are not unpacked beyond %d bytes', async (limit) => {
    const path = fileOf('a.gz', gzipSync(Buffer.alloc(5_000_000)));
    await expect(inflateByteSource(path, limit)).rejects.toMatchObject({ problem: { kind: 'data-invalid' } });
  });

  it('are unpacked, up to a size', async () => {
    const path = fileOf('a.gz', gzipSync('abcdef'));
    const source = await inflateByteSource(path, 6);
    expect([source.sizeBytes, await readAt(source, 4, 2)]).toEqual([6, 'ef']);
    await source.close();
    await expect(inflateByteSource(path, 5)).rejects.toMatchObject({
      problem: {
        kind: 'data-invalid',
        message: 'unpacked, the file is larger than 5 B',
        place: { file: path },
      },
    });
  });
});
