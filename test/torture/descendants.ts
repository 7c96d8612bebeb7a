import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** A process that descends from this one. */
export interface Descendant {
  readonly pid: number;
  readonly command: string;
}

/** From prctl(2). */
const PR_SET_CHILD_SUBREAPER = 36;
/** From wait(2). */
const WNOHANG = 1;

/** Compiles this program as it runs. */
const OWN_COMPILER = '/esbuild ';

interface Libc {
  readonly prctl: (option: number, value: number, c: number, d: number, e: number) => number;
  readonly waitpid: (pid: number, status: null, options: number) => number;
}

let loaded: Libc | undefined;

/**
 * Makes this process the parent of every descendant whose own parent dies, whatever session, group or environment it gave itself: none
 * can be lost sight of. Throws where koffi is missing.
 */
export function becomeSubreaper(): void {
  if (libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0) throw new Error('prctl refuses');
}

/** All descendants that run. Those that have ended and that nobody else waits for are taken off the kernel's hands. */
export function descendants(): readonly Descendant[] {
  const children = new Map<number, { readonly pid: number; readonly state: string }[]>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : '';
    // The name of the command stands in parentheses and may hold some itself.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || parent === undefined) continue;
    const siblings = children.get(Number(parent)) ?? [];
    siblings.push({ pid: Number(name), state });
    children.set(Number(parent), siblings);
  }
  const found: Descendant[] = [];
  const visit = (parent: number): void => {
    for (const { pid, state } of children.get(parent) ?? []) {
      if (state !== 'Z' && state !== 'X') {
        const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
        if (!command.includes(OWN_COMPILER)) found.push({ pid, command });
        visit(pid);
      }
    }
  };
  visit(process.pid);
  return found;
}

/**
 * Waits for processes that have ended and were left to this one. Only for pids that Node.js did not start itself: it waits for its own.
 */
export function reap(pids: Iterable<number>): void {
  for (const pid of pids) libc().waitpid(pid, null, WNOHANG);
}

function libc(): Libc {
  if (loaded === undefined) {
    const koffi = createRequire(import.meta.url)('koffi') as {
      load(name: string): { func(prototype: string): unknown };
    };
    const library = koffi.load('libc.so.6');
    loaded = {
      prctl: library.func(
        'int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)',
      ) as Libc['prctl'],
      waitpid: library.func('int waitpid(int, void *, int)') as Libc['waitpid'],
    };
  }
  return loaded;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
