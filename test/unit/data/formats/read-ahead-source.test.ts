import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../../../src/data/formats/byte-source.ts';
import { readAhead } from '../../../../src/data/formats/read-ahead-source.ts';

const SIZE = 1_000_000;
const content = Uint8Array.from({ length: SIZE }, (_, index) => (index * 7919) >> 5);

/** Bytes in memory that count how often they are asked for, up to a place from which on nothing can be read. */
function countingSource(readableBytes = SIZE): { readonly source: ByteSource; readonly reads: number[] } {
  const reads: number[] = [];
  const source: ByteSource = {
    path: 'data',
    sizeBytes: SIZE,
    read: async (into, position) => {
      reads.push(into.length);
      await Promise.resolve();
      if (position + into.length > readableBytes) throw new Error('cut short');
      into.set(content.subarray(position, position + into.length));
    },
    close: async () => {},
  };
  return { source, reads };
}

async function readAt(source: ByteSource, position: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  await source.read(bytes, position);
  return bytes;
}

describe('reading ahead', () => {
  it('gives the bytes that are there, wherever and at whatever time they are asked for', async () => {
    const request = fc.record({
      position: fc.oneof(fc.integer({ min: 0, max: SIZE - 1 }), fc.integer({ min: 0, max: 500 })),
      size: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 400_000 })),
      waits: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 12 }), async (requests) => {
        const source = readAhead(countingSource().source);
        for (const { position, size, waits } of requests) {
          const end = Math.min(SIZE, position + size);
          const check = readAt(source, position, end - position).then((bytes) => {
            expect(Buffer.compare(bytes, content.subarray(position, end))).toBe(0);
          });
          if (waits) await check;
        }
      }),
      { numRuns: 100 },
    );
  });

  it('asks the file once for many reads that follow each other, also where they are asked for at once', async () => {
    const { source, reads } = countingSource();
    const ahead = readAhead(source);
    await Promise.all(Array.from({ length: 2000 }, (_, index) => readAt(ahead, index * 500, 499)));
    expect(reads).toEqual([262_144, 262_144, 262_144, expect.any(Number)]);
  });

  it('asks the file for no more than is wanted where reads jump or are large', async () => {
    const { source, reads } = countingSource();
    const ahead = readAhead(source);
    for (const position of [900_000, 300, 500_000]) await readAt(ahead, position, 10);
    await readAt(ahead, 500_010, 200_000);
    expect(reads).toEqual([10, 10, 10, 200_000]);
  });

  it('still reads what lies before a place that cannot be read', async () => {
    const { source } = countingSource(1000);
    const ahead = readAhead(source);
    for (const position of [0, 100, 900]) {
      expect(await readAt(ahead, position, 100)).toEqual(content.subarray(position, position + 100));
    }
    await expect(readAt(ahead, 1000, 100)).rejects.toThrow('cut short');
  });
});
