import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import type { CollectorName } from './collectors/all.ts';
import type { SamplerSource } from './collectors/collector.ts';

/*
 * A process that hangs cannot say where. So it writes what it is about to do into its name, which the kernel keeps for it
 * (/proc/PID/comm, proc(5)): that costs half a microsecond, and whoever asks needs no answer of the process, nor a lock that
 * a hung one may hold. `ps` shows it as well.
 */

/** A name has room for 15 bytes; a longer one is cut off. */
const NAME_BYTES = 15;

/** Tells, in the sampler process, what it is doing. */
export interface Activity {
  enter(collector: CollectorName): void;
  leave(): void;
  close(): void;
}

/** For a thread that shares its process with one which can still speak when it hangs: that one writes the name, when it is asked to. */
export function activityInCell(
  cells: Int32Array,
  cell: number,
  collectors: readonly CollectorName[],
): Activity {
  return {
    enter: (collector) => {
      cells[cell] = collectors.indexOf(collector) + 1;
    },
    leave: () => {
      cells[cell] = 0;
    },
    close: () => {},
  };
}

/** Writes the name of what `activityInCell` told last. */
export function tellActivityOfCell(
  activity: Activity,
  cells: Int32Array,
  cell: number,
  collectors: readonly CollectorName[],
): void {
  const collector = collectors[Atomics.load(cells, cell) - 1];
  if (collector === undefined) activity.leave();
  else activity.enter(collector);
}

/** Where the name cannot be written, nothing is told. */
export function openActivity(source: SamplerSource): Activity {
  const names = new Map<CollectorName, Buffer>();
  const idle = Buffer.from(`ptq-${source}`);
  const descriptor = openOwnName();
  const write = (name: Buffer): void => {
    if (descriptor !== undefined) writeSync(descriptor, name);
  };
  write(idle);
  return {
    enter: (collector) => {
      let name = names.get(collector);
      if (name === undefined) {
        name = Buffer.from(collector.slice(0, NAME_BYTES));
        names.set(collector, name);
      }
      write(name);
    },
    leave: () => write(idle),
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

function openOwnName(): number | undefined {
  try {
    return openSync('/proc/self/comm', 'w');
  } catch {
    return undefined;
  }
}

export interface SeenActivity {
  /** The collector that the process is in. */
  readonly collector?: CollectorName;
  /** The kernel's letter for what the process does: R runs, S sleeps, D waits in a driver, T is stopped. */
  readonly processState?: string;
}

/** What a sampler process is doing, seen from outside. */
export type ReadActivity = (pid: number, collectors: readonly CollectorName[]) => SeenActivity;

export const readActivity: ReadActivity = (pid, collectors) => {
  const name = readName(pid, 'comm')?.trimEnd();
  const collector = collectors.find((known) => known.slice(0, NAME_BYTES) === name);
  const processState = busiestState(pid);
  return {
    ...(collector === undefined ? {} : { collector }),
    ...(processState === undefined ? {} : { processState }),
  };
};

/** Of the states that threads can be in, those first that say most of why a process does not go on. */
const TELLING_STATES = ['D', 'R', 'T', 't', 'S'];

/** A thread of the process reads, and others wait for it. */
function busiestState(pid: number): string | undefined {
  const states = threadsOf(pid).flatMap((thread) => {
    return /^.*\) (\S)/s.exec(readName(pid, `task/${thread}/stat`) ?? '')?.[1] ?? [];
  });
  return TELLING_STATES.find((state) => states.includes(state)) ?? states[0];
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function readName(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
