import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findVulkanDrivers } from '../../../src/runtime/vulkan.ts';
import { fakeMachine } from '../../support/fake-machine.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const manifest = (library: string) =>
  JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library } });

describe('Vulkan drivers', () => {
  it.each(['/etc', '/usr/share', '/usr/local/share', '/etc/xdg'])('are found below %s', (base) => {
    const machine = fakeMachine({
      system: {
        [`${base}/vulkan/icd.d/radeon.json`]: manifest('libvulkan_radeon.so'),
        [`${base}/vulkan/icd.d/README`]: '',
        '/usr/lib/x86_64-linux-gnu/libvulkan_radeon.so': '',
      },
    });
    expect(findVulkanDrivers(machine)).toEqual({
      usable: [
        {
          manifest: join(machine.root, base, 'vulkan/icd.d/radeon.json'),
          library: 'libvulkan_radeon.so',
          software: false,
        },
      ],
      broken: [],
    });
  });

  it('are found where the XDG variables and HOME point', () => {
    const system = { '/me/.local/share/vulkan/icd.d/a.json': manifest('/a.so'), '/a.so': '' };
    expect(findVulkanDrivers(fakeMachine({ system, env: { HOME: '/me' } })).usable).toHaveLength(1);
    expect(
      findVulkanDrivers(fakeMachine({ system, env: { XDG_DATA_DIRS: '/me/.local/share' } })).usable,
    ).toHaveLength(1);
    expect(findVulkanDrivers(fakeMachine({ system })).usable).toEqual([]);
  });

  it.each(['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'])('are those that %s lists, and no others', (variable) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'swiftshader.json'), manifest('./libvk_swiftshader.so'));
    writeFileSync(join(folder, 'libvk_swiftshader.so'), '');
    const system = { '/etc/vulkan/icd.d/nvidia.json': manifest('/nvidia.so'), '/nvidia.so': '' };
    const env = { [variable]: join(folder, 'swiftshader.json') };
    expect(findVulkanDrivers(fakeMachine({ system, env })).usable).toEqual([
      { manifest: join(folder, 'swiftshader.json'), library: './libvk_swiftshader.so', software: true },
    ]);
  });

  it('may be listed as a folder, and be added to those of the system', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'icd'));
    writeFileSync(join(folder, 'icd/lavapipe.json'), manifest('../libvulkan_lvp.so'));
    writeFileSync(join(folder, 'icd/notes.txt'), '');
    writeFileSync(join(folder, 'libvulkan_lvp.so'), '');
    const system = { '/etc/vulkan/icd.d/nvidia.json': manifest('/nvidia.so'), '/nvidia.so': '' };
    const librariesWith = (env: Record<string, string>) =>
      findVulkanDrivers(fakeMachine({ system, env })).usable.map(({ library }) => library);
    expect(findVulkanDrivers(fakeMachine({ env: { VK_DRIVER_FILES: join(folder, 'icd') } })).broken).toEqual(
      [],
    );
    expect(librariesWith({ VK_DRIVER_FILES: join(folder, 'icd') })).toEqual(['../libvulkan_lvp.so']);
    expect(librariesWith({ VK_ADD_DRIVER_FILES: join(folder, 'icd') })).toEqual([
      '../libvulkan_lvp.so',
      '/nvidia.so',
    ]);
  });

  it.each([
    [
      'whose library is not installed',
      manifest('libGLX_nvidia.so.0'),
      'names libGLX_nvidia.so.0, which is not installed',
    ],
    ['whose path leads nowhere', manifest('./gone.so'), 'names ./gone.so, which is not installed'],
    ['that is no JSON', '{', 'is no manifest of a driver'],
    ['that names no driver', '{}', 'is no manifest of a driver'],
    ['whose library is no text', '{"ICD": {"library_path": 5}}', 'is no manifest of a driver'],
    ['that is null', 'null', 'is no manifest of a driver'],
  ])('cannot be used from a manifest %s', (_what, text, reason) => {
    const machine = fakeMachine({ system: { '/etc/vulkan/icd.d/x.json': text } });
    expect(findVulkanDrivers(machine)).toEqual({
      usable: [],
      broken: [{ manifest: join(machine.root, 'etc/vulkan/icd.d/x.json'), reason }],
    });
  });

  it('cannot be used from a manifest that is listed and not there', () => {
    const env = { VK_DRIVER_FILES: '/nowhere/driver.json' };
    expect(findVulkanDrivers(fakeMachine({ env })).broken).toHaveLength(1);
  });
});
