import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LaunchOrder, REFUSAL } from '../../confinement/launch-order.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { withoutScript } from '../pinned-fork.ts';
import { isAlive } from '../process-alive.ts';
import type { WorkerTask } from '../worker-protocol.ts';
import { confinementOf } from './confine-task.ts';
import type { ConfinedEntry } from './confined-entry.ts';
import { workerEnvironment } from './worker-environment.ts';

/** How a worker is started: what `fork` is given, and what is left to do when it is gone. */
export interface WorkerLaunch {
  readonly file: string;
  readonly words: readonly string[];
  /** Switches of Node.js. */
  readonly switches: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly clear: () => void;
}

const FOLDER_PREFIX = 'ptq-agent-worker-';

/**
 * Prepares the start of a worker that is confined to what its task needs. It gets a folder for temporary files of its own, so that
 * nothing is left of it however it ends.
 */
export function launchConfined(
  entry: ConfinedEntry,
  task: WorkerTask,
  grant: {
    readonly switches: readonly string[];
    readonly memoryBytes?: number;
    readonly writable?: readonly string[];
  },
): WorkerLaunch {
  const { temporaryFolder: parent = tmpdir(), mode } = entry;
  const switches = withoutScript(grant.switches);
  mkdirSync(parent, { recursive: true });
  if (entry.capturesFolder !== undefined) mkdirSync(entry.capturesFolder, { recursive: true });
  removeOrphans(parent);
  const temporaryFolder = mkdtempSync(join(parent, `${FOLDER_PREFIX}${process.pid}-`));
  const clear = () => rmSync(temporaryFolder, { recursive: true, force: true, maxRetries: 3 });
  const environment = workerEnvironment(process.env, temporaryFolder);
  const policy = confinementOf(entry, task, {
    temporaryFolder,
    environment,
    switches,
    deviceNames: namesIn('/dev'),
    ...(grant.writable === undefined ? {} : { writable: grant.writable }),
    ...(grant.memoryBytes === undefined ? {} : { memoryBytes: grant.memoryBytes }),
  });
  const main = fileURLToPath(entry.main);
  if (policy === undefined) return { file: main, words: [], switches, environment, clear };
  // A folder can be allowed only once it is there.
  for (const folder of policy.files.writable) tryToMake(folder);
  const { NODE_OPTIONS: nodeOptions, ...others } = environment;
  const order: LaunchOrder = {
    policy,
    words: [...switches, main],
    ...(nodeOptions === undefined ? {} : { nodeOptions }),
    isRequired: mode === 'required',
  };
  return {
    file: fileURLToPath(entry.launcher),
    words: [JSON.stringify(order)],
    switches: [],
    environment: others,
    clear,
  };
}

/** Why a worker ended with these last words, where they are those of the launcher. */
export function refusedConfinement(
  lastWords: string | undefined,
): Problem<'cannot-confine-worker'> | undefined {
  if (!lastWords?.startsWith(REFUSAL)) return undefined;
  return problem(
    'cannot-confine-worker',
    `the worker cannot be confined: ${lastWords.slice(REFUSAL.length)}`,
    {
      hint: '`ptq-agent doctor` says what this system lacks; with the mode auto, workers run without it',
    },
  );
}

/** Folders whose makers were killed before they could remove them. */
function removeOrphans(parent: string): void {
  for (const name of namesIn(parent)) {
    const pid = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Of another user it cannot be removed, and need not be.
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function tryToMake(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch {
    // Whoever writes there says what is wrong.
  }
}
