import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { ProblemError, type ProblemPlace, problem } from '../../core/problem.ts';
import { formatBytes } from '../../core/units.ts';
import { nameOf } from '../labels/nested-numbers.ts';
import { openByteSource, unreadable } from './byte-source.ts';

/** A line of a file that is not blank. */
export interface LinePlace {
  /** From 1, blank lines counted. */
  readonly line: number;
  /** Position in the file of its first byte. */
  readonly start: number;
}

export type JsonObject = Readonly<Record<string, unknown>>;

const BLOCK_BYTES = 2 ** 20;
// A line becomes a text, which JavaScript limits to 512 MiB.
const MAX_LINE_BYTES = 2 ** 28;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Calls `visit` for every line that is not blank, without its line ending and without a byte order mark. The bytes are
 * only good during the call. Memory is that of the longest line. Throws a `ProblemError`: `data-unreadable`,
 * `data-invalid` for a line above 256 MiB.
 */
export async function scanLines(
  path: string,
  visit: (bytes: Buffer, place: LinePlace) => void,
): Promise<void> {
  // Opens regular files only, and tells what is wrong with others.
  await (await openByteSource(path)).close();
  const file = await open(path, 'r');
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let line = 1;
  let start = 0;
  const finishLine = (rest: Buffer) => {
    const whole = pendingBytes === 0 ? rest : Buffer.concat([...pending, rest]);
    visitLine(whole, { line, start }, visit);
    start += whole.length + 1;
    line += 1;
    if (pendingBytes > 0) pending = [];
    pendingBytes = 0;
  };
  try {
    for (;;) {
      const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, null);
      if (bytesRead === 0) break;
      const bytes = block.subarray(0, bytesRead);
      let from = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
        finishLine(bytes.subarray(from, end));
        from = end + 1;
      }
      if (from === bytesRead) continue;
      // The block is overwritten by the next read, so what is left of it is copied.
      pending.push(Buffer.from(bytes.subarray(from)));
      pendingBytes += bytesRead - from;
      if (pendingBytes > MAX_LINE_BYTES) throw tooLong(path, line);
    }
    if (pendingBytes > 0) finishLine(Buffer.alloc(0));
  } catch (error) {
    throw error instanceof ProblemError ? error : unreadable(error, path);
  } finally {
    await file.close();
  }
}

/** Parses one line that must be a JSON object. Throws a `ProblemError` of this kind. */
export function parseJsonLine<K extends string>(bytes: Buffer, place: ProblemPlace, kind: K): JsonObject {
  const fail = (message: string, hint: string) => new ProblemError(problem(kind, message, { place, hint }));
  if (!isUtf8(bytes)) throw fail('the line is not UTF-8', 'save the file in UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw fail(
      `the line is not JSON: ${(error as SyntaxError).message}`,
      'write one JSON object a line, without line breaks in it',
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw fail(
    `the line holds ${nameOf(value)}, not an object`,
    'write one JSON object a line: {"key": value}',
  );
}

function visitLine(
  whole: Buffer,
  { line, start }: LinePlace,
  visit: (bytes: Buffer, place: LinePlace) => void,
): void {
  const marked = line === 1 && whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf;
  const first = marked ? 3 : 0;
  const end = whole.at(-1) === CARRIAGE_RETURN ? whole.length - 1 : whole.length;
  if (isBlank(whole, first, end)) return;
  visit(whole.subarray(first, end), { line, start: start + first });
}

function isBlank(bytes: Buffer, first: number, end: number): boolean {
  for (let i = first; i < end; i += 1) if (bytes[i] !== 0x20 && bytes[i] !== 0x09) return false;
  return true;
}

function tooLong(path: string, line: number): ProblemError {
  return new ProblemError(
    problem('data-invalid', `the line is longer than ${formatBytes(MAX_LINE_BYTES)}`, {
      place: { file: path, line },
      hint: 'write one item a line; arrays of this size belong into an .npz file',
    }),
  );
}
