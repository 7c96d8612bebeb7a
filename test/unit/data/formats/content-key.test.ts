import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileContentKey } from '../../../../src/data/formats/content-key.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const KIB = 1024;

function keyOf(bytes: Uint8Array): Promise<string> {
  const path = join(temporaryFolder(), 'item');
  writeFileSync(path, bytes);
  return fileContentKey(path);
}

describe('fileContentKey', () => {
  it.each([0, 3, 16 * KIB, 20 * KIB, 40 * KIB])('hashes the size and both ends of %i bytes', async (size) => {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251);
    const tailStart = Math.max(Math.min(size, 16 * KIB), size - 16 * KIB);
    const hash = createHash('sha256').update(`${size}\n`);
    const expected = hash.update(bytes.subarray(0, 16 * KIB)).update(bytes.subarray(tailStart));
    expect(await keyOf(bytes)).toBe(expected.digest('hex'));
  });

  it('tells files apart that differ in the first byte, the last one, or the size', async () => {
    const bytes = new Uint8Array(50 * KIB);
    const keys = await Promise.all([
      keyOf(bytes),
      keyOf(bytes.with(0, 1)),
      keyOf(bytes.with(bytes.length - 1, 1)),
      keyOf(bytes.subarray(1)),
    ]);
    expect(new Set(keys).size).toBe(4);
  });
});
