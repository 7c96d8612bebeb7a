import { isUtf8 } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ProblemError, problem } from '../../core/problem.ts';
import { emptyTrace, invalidTrace } from './trace-problem.ts';

const BLOCK_BYTES = 2 ** 20;
const HEAD_BYTES = 2 ** 16;
// A line of Mooncake lists every block of a prompt; a line of this length is no line.
const MAX_LINE_BYTES = 2 ** 26;
const NEWLINE = 0x0a;

/** Files that are taken for text by mistake, by their first bytes. */
const SIGNATURES: readonly (readonly [readonly number[], string, string])[] = [
  [[0x1f, 0x8b], 'is compressed with gzip', 'unpack it first, with gunzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed with zstd', 'unpack it first, with unzstd'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a zip archive', 'unpack it first, and name the file in it'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'is compressed with xz', 'unpack it first, with unxz'],
  [[0xff, 0xfe], 'is text in UTF-16', 'save it in UTF-8'],
  [[0xfe, 0xff], 'is text in UTF-16', 'save it in UTF-8'],
];

/** A line of a trace that is not blank. */
export interface TraceLine {
  readonly text: string;
  /** From 1, blank lines counted. */
  readonly line: number;
  /** Whether no line ending follows, so that the line may have been cut short. */
  readonly isLast: boolean;
}

/**
 * The first 64 KiB of a trace as text, without a byte order mark. Throws a `ProblemError`: `trace-unreadable`,
 * `trace-empty`, and `trace-invalid` for a file that is no text.
 */
export function readTraceHead(file: string): Promise<string> {
  return withFile(file, async (handle) => {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0);
    const bytes = head.subarray(0, bytesRead);
    if (bytesRead === 0) throw emptyTrace(file);
    const match = SIGNATURES.find(([start]) => start.every((byte, at) => bytes[at] === byte));
    if (match !== undefined) throw invalidTrace(`the file ${match[1]}`, { file }, match[2]);
    if (bytes.includes(0)) throw binary(file);
    return bytes.toString('utf8').replace(/^\ufeff/, '');
  });
}

/** Calls `visit` with the bytes of a trace, block by block; they are only good during the call. Throws as `scanTraceLines`. */
export function scanTraceBlocks(file: string, visit: (block: Buffer) => void): Promise<void> {
  return withFile(file, async (handle) => {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, null);
      if (bytesRead === 0) return;
      visit(block.subarray(0, bytesRead));
    }
  });
}

/**
 * Calls `visit` for every line that is not blank, without its line ending and without a byte order mark. Memory is that
 * of the longest line. Throws a `ProblemError`: `trace-unreadable`; `trace-invalid` for a line above 64 MiB and bytes
 * that are no UTF-8 text.
 */
export async function scanTraceLines(file: string, visit: (line: TraceLine) => void): Promise<void> {
  let line = 1;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const visitText = (bytes: Buffer, isLast: boolean) => {
    // Whole lines become text at once, which is several times faster than one by one.
    if (!isUtf8(bytes) || bytes.includes(0)) throw notText(file, bytes, line);
    const text = bytes.toString('utf8');
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf('\n', from);
      const stop = end === -1 ? text.length : end;
      visitLine(text.slice(from, stop), line, isLast && end === -1, visit);
      line += 1;
      from = stop + 1;
    }
  };
  await scanTraceBlocks(file, (block) => {
    const end = block.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      visitText(Buffer.concat([...pending, block.subarray(0, end)]), false);
      pending = [];
      pendingBytes = 0;
    }
    if (end === block.length) return;
    // The block is overwritten by the next read, so what is left of it is copied.
    pending.push(Buffer.from(block.subarray(end)));
    pendingBytes += block.length - end;
    if (pendingBytes <= MAX_LINE_BYTES) return;
    throw invalidTrace('the line is longer than 64 MiB', { file, line }, 'write one arrival a line');
  });
  if (pendingBytes > 0) visitText(Buffer.concat(pending), true);
}

function visitLine(text: string, line: number, isLast: boolean, visit: (line: TraceLine) => void): void {
  const from = line === 1 && text.startsWith('\ufeff') ? 1 : 0;
  const trimmed = text.slice(from, text.endsWith('\r') ? -1 : undefined);
  if (trimmed.trim() !== '') visit({ text: trimmed, line, isLast });
}

/** Finds the line that is no text, among whole lines of which some are. */
function notText(file: string, bytes: Buffer, firstLine: number): ProblemError {
  let line = firstLine;
  for (let from = 0; ; line += 1) {
    const end = bytes.indexOf(NEWLINE, from);
    const row = bytes.subarray(from, end === -1 ? bytes.length : end);
    if (row.includes(0)) return binary(file, line);
    if (!isUtf8(row) || end === -1)
      return invalidTrace('the line is not UTF-8', { file, line }, 'save the file in UTF-8');
    from = end + 1;
  }
}

function binary(file: string, line?: number): ProblemError {
  const place = line === undefined ? { file } : { file, line };
  return invalidTrace(
    'the file is binary: it holds a zero byte',
    place,
    'name a trace, which is a text file',
  );
}

/** Opens nothing but a regular file: a named pipe would wait for a writer. */
async function withFile<T>(file: string, action: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    if (!(await stat(file)).isFile()) throw unreadable(file, 'it is not a regular file');
    handle = await open(file, 'r');
    return await action(handle);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof ProblemError || code === undefined) throw error;
    throw unreadable(file, code === 'ENOENT' ? 'it does not exist' : message);
  } finally {
    await handle?.close();
  }
}

function unreadable(file: string, reason: string): ProblemError<'trace-unreadable'> {
  return new ProblemError(
    problem('trace-unreadable', `the trace cannot be read: ${reason}`, {
      place: { file },
      hint: 'check the path and its permissions',
    }),
  );
}
