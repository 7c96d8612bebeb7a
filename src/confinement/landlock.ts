import { closeSync, openSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import type { FileAccess } from './policy.ts';
import type { SystemCalls } from './system-calls.ts';

/** LANDLOCK_ACCESS_FS_* of linux/landlock.h. */
const FILES = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readDirectory: 1 << 3,
  removeDirectory: 1 << 4,
  removeFile: 1 << 5,
  makeCharacterDevice: 1 << 6,
  makeDirectory: 1 << 7,
  makeRegularFile: 1 << 8,
  makeSocket: 1 << 9,
  makePipe: 1 << 10,
  makeBlockDevice: 1 << 11,
  makeLink: 1 << 12,
  renameAcrossFolders: 1 << 13,
  truncate: 1 << 14,
  driveDevice: 1 << 15,
} as const;

/** LANDLOCK_ACCESS_NET_BIND_TCP and _CONNECT_TCP. */
const ALL_TCP = 0b11;
/** LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and _SIGNAL: nothing outside of this process and its children can be reached. */
const ALL_SCOPES = 0b11;

const READ = FILES.readFile | FILES.readDirectory;
// No symbolic links among it: whoever follows one that a worker left would read what the worker could not.
const WRITE =
  READ |
  FILES.writeFile |
  FILES.removeDirectory |
  FILES.removeFile |
  FILES.makeDirectory |
  FILES.makeRegularFile |
  FILES.renameAcrossFolders |
  FILES.truncate;
const REWRITE = READ | FILES.writeFile | FILES.truncate;
const DRIVE = REWRITE | FILES.driveDevice;
const OF_FILES = FILES.execute | FILES.writeFile | FILES.readFile | FILES.truncate | FILES.driveDevice;

/** The newest version that each of these is new in. */
const SINCE = { renameAcrossFolders: 2, truncate: 3, network: 4, driveDevice: 5, scopes: 6 } as const;

const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;
/** Not among the constants of Node.js. A descriptor that only names a file: it takes no right to read it. */
const O_PATH = 0o10000000;

/** The version of Landlock in this kernel, 1 or more. Throws `NativeError` where there is none, or it is switched off. */
function landlockVersion(system: SystemCalls): number {
  return system.call('landlock_create_ruleset', 0, 0, CREATE_RULESET_VERSION);
}

/**
 * Forbids this thread, and all that it starts or becomes, to open any file but these, to start any program but `programs`, and
 * as far as the kernel's version has it to use TCP, abstract sockets and signals to others. Needs `no_new_privs`.
 * Throws `NativeError`. Source: the kernel's userspace-api/landlock.rst.
 */
export function restrictFiles(system: SystemCalls, access: FileAccess, programs: readonly string[]): void {
  const version = landlockVersion(system);
  const handled = handledFiles(version);
  const attributes = rulesetAttributes(version, handled);
  const ruleset = system.call('landlock_create_ruleset', attributes, attributes.length, 0);
  const allow = (paths: readonly string[], rights: number, roots?: readonly string[]) => {
    for (const path of paths) allowBeneath(system, ruleset, { path, rights: rights & handled, roots });
  };
  allow(programs, FILES.execute | FILES.readFile);
  allow(access.readable, READ);
  allow(access.named, READ, access.roots?.map(realPathOr));
  allow(access.writable, WRITE);
  allow(access.devices, DRIVE);
  allow(access.listed, FILES.readDirectory);
  allow(access.rewritable, REWRITE);
  system.call('landlock_restrict_self', ruleset, 0);
  closeSync(ruleset);
}

function handledFiles(version: number): number {
  const all = Object.values(FILES).reduce((sum, right) => sum | right, 0);
  return Object.entries(SINCE).reduce(
    (rights, [name, since]) =>
      name in FILES && version < since ? rights & ~FILES[name as 'truncate'] : rights,
    all,
  );
}

/** `struct landlock_ruleset_attr`, as long as the kernel's version has it. */
function rulesetAttributes(version: number, files: number): Uint8Array {
  const fields = [files, ...(version >= SINCE.network ? [ALL_TCP] : [])];
  if (version >= SINCE.scopes) fields.push(ALL_SCOPES);
  return new Uint8Array(BigUint64Array.from(fields, BigInt).buffer);
}

interface Beneath {
  readonly path: string;
  readonly rights: number;
  readonly roots: readonly string[] | undefined;
}

/**
 * What does not exist, may not even be named by this user, or lies outside of the roots gives no access. The rule is for what was
 * opened and not for its name, so that nobody can change where that leads in between.
 */
function allowBeneath(system: SystemCalls, ruleset: number, { path, rights, roots }: Beneath): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, O_PATH);
  } catch {
    return;
  }
  try {
    const opened = `/proc/self/fd/${descriptor}`;
    if (roots !== undefined && !roots.some((root) => isBelow(root, readlinkSync(opened)))) return;
    const isFolder = statSync(opened).isDirectory();
    // `struct landlock_path_beneath_attr` is packed.
    const attributes = new DataView(new ArrayBuffer(12));
    attributes.setBigUint64(0, BigInt(isFolder ? rights : rights & OF_FILES), true);
    attributes.setInt32(8, descriptor, true);
    system.call('landlock_add_rule', ruleset, RULE_PATH_BENEATH, new Uint8Array(attributes.buffer), 0);
  } finally {
    closeSync(descriptor);
  }
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);
}

function realPathOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** The programs without which this one cannot start again: itself, and what loads its libraries. */
export function ownPrograms(maps: string): readonly string[] {
  const loader = /(\/\S*\/ld-[^/\s]+)$/m.exec(maps)?.[1];
  return [readlinkSync('/proc/self/exe'), ...(loader === undefined ? [] : [loader])];
}
