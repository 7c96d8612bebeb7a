import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { HostFiles } from './open-files.ts';

/** Where the kernel's files are mounted. Tests and containers put them elsewhere. */
export interface HostRoots {
  readonly procPath: string;
  readonly sysPath: string;
  /** Mount point of the cgroup v2 hierarchy. */
  readonly cgroupPath: string;
}

export const SYSTEM_ROOTS: HostRoots = {
  procPath: '/proc',
  sysPath: '/sys',
  cgroupPath: '/sys/fs/cgroup',
};

/**
 * What collectors read from. With `files`, files stay open between readings, or what is read was copied before; without, each is
 * opened and closed.
 */
export interface Host extends HostRoots {
  readonly files?: HostFiles;
}

/**
 * Why a collector has nothing to show. `absent`: this host does not have the source, which is normal;
 * `unreadable`: it is there and may not be read; `malformed`: its text is not what the kernel documents; `internal-fault`:
 * the collector threw, which is a bug in it.
 */
export type CollectProblem = Problem<'absent' | 'unreadable' | 'malformed' | 'internal-fault'>;

/** Reads one source once. Synchronous, because a procfs read takes some 10 µs and its asynchronous form ten times that. */
export type Collector<T> = (host: Host, watchedPids: readonly number[]) => Result<T, CollectProblem>;

/**
 * The sampler process that runs a collector, with ticks of its own. `host`: fast reads of the kernel's memory; `gpu`: all
 * that touches a GPU driver; `slow`: reads that make a device do something, and programs.
 */
export type SamplerSource = 'host' | 'gpu' | 'slow';

/** A collector at work. What it holds open (a driver's library, a child process), `close` lets go. */
export type OpenCollector<T> = Collector<T> & { readonly close?: () => void };

/** How a collector is run: where, how often, and what makes it. */
export interface CollectorEntry {
  readonly source: SamplerSource;
  /** Least time between two readings. Without it, it reads on every tick of its source. */
  readonly minIntervalMs?: number;
  /** A reading that takes longer is told as slow. By default what is usual for its source. */
  readonly deadlineMs?: number;
  /** Called once, for the first reading in a process of its source; it may open what every reading needs. */
  readonly create: () => OpenCollector<unknown>;
}

/** Reads of the kernel's memory take microseconds; a driver or a device may have to wake up. */
const USUAL_DEADLINE_MS: Readonly<Record<SamplerSource, number>> = { host: 20, gpu: 250, slow: 1_000 };

export function deadlineMsOf(entry: CollectorEntry): number {
  return entry.deadlineMs ?? USUAL_DEADLINE_MS[entry.source];
}

/** USER_HZ: `/proc` counts CPU time in hundredths of a second on x86 and arm, whatever CONFIG_HZ is (see times(2)). */
export const USER_TICKS_PER_SECOND = 100;

// ENOTSUP is what /proc/pressure answers when the kernel was started with psi=0, ESRCH a process that has just ended.
const ABSENT_CODES = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ENOTSUP', 'ESRCH']);

/** The text of a file. Throws a `ProblemError` of kind `absent` or `unreadable`. */
export function readText(host: Host, file: string): string {
  try {
    return host.files === undefined ? readFileSync(file, 'utf8') : host.files.read(file);
  } catch (error) {
    throw toProblemError(file, error);
  }
}

/** The text of a file that many hosts do not have, or undefined. */
export function readTextIfPresent(host: Host, file: string): string | undefined {
  // Asking first is cheaper than catching: a thrown ENOENT costs more than the read it replaces.
  return exists(host, file) ? readText(host, file) : undefined;
}

/** The text of a file that many hosts do not have, or undefined. It may be a second old: for limits, and what else people set. */
export function readSettledIfPresent(host: Host, file: string): string | undefined {
  if (!exists(host, file)) return undefined;
  try {
    return host.files === undefined ? readFileSync(file, 'utf8') : host.files.readSettled(file);
  } catch (error) {
    throw toProblemError(file, error);
  }
}

function exists(host: Host, file: string): boolean {
  return host.files === undefined ? existsSync(file) : host.files.exists(file);
}

/** The names in a folder, with `files` those of a second ago at most. Throws a `ProblemError` of kind `absent` or `unreadable`. */
export function listFolder(folder: string, files?: HostFiles): readonly string[] {
  try {
    return files === undefined ? readdirSync(folder) : files.list(folder);
  } catch (error) {
    throw toProblemError(folder, error);
  }
}

function toProblemError(file: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === undefined) return error;
  return new ProblemError<CollectProblem['kind']>(
    ABSENT_CODES.has(code)
      ? problem('absent', `This host has no ${file} (${code}).`, { place: { file } })
      : problem('unreadable', `${file} cannot be read (${code}).`, {
          place: { file },
          hint: 'Run the daemon as a user that may read it.',
        }),
  );
}

/** The error of a text that is not in its documented form. `line` counts from 1. */
export function malformed(file: string, message: string, line?: number): ProblemError<'malformed'> {
  return new ProblemError(
    problem('malformed', `${file}: ${message}`, { place: { file, ...(line === undefined ? {} : { line }) } }),
  );
}

const DECIMAL_DIGITS = /^\d+$/;

/**
 * A counter as the kernel prints it: decimal digits, nothing else.
 * @param line  its number from 1, or how to find it out, as only an error needs it
 */
export function parseCounter(
  token: string | undefined,
  field: string,
  file: string,
  line: number | (() => number),
): number {
  if (token === undefined || !DECIMAL_DIGITS.test(token)) {
    throw malformed(
      file,
      `expected a whole number for ${field} but found ${quote(token)}`,
      typeof line === 'number' ? line : line(),
    );
  }
  return Number(token);
}

/** The number, from 1, of the line in which a text has the character at `offset`. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Shortens what was found, so that a binary file does not end up in a log line. */
export function quote(found: string | undefined): string {
  if (found === undefined) return 'nothing';
  return JSON.stringify(found.length > 40 ? `${found.slice(0, 40)}…` : found);
}
