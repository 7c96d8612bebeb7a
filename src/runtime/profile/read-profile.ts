import { type FileHandle, open } from 'node:fs/promises';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { ColumnBuilder } from './column-builder.ts';
import { EventScanner, MALFORMED, NEED_MORE } from './event-scanner.ts';
import type { ProfileColumns } from './profile-columns.ts';

export type ProfileProblem = Problem<'profile-unreadable'>;

/** Few events are longer than a kilobyte; reading larger blocks is no faster. */
const BLOCK_BYTES = 1 << 20;
/** No event is nearly as long as this. */
const MAX_EVENT_BYTES = 1 << 26;

const NEWLINE = 0x0a;
const SPACE = 0x20;
const COMMA = 0x2c;
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT] = [0x5b, 0x5d, 0x7b];
const MARK = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * Reads the file of a profile block by block into columns: about 60 bytes an event, whatever the file has. A file that
 * ends in the middle, and events that are no JSON, are said and not refused. Errors: `profile-unreadable`.
 */
export async function readProfile(path: string): Promise<Result<ProfileColumns, ProfileProblem>> {
  try {
    const file = await open(path);
    try {
      return await readBlocks(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return unreadable(`the file cannot be read (${code})`, path);
  }
}

/** While one block is looked at, the next one is on its way. */
async function readBlocks(file: FileHandle): Promise<Result<ProfileColumns, ProfileProblem>> {
  const reader = new ProfileReader();
  const read = (block: Buffer) => file.read(block, 0, block.length);
  const blocks = [Buffer.allocUnsafeSlow(BLOCK_BYTES), Buffer.allocUnsafeSlow(BLOCK_BYTES)] as const;
  let pending = read(blocks[0]);
  for (let turn = 0; ; turn++) {
    const { bytesRead, buffer } = await pending;
    if (bytesRead === 0) return reader.finish();
    pending = read(blocks[turn % 2 === 0 ? 1 : 0]);
    const found = reader.take(buffer.subarray(0, bytesRead));
    if (found === undefined) continue;
    await pending;
    return found;
  }
}

/** Reads a whole profile at once. Errors: `profile-unreadable`. */
export function parseProfile(bytes: Uint8Array): Result<ProfileColumns, ProfileProblem> {
  const reader = new ProfileReader();
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const found = reader.take(bytes.subarray(at, at + BLOCK_BYTES));
    if (found !== undefined) return found;
  }
  return reader.finish();
}

type State = 'before' | 'events' | 'after';

class ProfileReader {
  readonly #scanner = new EventScanner();
  readonly #columns = new ColumnBuilder();
  #buffer = Buffer.allocUnsafeSlow(2 * BLOCK_BYTES);
  /** How much of the buffer is filled: the beginning of an event that is not whole yet. */
  #filled = 0;
  #state: State = 'before';
  #unreadable = 0;
  /** An event that is no JSON is left behind at the next line that begins one. */
  #isLost = false;

  /** A problem where this is no profile. */
  take(block: Uint8Array): ReturnType<typeof unreadable> | undefined {
    const end = this.#filled + block.length;
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#filled);
      this.#buffer = larger;
    }
    this.#buffer.set(block, this.#filled);
    const at = this.#scan(end);
    if (at < 0) return unreadable('it is no list of events');
    this.#buffer.copy(this.#buffer, 0, at, end);
    this.#filled = end - at;
    if (this.#filled > MAX_EVENT_BYTES) return unreadable('one of its events does not end');
    return undefined;
  }

  finish(): Result<ProfileColumns, ProfileProblem> {
    if (this.#state === 'before') return unreadable('it is empty');
    const found = { isTruncated: this.#state !== 'after', unreadable: this.#unreadable };
    return ok(this.#columns.finish(found));
  }

  /** Reads the events that are whole; returns the place behind them, or -1 where this is no list. */
  #scan(end: number): number {
    let at = 0;
    if (this.#state === 'before') {
      at = this.#begin(end);
      if (at < 0 || this.#state === 'before') return at;
    }
    while (this.#state === 'events') {
      const next = this.#isLost ? this.#findEvent(at, end) : this.#scanEvent(at, end);
      if (next === at) return at;
      at = next;
    }
    return end;
  }

  #begin(end: number): number {
    const buffer = this.#buffer;
    let at = buffer.subarray(0, Math.min(end, 3)).equals(MARK) ? 3 : 0;
    while (at < end && (buffer[at] as number) <= SPACE) at++;
    if (at === end) return at;
    if (buffer[at] !== OPEN_ARRAY) return -1;
    this.#state = 'events';
    return at + 1;
  }

  /** The place behind the next event, or the same where it is not whole. */
  #scanEvent(from: number, end: number): number {
    const buffer = this.#buffer;
    let at = from;
    while (at < end && ((buffer[at] as number) <= SPACE || buffer[at] === COMMA)) at++;
    if (at === end) return from;
    if (buffer[at] === CLOSE_ARRAY) {
      this.#state = 'after';
      return end;
    }
    const next = buffer[at] === OPEN_OBJECT ? this.#scanner.scan(buffer, at, end) : MALFORMED;
    if (next === NEED_MORE) return from;
    if (next !== MALFORMED) {
      this.#columns.add(this.#scanner, buffer);
      return next;
    }
    this.#unreadable++;
    this.#isLost = true;
    return at + 1;
  }

  /** Leaves an event that is no JSON behind: the place where the next one begins, or all but the end of the block. */
  #findEvent(from: number, end: number): number {
    const line = nextEventLine(this.#buffer, from, end);
    this.#isLost = line < 0;
    // A line may end with the block and go on in the next.
    return line < 0 ? Math.max(from, end - 2) : line;
  }
}

/** Where a line begins that begins as an event does; -1 where none does. */
function nextEventLine(buffer: Buffer, from: number, end: number): number {
  for (let at = from; ; ) {
    at = buffer.indexOf(NEWLINE, at);
    if (at < 0 || at + 1 >= end) return -1;
    at++;
    if (buffer[at] === OPEN_OBJECT || buffer[at] === CLOSE_ARRAY) return at;
  }
}

function unreadable(reason: string, file?: string) {
  return err(
    problem(
      'profile-unreadable',
      `the profile of ONNX Runtime cannot be read: ${reason}`,
      file === undefined ? {} : { place: { file } },
    ),
  );
}
