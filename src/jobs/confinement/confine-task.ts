import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfinementPolicy } from '../../confinement/policy.ts';
import type { WorkerTask } from '../worker-protocol.ts';
import type { ConfinedEntry } from './confined-entry.ts';
import { filesOfTask } from './task-files.ts';

/**
 * What every worker may read: programs' libraries, what the kernel tells, and the few files of `/etc` that the C library, OpenSSL and
 * drivers of GPUs go by. No folder in which secrets are kept.
 */
const SYSTEM = [
  '/usr',
  '/lib',
  '/lib32',
  '/lib64',
  '/proc',
  '/sys',
  '/nix/store',
  '/gnu/store',
  '/etc/alternatives',
  '/etc/crypto-policies',
  '/etc/ld.so.cache',
  '/etc/ld.so.preload',
  '/etc/localtime',
  '/etc/os-release',
  '/etc/pki/tls/openssl.cnf',
  '/etc/ssl/openssl.cnf',
];

const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'];

/** What drivers of GPUs read besides. */
const GPU_FILES = [
  '/etc/OpenCL',
  '/etc/glvnd',
  '/etc/nvidia',
  '/etc/vulkan',
  '/etc/drirc',
  '/opt/nvidia',
  '/opt/rocm',
  '/opt/intel',
  '/run/nvidia-persistenced',
  '/tmp/nvidia-mps',
];

/** Variables that name files which drivers and linkers load: a list of paths each. */
const FILE_VARIABLES = ['LD_LIBRARY_PATH', 'VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'];

/** Room above the resident limit for what is asked for and not touched, as arenas do that grow by doubling. */
const DATA_FACTOR = 2;
const DATA_EXTRA_BYTES = 4 * 2 ** 30;

/** What else a worker is given. */
export interface WorkerGrant {
  readonly temporaryFolder: string;
  /** Folders beside those of its task. */
  readonly writable?: readonly string[];
  readonly memoryBytes?: number;
  readonly environment: NodeJS.ProcessEnv;
  /** Of Node.js. */
  readonly switches?: readonly string[];
  /** Names of what lies in /dev. */
  readonly deviceNames: readonly string[];
}

/** What the worker of a task may do; undefined where nothing is forbidden to it. */
export function confinementOf(
  entry: ConfinedEntry,
  task: WorkerTask,
  { temporaryFolder, writable = [], memoryBytes, environment, switches = [], deviceNames }: WorkerGrant,
): ConfinementPolicy | undefined {
  const files = filesOfTask(task);
  if (files === undefined || entry.mode === 'off') return undefined;
  const usesGpu = files.device !== 'cpu';
  const { openFiles, fileSizeBytes, cpuSeconds, niceness } = entry.limits;
  const captures = task.kind === 'sut' && entry.capturesFolder !== undefined ? [entry.capturesFolder] : [];
  return {
    files: {
      readable: [
        ...SYSTEM,
        ...ownFiles(entry),
        ...filesOfVariables(environment),
        ...filesOfSwitches([...switches, ...(environment['NODE_OPTIONS'] ?? '').split(' ')]),
        ...(usesGpu ? GPU_FILES : []),
      ],
      named: files.readable,
      ...(entry.roots === undefined ? {} : { roots: entry.roots }),
      writable: [temporaryFolder, ...captures, ...writable, ...files.writable],
      devices: [...DEVICES, ...(usesGpu ? gpuDevices(deviceNames) : [])],
      // Which GPUs there are is looked up by the names of their devices.
      listed: usesGpu ? ['/dev'] : [],
      // CUDA gives its threads names, by files of its own process, and does not start where it cannot.
      rewritable: usesGpu ? ['/proc/self/task'] : [],
    },
    sockets: usesGpu ? 'local' : 'none',
    limits: {
      openFiles,
      fileSizeBytes,
      ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
      ...(niceness === undefined ? {} : { niceness }),
      ...(memoryBytes === undefined ? {} : { dataBytes: DATA_FACTOR * memoryBytes + DATA_EXTRA_BYTES }),
    },
  };
}

/** This program and its packages. Not the whole folder of the package: people start daemons in a checkout, and keep their data in it. */
function ownFiles({ main, launcher }: ConfinedEntry): readonly string[] {
  const built = dirname(dirname(fileURLToPath(launcher)));
  const root = dirname(built);
  // Where the package is one of many, those that it needs lie beside it.
  const shared = built.split(`${sep}node_modules${sep}`, 1)[0];
  return [
    built,
    dirname(fileURLToPath(main)),
    join(root, 'package.json'),
    join(root, 'node_modules'),
    ...(shared === undefined || shared === built ? [] : [join(shared, 'node_modules')]),
    dirname(process.execPath),
    join(dirname(dirname(process.execPath)), 'lib'),
  ];
}

function filesOfVariables(environment: NodeJS.ProcessEnv): readonly string[] {
  const listed = FILE_VARIABLES.flatMap((name) => (environment[name] ?? '').split(':'));
  // The description of a driver names its library by a path beside it.
  return listed
    .filter((path) => path !== '')
    .flatMap((path) => (path.endsWith('.json') ? [dirname(path)] : [path]));
}

/** Scripts that whoever starts this program has every process of it load first, with the packages beside them. */
function filesOfSwitches(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const named = word.replace(/^--?[\w-]+=/, '');
    const path = named.startsWith('file:') ? fileURLToPath(named) : named;
    if (!path.startsWith(sep)) return [];
    const [before, ...packages] = path.split(`${sep}node_modules${sep}`);
    return [packages.length === 0 ? dirname(path) : join(before as string, 'node_modules')];
  });
}

function gpuDevices(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => /^(?:nvidia.*|dri|kfd|shm|dxg|nvhost.*|nvmap)$/.test(name))
    .map((name) => join('/dev', name));
}
