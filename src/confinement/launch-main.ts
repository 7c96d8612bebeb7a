import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { pathToFileURL } from 'node:url';
import {
  dropCapabilities,
  forbidNewPrivileges,
  installFilter,
  keepOpen,
  limitResources,
} from './kernel-settings.ts';
import { ownPrograms, restrictFiles } from './landlock.ts';
import { type LaunchOrder, REFUSAL } from './launch-order.ts';
import { type Native, openNative } from './native.ts';
import type { ConfinementPolicy } from './policy.ts';
import { seccompFilter } from './seccomp-filter.ts';
import { syscallsOf } from './syscalls.ts';
import { systemCalls } from './system-calls.ts';

/** The channel of a child that was forked with three standard streams. */
const CHANNEL = 3;
const DESCRIPTORS = [0, 1, 2, CHANNEL];

/**
 * The entry of a confined process: takes every right away that its policy does not give, and then becomes the program. It becomes
 * one because Landlock holds for the thread that asks for it and what that starts: Node.js has a handful of threads before
 * the first line of a script runs, and none of them is left then. All of it is done before this script ends, as Node.js reads what the parent sends
 * as soon as it turns to its events.
 */
function main(): void {
  const order = JSON.parse(process.argv[2] ?? '') as LaunchOrder;
  const { words, isRequired } = order;
  const faults: string[] = [];
  const attempt = (step: () => void) => {
    try {
      step();
    } catch (error) {
      faults.push((error as Error).message);
    }
  };
  let native: Native | undefined;
  attempt(() => {
    native = openNative(process.argv[1] ?? '');
  });
  if (native !== undefined) confine(native, order.policy, attempt);
  if (isRequired && faults.length > 0) {
    process.stderr.write(`${REFUSAL}${faults.join('; ')}\n`);
    process.exit(1);
  }
  attempt(() => native?.execute(process.execPath, [process.execPath, ...words], environment(order)));
  // Here is who could not become the program. Without confinement it can as well be run by this process.
  const file = words.at(-1);
  if (file !== undefined) void import(pathToFileURL(file).href);
}

function confine(
  native: Native,
  { limits, files, sockets }: ConfinementPolicy,
  attempt: (step: () => void) => void,
) {
  const table = syscallsOf(process.arch);
  if (table === undefined) {
    return attempt(() => {
      throw new Error(`the system calls of ${process.arch} are not known`);
    });
  }
  const system = systemCalls(native, table);
  const programs = ownPrograms(readFileSync('/proc/self/maps', 'utf8'));
  attempt(() => keepOpen(system, DESCRIPTORS));
  attempt(() => limitResources(system, limits));
  offerToKernel();
  if (limits.niceness !== undefined) attempt(() => setPriority(limits.niceness ?? 0));
  attempt(() => dropCapabilities(system, heldCapabilities()));
  attempt(() => forbidNewPrivileges(system));
  attempt(() => restrictFiles(system, files, programs));
  // Last, as it forbids some of what comes before.
  attempt(() => installFilter(system, native, seccompFilter(table, { pid: process.pid, sockets })));
}

/** Where the host lacks memory the kernel ends one process: rather this one than the daemon, which would take all jobs with it. */
function offerToKernel(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // It is a favour to the others and forbids nothing.
  }
}

function heldCapabilities(): bigint {
  const mask = /^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return mask === undefined ? 0n : BigInt(`0x${mask}`);
}

/** Node.js has taken the variables of the channel out. */
function environment({ nodeOptions }: LaunchOrder): Readonly<Record<string, string>> {
  const given = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    ...Object.fromEntries(given),
    ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }),
    NODE_CHANNEL_FD: String(CHANNEL),
    NODE_CHANNEL_SERIALIZATION_MODE: 'advanced',
  };
}

main();
