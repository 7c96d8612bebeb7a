import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asError } from '../core/as-error.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { TracePart } from '../trace/trace-part.ts';
import { isAlive } from './process-alive.ts';

const FOLDER_PREFIX = 'ptq-agent-spool-';
const PART_PREFIX = 'part-';
const PROBLEM_PREFIX = 'problem-';

/**
 * Makes a folder for the profiles and parts of one trace, which is its maker's to remove, and removes those whose makers have
 * died. @param parent the folder for temporary files unless given. Error: `trace-not-written`.
 */
export async function makeTraceSpool(parent: string = tmpdir()): Promise<Result<string, Problem>> {
  try {
    await mkdir(parent, { recursive: true });
    await removeOrphans(parent);
    return ok(await mkdtemp(join(parent, `${FOLDER_PREFIX}${process.pid}-`)));
  } catch (error) {
    return err(notWritten(parent, error));
  }
}

export async function removeTraceSpool(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Blocks, as the thread of a lane may be in the middle of a load. Error: `trace-not-written`. */
export function writeTracePart(folder: string, name: string, part: TracePart): Result<void, Problem> {
  const file = join(folder, `${PART_PREFIX}${name}.json`);
  try {
    writeFileSync(file, JSON.stringify(part));
    return ok(undefined);
  } catch (error) {
    return err(notWritten(file, error));
  }
}

/** Leaves word of why a session is not traced, for who has no other way to tell. Where that fails too there is no trace anyway. */
export function leaveTraceProblem(folder: string, name: string, { message }: Problem): void {
  try {
    writeFileSync(join(folder, `${PROBLEM_PREFIX}${name}.txt`), message);
  } catch {
    // Whoever reads the parts misses one.
  }
}

export interface SpooledParts {
  /** In the order in which they began. */
  readonly parts: readonly TracePart[];
  /** What is missing, as sentences. */
  readonly warnings: readonly string[];
}

/** All parts in a folder. One that was cut off, as its writer died, is left out and told. */
export async function readTraceParts(folder: string): Promise<SpooledParts> {
  const parts: TracePart[] = [];
  const warnings: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (name.startsWith(PROBLEM_PREFIX)) warnings.push(await readFile(join(folder, name), 'utf8'));
    if (!name.startsWith(PART_PREFIX)) continue;
    try {
      // Written by this program's own threads.
      parts.push(JSON.parse(await readFile(join(folder, name), 'utf8')) as TracePart);
    } catch {
      warnings.push('A traced session ended before its requests were written down, and is missing');
    }
  }
  parts.sort((a, b) => Number(BigInt(a.baseNs) - BigInt(b.baseNs)));
  return { parts, warnings };
}

async function removeOrphans(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Of another user it cannot be removed, and need not be.
    await removeTraceSpool(join(parent, name)).catch(() => {});
  }
}

function notWritten(file: string, error: unknown): Problem {
  return problem('trace-not-written', `the trace cannot be written: ${asError(error).message}`, {
    place: { file },
    hint: 'see whether the disk is full and the folder may be written',
  });
}
