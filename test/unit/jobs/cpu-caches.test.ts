import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCpuCaches } from '../../../src/jobs/cpu-caches.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A host whose CPU 0 has caches, each given as the files of its folder. */
function hostWith(...caches: Readonly<Record<string, string>>[]) {
  const sysPath = temporaryFolder();
  caches.forEach((files, index) => {
    const folder = join(sysPath, `devices/system/cpu/cpu0/cache/index${index}`);
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
  });
  return { procPath: '/nowhere', sysPath, cgroupPath: '/nowhere' };
}

const L2 = { level: '2', type: 'Unified', size: '2048K', shared_cpu_list: '0,8' };

describe('readCpuCaches', () => {
  it('reads size and sharers of the caches that hold data, the nearest first', () => {
    const host = hostWith(
      { level: '3', type: 'Unified', size: '32M', shared_cpu_list: '0-7,16-23' },
      { level: '1', type: 'Data', size: '48K', shared_cpu_list: '0,8' },
      { level: '1', type: 'Instruction', size: '32K', shared_cpu_list: '0,8' },
      L2,
    );
    expect(readCpuCaches(host)).toEqual([
      { level: 1, sizeBytes: 48 * 2 ** 10, sharedBy: 2 },
      { level: 2, sizeBytes: 2 * 2 ** 20, sharedBy: 2 },
      { level: 3, sizeBytes: 32 * 2 ** 20, sharedBy: 16 },
    ]);
  });

  it.each([
    ['size', 'large'],
    ['size', ''],
    ['level', 'two'],
    ['level', '0'],
  ])('leaves a cache out whose %s is %j', (file, text) =>
    expect(readCpuCaches(hostWith({ ...L2, [file]: text }))).toEqual([]),
  );

  it('takes a cache as its own where nobody tells who shares it', () =>
    expect(readCpuCaches(hostWith({ ...L2, shared_cpu_list: '' }))[0]?.sharedBy).toBe(1));

  it('knows of none where the kernel does not tell', () => expect(readCpuCaches(hostWith())).toEqual([]));
});
