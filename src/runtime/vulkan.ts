import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findSharedLibrary, listSystemFolder, type Machine } from './machine.ts';

/** A driver that the Vulkan loader would load. */
export interface VulkanDriver {
  /** The JSON file that names it. */
  readonly manifest: string;
  /** As the manifest names it. */
  readonly library: string;
  /** It computes on the processor. */
  readonly software: boolean;
}

export interface VulkanDrivers {
  readonly usable: readonly VulkanDriver[];
  /** Manifests that lead to no driver, with the reason as the end of a sentence. */
  readonly broken: readonly { readonly manifest: string; readonly reason: string }[];
}

/** SwiftShader, and lavapipe of Mesa. */
const SOFTWARE_DRIVERS = /swiftshader|vulkan_lvp/;

/**
 * The drivers that the Vulkan loader finds: those that VK_DRIVER_FILES (or its older name VK_ICD_FILENAMES) lists, and
 * no others where it is set; otherwise those of the folders for manifests. Whether a driver has a device to drive only it
 * can tell. Source: Khronos, «Driver interface to the Vulkan loader», driver discovery on Linux.
 */
export function findVulkanDrivers(machine: Machine): VulkanDrivers {
  const usable: VulkanDriver[] = [];
  const broken: { manifest: string; reason: string }[] = [];
  for (const manifest of listManifests(machine)) {
    const library = readLibrary(manifest);
    if (library === undefined) broken.push({ manifest, reason: 'is no manifest of a driver' });
    else if (!libraryExists(library, manifest, machine)) {
      broken.push({ manifest, reason: `names ${library}, which is not installed` });
    } else usable.push({ manifest, library, software: SOFTWARE_DRIVERS.test(basename(library)) });
  }
  return { usable, broken };
}

function listManifests(machine: Machine): readonly string[] {
  const { env } = machine;
  const listed = env['VK_DRIVER_FILES'] ?? env['VK_ICD_FILENAMES'];
  if (listed !== undefined && listed !== '') return splitPath(listed).flatMap(manifestsAt);
  const added = splitPath(env['VK_ADD_DRIVER_FILES'] ?? '').flatMap(manifestsAt);
  const found = manifestFolders(env).flatMap((folder) =>
    listSystemFolder(folder, machine)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(machine.root, folder, name)),
  );
  return [...added, ...found];
}

function manifestFolders(env: Machine['env']): readonly string[] {
  const home = env['HOME'];
  const ofHome = (variable: string, fallback: string) =>
    env[variable] ?? (home === undefined ? '' : join(home, fallback));
  const bases = [
    ofHome('XDG_CONFIG_HOME', '.config'),
    ...splitPath(env['XDG_CONFIG_DIRS'] ?? '/etc/xdg'),
    '/usr/local/etc',
    '/etc',
    ofHome('XDG_DATA_HOME', '.local/share'),
    ...splitPath(env['XDG_DATA_DIRS'] ?? '/usr/local/share:/usr/share'),
  ];
  return [...new Set(bases.filter((base) => base !== '').map((base) => join(base, 'vulkan/icd.d')))];
}

/** A path may name a folder of manifests. */
function manifestsAt(path: string): readonly string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name));
}

function readLibrary(manifest: string): string | undefined {
  try {
    const { ICD: driver } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      readonly ICD?: { readonly library_path?: unknown };
    };
    return typeof driver?.library_path === 'string' ? driver.library_path : undefined;
  } catch {
    return undefined;
  }
}

/** A path is relative to its manifest; a bare name is found as any library. */
function libraryExists(library: string, manifest: string, machine: Machine): boolean {
  if (!library.includes('/')) return findSharedLibrary(library, machine) !== undefined;
  return existsSync(library.startsWith('/') ? join(machine.root, library) : join(dirname(manifest), library));
}

function splitPath(paths: string): readonly string[] {
  return paths.split(':').filter((path) => path !== '');
}
