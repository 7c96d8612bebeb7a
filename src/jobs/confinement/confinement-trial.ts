import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';

/** Find out what a confined worker is really kept from, by trying it. */
export interface ConfinementTrialTask {
  readonly kind: 'confinement-trial';
}

/** Whether a worker is kept from each of these. */
export interface ConfinementTrial {
  /** Opening files that its task does not name. */
  readonly files: boolean;
  /** Making sockets of the network. */
  readonly network: boolean;
  /** Starting programs. */
  readonly programs: boolean;
  /** Getting rights by the programs that it becomes. */
  readonly newPrivileges: boolean;
}

/** Runs in a worker process. */
export async function tryConfinement(_task: ConfinementTrialTask): Promise<ConfinementTrial> {
  return {
    files: isRefused(() => readdirSync('/etc')),
    network: await isNetworkRefused(),
    programs: spawnSync(process.execPath, ['--version']).error !== undefined,
    newPrivileges: /^NoNewPrivs:\s*1$/m.test(readFileSync('/proc/self/status', 'utf8')),
  };
}

/** What this system cannot keep its workers from, and the kernel's feature that would. Empty where nothing is missing. */
export function unconfinedParts({
  files,
  network,
  programs,
  newPrivileges,
}: ConfinementTrial): readonly { readonly what: string; readonly needs: string }[] {
  return [
    ...(files ? [] : [{ what: 'files that are none of their business', needs: LANDLOCK }]),
    ...(network ? [] : [{ what: 'the network', needs: SECCOMP }]),
    ...(programs ? [] : [{ what: 'starting programs', needs: SECCOMP }]),
    ...(newPrivileges ? [] : [{ what: 'new privileges', needs: 'a kernel with no_new_privs (Linux 3.5)' }]),
  ];
}

const LANDLOCK = 'a kernel with Landlock (Linux 5.13 or newer, "landlock" among /sys/kernel/security/lsm)';
const SECCOMP = 'a kernel with filters of system calls (CONFIG_SECCOMP_FILTER), on x64 or arm64';

function isRefused(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

async function isNetworkRefused(): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<boolean>((resolve) => {
      socket.on('error', () => resolve(true));
      socket.bind(0, '127.0.0.1', () => resolve(false));
    });
  } finally {
    socket.close();
  }
}
