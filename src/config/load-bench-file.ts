import { readFile } from 'node:fs/promises';
import { Check, Errors } from 'typebox/value';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type BenchFile, BenchFileSchema } from './bench-file-schema.ts';

export type BenchFileProblem = Problem<'file-unreadable' | 'not-a-bench-file'>;

/** Reads a file that `bench --output` wrote. Errors: `file-unreadable`, `not-a-bench-file`, which names the field. */
export async function loadBenchFile(file: string): Promise<Result<BenchFile, BenchFileProblem>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return err(
      problem('file-unreadable', `the result cannot be read (${code})`, {
        place: { file },
        hint: 'name a file that bench --output wrote',
      }),
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return notOurs(file, `it is no JSON: ${(error as Error).message}`);
  }
  if (Check(BenchFileSchema, value)) return ok(value);
  const { version, format } = (value ?? {}) as { readonly version?: unknown; readonly format?: unknown };
  if (format === 'ptq-agent-bench' && version !== 1)
    return notOurs(file, `it has version ${String(version)} of the format, and this program reads version 1`);
  const [first] = Errors(BenchFileSchema, value);
  return notOurs(
    file,
    `${first?.instancePath || 'the file'} ${first?.message ?? 'is not as it should be'}`,
    first?.instancePath,
  );
}

function notOurs(file: string, why: string, field?: string) {
  return err(
    problem('not-a-bench-file', `this is no result of bench --output: ${why}`, {
      place: { file, ...(field === undefined || field === '' ? {} : { field }) },
      hint: 'name a file that bench --output wrote; what --json prints has no rounds to compare',
    }),
  );
}
