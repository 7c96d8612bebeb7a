import { resolve } from 'node:path';
import { toJson } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { benchReport } from '../jobs/bench-file.ts';
import type { ReadySuite, SuiteRun } from '../jobs/bench-suite.ts';
import type { SubjectDigests } from '../jobs/digest-subjects.ts';
import type { HostFingerprint } from '../jobs/host-fingerprint.ts';
import { type PreparedFile, prepareFile } from '../jobs/prepared-file.ts';
import { queryRows } from '../jobs/query-rows.ts';
import { arrivalLines } from '../jobs/recorded-arrivals.ts';

/** The files that a benchmark may leave behind, by their options. */
const KINDS = ['output', 'queries', 'record'] as const;

/** Where each of them goes; absent where it is not wanted. */
export type BenchFileOptions = { readonly [Kind in (typeof KINDS)[number]]?: string };

export type BenchFiles = { readonly [Kind in (typeof KINDS)[number]]?: PreparedFile };

/** What stands in `--output` beside the results. */
export interface BenchSubject {
  readonly models: readonly string[];
  readonly suites: readonly ReadySuite[];
  readonly digests: SubjectDigests | undefined;
  /** When it began, ISO 8601. */
  readonly created: string;
  /** Where the benchmark ran. */
  readonly host: HostFingerprint;
}

/** Opens the files before anything runs, so that a path that cannot be written costs no work. Error: `output-not-writable`. */
export async function prepareBenchFiles(paths: BenchFileOptions): Promise<Result<BenchFiles, Problem>> {
  const files: { -readonly [Kind in keyof BenchFiles]: BenchFiles[Kind] } = {};
  for (const kind of KINDS) {
    const path = paths[kind];
    if (path === undefined) continue;
    const file = await prepareFile(resolve(path));
    if (!file.ok) {
      await discardBenchFiles(files);
      return file;
    }
    files[kind] = file.value;
  }
  return ok(files);
}

/** The result is printed already: a disk that is full now costs the file alone. */
export async function writeBenchFiles(
  { output, queries, record }: BenchFiles,
  runs: readonly SuiteRun[],
  subject: BenchSubject,
): Promise<readonly Problem[]> {
  const written = [
    await output?.write(reportText(subject, runs)),
    await queries?.write(queryRows(runs)),
    await record?.write(arrivalLines(runs)),
  ];
  return written.flatMap((one) => (one === undefined || one.ok ? [] : [one.error]));
}

/** Leaves nothing behind of those that were not written. */
export async function discardBenchFiles(files: BenchFiles): Promise<void> {
  for (const kind of KINDS) await files[kind]?.discard();
}

function* reportText(
  { models, suites, digests, created, host }: BenchSubject,
  runs: readonly SuiteRun[],
): Iterable<string> {
  if (digests === undefined) return;
  const finished = runs.map((run) => {
    const index = suites.findIndex(({ name }) => name === run.suite);
    return { ...run, data: (suites[index] as ReadySuite).data, dataDigest: digests.data[index] ?? '' };
  });
  const subject = {
    created,
    command: ['ptq-agent', ...process.argv.slice(2)],
    host,
    models: digests.models.filter(({ path }) => models.includes(path)),
  };
  yield `${toJson(benchReport(subject, finished), 2)}\n`;
}
