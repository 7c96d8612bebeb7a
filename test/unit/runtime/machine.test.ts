import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSharedLibrary, listSystemFolder, thisMachine } from '../../../src/runtime/machine.ts';
import { fakeMachine } from '../../support/fake-machine.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('a shared library is found', () => {
  it('in LD_LIBRARY_PATH before all others', () => {
    const own = temporaryFolder();
    writeFileSync(join(own, 'libvulkan.so.1'), '');
    const machine = fakeMachine({
      system: { '/usr/lib/libvulkan.so.1': '' },
      env: { LD_LIBRARY_PATH: `:/nowhere:${own}` },
    });
    expect(findSharedLibrary('libvulkan.so.1', machine)).toBe(join(own, 'libvulkan.so.1'));
  });

  it("where the linker's cache says, if it is still there", () => {
    const entries = [
      'glibc-ld.so.cache1.1\0\x03',
      '/opt/gpu/libcuda.so.1',
      '/gone/libnvinfer.so.10',
      'libcuda.so.1',
    ];
    const machine = fakeMachine({
      system: { '/etc/ld.so.cache': entries.join('\0'), '/opt/gpu/libcuda.so.1': '' },
    });
    expect(findSharedLibrary('libcuda.so.1', machine)).toBe('/opt/gpu/libcuda.so.1');
    expect(findSharedLibrary('libnvinfer.so.10', machine)).toBeUndefined();
    expect(findSharedLibrary('cuda.so.1', machine)).toBeUndefined();
  });

  it.each(['/usr/lib64', '/lib', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'])(
    'in %s without being in the cache',
    (folder) => {
      const machine = fakeMachine({ system: { [`${folder}/libvulkan.so.1`]: '' } });
      expect(findSharedLibrary('libvulkan.so.1', machine)).toBe(`${folder}/libvulkan.so.1`);
      expect(findSharedLibrary('libvulkan.so.2', machine)).toBeUndefined();
    },
  );
});

it('a folder that is not there has no names', () => {
  const machine = fakeMachine({ system: { '/dev/nvidia1': '', '/dev/nvidia0': '' } });
  expect(listSystemFolder('/dev', machine)).toEqual(['nvidia0', 'nvidia1']);
  expect(listSystemFolder('/dev/dri', machine)).toEqual([]);
});

it('this machine has the binding that the tests run with', () => {
  const { backends, bindingFolder } = thisMachine();
  expect(backends).toContain('cpu');
  expect(existsSync(join(bindingFolder, 'onnxruntime_binding.node'))).toBe(true);
});
