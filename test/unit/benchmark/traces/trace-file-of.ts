import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ArrivalTrace } from '../../../../src/benchmark/traces/arrival-trace.ts';
import {
  type ReadTraceOptions,
  readArrivalTrace,
} from '../../../../src/benchmark/traces/read-arrival-trace.ts';
import type { Problem } from '../../../../src/core/problem.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

/** A temporary file with this name and content. */
export function traceFile(name: string, content: string | Uint8Array): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}

export async function readTrace(
  name: string,
  content: string | Uint8Array,
  options?: ReadTraceOptions,
): Promise<ArrivalTrace> {
  return unwrap(await readArrivalTrace(traceFile(name, content), options));
}

/** What is wrong with a trace; its place without the file, which is checked here. */
export async function faultOf(
  name: string,
  content: string | Uint8Array,
  options?: ReadTraceOptions,
): Promise<Problem> {
  const file = traceFile(name, content);
  const result = await readArrivalTrace(file, options);
  if (result.ok) throw new Error('the trace was read');
  const { file: named, ...place } = result.error.place ?? {};
  if (named !== file) throw new Error(`the problem names ${named}, not the file`);
  if (result.error.hint === undefined) throw new Error('the problem does not say what to do');
  return { ...result.error, place };
}

/** Times in nanoseconds, as a plain list. */
export function dueOf({ dueNs }: Pick<ArrivalTrace, 'dueNs'>): readonly number[] {
  return [...dueNs];
}

/** A trace that was never in a file. */
export function traceOf(dueNs: readonly number[], more: Partial<ArrivalTrace> = {}): ArrivalTrace {
  const source = {
    file: 'a.jsonl',
    format: 'ptq-agent',
    count: dueNs.length,
    durationNs: dueNs.at(-1) ?? 0,
    meanRate: null,
    notes: [],
  } as const;
  return { dueNs: Float64Array.from(dueNs), source, changes: [], ...more };
}
