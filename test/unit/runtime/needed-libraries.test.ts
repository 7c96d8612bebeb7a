import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { neededLibraries } from '../../../src/runtime/needed-libraries.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { writeElf } from '../../support/write-elf.ts';

function fileOf(content: Buffer): string {
  const path = join(temporaryFolder(), 'lib.so');
  writeFileSync(path, content);
  return path;
}

describe('the libraries that a library needs', () => {
  it('are named in order', () =>
    expect(neededLibraries(fileOf(writeElf(['libcudart.so.13', 'libm.so.6'])))).toEqual([
      'libcudart.so.13',
      'libm.so.6',
    ]));

  it('are none where it needs none', () => expect(neededLibraries(fileOf(writeElf([])))).toEqual([]));

  it.runIf(process.platform === 'linux' && readelf(process.execPath) !== undefined)(
    'are those that binutils finds in this program',
    () => expect(neededLibraries(process.execPath)).toEqual(readelf(process.execPath)),
  );

  it('are unknown for a file that is absent, empty, a text, or for another kind of machine', () => {
    expect(neededLibraries('/gone.so')).toBeUndefined();
    expect(neededLibraries(fileOf(Buffer.alloc(0)))).toBeUndefined();
    expect(neededLibraries(fileOf(Buffer.from('a text\n'.repeat(40))))).toBeUndefined();
    const bigEndian = writeElf(['libm.so.6']);
    bigEndian[5] = 2;
    expect(neededLibraries(fileOf(bigEndian))).toBeUndefined();
  });

  it('are unknown, and nothing worse, for a library with any byte changed or its end cut off', () => {
    const whole = writeElf(['libcudart.so.13']);
    for (let at = 0; at < whole.length; at += 1) {
      const names = neededLibraries(fileOf(whole.subarray(0, at)));
      expect(names, `cut at ${at}`).toBeUndefined();
      const changed = Buffer.from(whole);
      changed[at] = 255 - (changed[at] as number);
      expect(() => neededLibraries(fileOf(changed)), `changed at ${at}`).not.toThrow();
    }
  });
});

function readelf(path: string): readonly string[] | undefined {
  try {
    const text = execFileSync('readelf', ['--dynamic', path], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return [...text.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name as string);
  } catch {
    return undefined;
  }
}
