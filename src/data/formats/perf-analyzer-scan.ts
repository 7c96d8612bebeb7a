import {
  type JsonElement,
  JsonElementScanner,
  JsonFault,
  type JsonMember,
} from '../../core/json-elements.ts';
import { ProblemError, problem } from '../../core/problem.ts';
import type { ByteSource } from './byte-source.ts';
import { EntryTally, type PerfAnalyzerContents, type ScanOptions } from './perf-analyzer-tally.ts';

const BLOCK_BYTES = 2 ** 20;

/** Reads every entry once and checks all of it. Throws a `ProblemError` with line and field. */
export async function scanPerfAnalyzer(
  source: ByteSource,
  options: ScanOptions,
): Promise<PerfAnalyzerContents> {
  const file = source.path;
  const tally = new EntryTally(file, options);
  const isWanted = (member: string) =>
    member === 'data' || (options.withTruth && member === 'validation_data');
  const members = await scanElements(source, isWanted, (element) => tally.visit(element));
  const countOf = (name: string) => members.find((member) => member.name === name)?.count;
  const [entries, expected] = [countOf('data'), countOf('validation_data')];
  if (entries === undefined) {
    const hint = 'name a file for --input-data of perf_analyzer: {"data": [{"INPUT": [1, 2]}]}';
    throw new ProblemError(
      problem('data-invalid', "the file has no list 'data'", { place: { file, field: '/data' }, hint }),
    );
  }
  if (expected !== undefined && expected !== entries) {
    const message = `'validation_data' has ${expected} entries, but 'data' has ${entries}`;
    const place = { file, field: '/validation_data' };
    throw new ProblemError(
      problem('data-invalid', message, { place, hint: 'give each entry its outputs, in the same order' }),
    );
  }
  return tally.finish(members);
}

async function scanElements(
  source: ByteSource,
  isWanted: (member: string) => boolean,
  visit: (element: JsonElement) => void,
): Promise<readonly JsonMember[]> {
  const scanner = new JsonElementScanner(isWanted, visit);
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  try {
    for (let start = 0; start < source.sizeBytes; start += BLOCK_BYTES) {
      const bytes = block.subarray(0, Math.min(BLOCK_BYTES, source.sizeBytes - start));
      await source.read(bytes, start);
      scanner.push(bytes);
    }
    return scanner.finish();
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { line, column, message } = error;
    throw new ProblemError(
      problem('data-invalid', `the file is not JSON: ${message}`, {
        place: { file: source.path, line, column },
        hint: 'correct the file there, or copy it again if it was cut short',
      }),
    );
  }
}
