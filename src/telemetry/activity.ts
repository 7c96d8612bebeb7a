import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
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
  const processState = /^.*\) (\S)/s.exec(readName(pid, 'stat') ?? '')?.[1];
  return {
    ...(collector === undefined ? {} : { collector }),
    ...(processState === undefined ? {} : { processState }),
  };
};

function readName(pid: number, file: 'comm' | 'stat'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
