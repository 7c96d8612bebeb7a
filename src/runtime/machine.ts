import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { listSupportedBackends } from 'onnxruntime-node';

/** Where to look for what a device needs. */
export interface Machine {
  /** Names of the backends that the native binding was built with. */
  readonly backends: readonly string[];
  /** The folder of the native binding, in which the runtime looks for providers that are libraries of their own. */
  readonly bindingFolder: string;
  /** What stands for `/` in the paths of the system. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** This machine, and the environment that this process was started with. */
export function thisMachine(): Machine {
  const packageFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  return {
    backends: listSupportedBackends().map(({ name }) => name),
    bindingFolder: join(packageFolder, 'bin/napi-v6', process.platform, process.arch),
    root: '/',
    env: process.env,
  };
}

const TRUSTED_FOLDERS = ['/lib64', '/usr/lib64', '/lib', '/usr/lib'];
/** Debian keeps libraries in a folder for each architecture. */
const MULTIARCH_FOLDERS = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].flatMap((triplet) => [
  `/lib/${triplet}`,
  `/usr/lib/${triplet}`,
]);

/**
 * The path of a shared library that the dynamic linker would find by its name: in LD_LIBRARY_PATH, in its cache, in its
 * trusted folders. Source: ld.so(8); the cache is a binary file that holds each path as text between zero bytes.
 */
export function findSharedLibrary(name: string, machine: Machine): string | undefined {
  const { env } = machine;
  const own = (env['LD_LIBRARY_PATH'] ?? '')
    .split(/[:;]/)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
  if (own !== undefined) return own;
  const cached = readSystemFile('/etc/ld.so.cache', machine, 'latin1')
    ?.split('\0')
    .filter((text) => text.endsWith(`/${name}`));
  const trusted = [...TRUSTED_FOLDERS, ...MULTIARCH_FOLDERS].map((folder) => `${folder}/${name}`);
  return [...(cached ?? []), ...trusted].find((path) => existsInSystem(path, machine));
}

export function existsInSystem(path: string, { root }: Machine): boolean {
  return existsSync(join(root, path));
}

/** The names in a folder of the system, sorted; none where there is no such folder or it may not be read. */
export function listSystemFolder(path: string, { root }: Machine): readonly string[] {
  try {
    return readdirSync(join(root, path)).sort();
  } catch {
    return [];
  }
}

/** Undefined where there is no such file or it may not be read. */
export function readSystemFile(
  path: string,
  { root }: Machine,
  encoding: BufferEncoding = 'utf8',
): string | undefined {
  try {
    return readFileSync(join(root, path), encoding);
  } catch {
    return undefined;
  }
}
