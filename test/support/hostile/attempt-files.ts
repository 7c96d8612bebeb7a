import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../../src/core/problem.ts';
import type { Result } from '../../../src/core/result.ts';
import type { ConfinedEntry } from '../../../src/jobs/confinement/confined-entry.ts';
import { runTask } from '../../../src/jobs/worker-process.ts';
import { type FileSubject, writeFiles } from './file-subjects.ts';
import { mutate } from './mutate.ts';
import { seeded } from './seeded.ts';

/** What came of mutated files. */
export interface FileOutcomes {
  readonly attempts: number;
  /** The mutation did no harm, or was one that cannot be noticed. */
  readonly accepted: number;
  /** By the kind of problem. */
  readonly problems: ReadonlyMap<string, number>;
  /** What must not happen, each with the seed that brings it back. */
  readonly faults: readonly string[];
}

/** Kinds of problems that say that this program, and not the file, is at fault. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  'internal-fault',
  'time-limit-exceeded',
  'cannot-confine-worker',
]);

/** What the daemon does itself must not keep it from everything else for longer: of processors, as others may be busy beside it. */
const MOST_CPU_MS = 3000;
/** Nor may it wait. */
const MOST_MS = 30_000;

const CANARY = 'a canary that nobody may see';

/**
 * Mutates each subject's files in turn and has the real thing read them. The files are in a folder of their own, beside which lies a
 * canary: its text in an answer is a fault.
 * @param folder  empty, for the files
 */
export async function attemptFiles(
  subjects: readonly FileSubject[],
  {
    seed,
    count,
    folder,
    entry,
    lanes = 2,
    change = mutate,
  }: {
    readonly seed: number;
    readonly count: number;
    readonly folder: string;
    readonly entry?: ConfinedEntry;
    readonly lanes?: number;
    /** What is done to a file; `mutate` unless given. */
    readonly change?: typeof mutate;
  },
): Promise<FileOutcomes> {
  writeFileSync(join(folder, 'canary'), CANARY);
  const problems = new Map<string, number>();
  const faults: string[] = [];
  let accepted = 0;
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) {
      const subject = subjects[index % subjects.length] as FileSubject;
      const at = join(folder, String(index));
      mkdirSync(at);
      mutateFiles(at, subject, seed * 1_000_003 + index, change);
      const judged = await judge(subject, at, entry);
      if (judged.faults.length === 0 && judged.problems.length === 0) accepted += 1;
      for (const { kind } of judged.problems) problems.set(kind, (problems.get(kind) ?? 0) + 1);
      faults.push(
        ...judged.faults.map((what) => `${subject.name} (seed ${seed}, attempt ${index}): ${what}`),
      );
      rmSync(at, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { attempts: count, accepted, problems, faults };
}

async function judge(subject: FileSubject, folder: string, entry: ConfinedEntry | undefined) {
  const startMs = performance.now();
  const startUsage = process.cpuUsage();
  const faults: string[] = [];
  let problems: readonly Problem[] = [];
  try {
    const result = await attempt(subject, folder, entry);
    if (JSON.stringify(result, plain).includes(CANARY)) faults.push('the canary was read');
    problems = problemsOf(result);
    faults.push(...problems.flatMap(faultsOf));
  } catch (error) {
    faults.push(`threw ${(error as Error).stack}`);
  }
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(startUsage);
  const cpuMs = (user + system) / 1000;
  if (subject.attempt.in === 'daemon' && (cpuMs > MOST_CPU_MS || tookMs > MOST_MS))
    faults.push(`took ${tookMs.toFixed(0)} ms, ${cpuMs.toFixed(0)} of a processor`);
  return { problems, faults };
}

function faultsOf({ kind, message }: Problem): readonly string[] {
  if (typeof kind !== 'string' || typeof message !== 'string') return ['an answer without a type'];
  return OWN_FAULTS.has(kind) ? [`${kind}: ${message}`] : [];
}

function mutateFiles(folder: string, subject: FileSubject, seed: number, change: typeof mutate): void {
  const random = seeded(seed);
  const victim = random.pick(Object.keys(subject.files).filter((name) => !name.startsWith('=')));
  writeFiles(folder, subject, (name, bytes) => (name === victim ? change(bytes, random) : bytes));
}

async function attempt({ attempt: of }: FileSubject, folder: string, entry: ConfinedEntry | undefined) {
  if (of.in === 'daemon') return of.run(folder);
  if (entry === undefined) throw new Error('a worker needs an entry');
  mkdirSync(join(folder, 'out'), { recursive: true });
  return runTask({ entry }, of.task(folder));
}

/** Loaders give one problem, or a list, or a list beside what is good. */
function problemsOf(result: unknown): readonly Problem[] {
  const { problems } = result as { readonly problems?: readonly Problem[] };
  if (problems !== undefined) return problems;
  const outcome = result as Result<unknown, Problem | readonly Problem[]>;
  if (outcome.ok) return [];
  return Array.isArray(outcome.error) ? (outcome.error as readonly Problem[]) : [outcome.error as Problem];
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
