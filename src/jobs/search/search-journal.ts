import { type FileHandle, open, readFile } from 'node:fs/promises';
import { ProblemError, problem } from '../../core/problem.ts';

/**
 * What a search has measured, one JSON object a line, each on the disk before the search goes on. Entries are named by digests
 * of all that they follow from, so that one that no longer holds is simply not found.
 */
export interface SearchJournal {
  /** What an earlier search, or this one, has measured under this name. */
  read(key: string): unknown;
  write(key: string, about: string, value: unknown): Promise<void>;
  close(): Promise<void>;
}

interface JournalLine {
  readonly key: string;
  /** For people who read the file. */
  readonly about: string;
  readonly value: unknown;
}

/**
 * Opens a journal to go on with it; a last line that a crash cut off is dropped, as are lines that are none of ours.
 * Throws `ProblemError` `output-not-writable`.
 */
export async function openJournal(file: string): Promise<SearchJournal> {
  const entries = new Map<string, unknown>();
  const text = await readOrNothing(file);
  for (const line of text.split('\n')) {
    const entry = parseLine(line);
    if (entry !== undefined) entries.set(entry.key, entry.value);
  }
  const handle = await guarded(file, () => open(file, 'a'));
  // What is appended is not to become a part of a line that was cut off.
  if (text !== '' && !text.endsWith('\n')) await guarded(file, () => handle.write('\n'));
  return {
    read: (key) => entries.get(key),
    write: (key, about, value) => append(file, handle, entries, { key, about, value }),
    close: () => handle.close(),
  };
}

async function append(
  file: string,
  handle: FileHandle,
  entries: Map<string, unknown>,
  line: JournalLine,
): Promise<void> {
  const text = `${JSON.stringify(line)}\n`;
  await guarded(file, async () => {
    await handle.write(text);
    await handle.sync();
  });
  // As it will be read again, so that a search that goes on sees the same as one that was never interrupted.
  entries.set(line.key, (JSON.parse(text) as JournalLine).value);
}

function parseLine(line: string): JournalLine | undefined {
  try {
    const found: unknown = JSON.parse(line);
    const isOurs = typeof found === 'object' && found !== null && 'key' in found && 'value' in found;
    return isOurs && typeof found.key === 'string' ? (found as JournalLine) : undefined;
  } catch {
    return undefined;
  }
}

async function readOrNothing(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw notWritable(file, error);
  }
}

async function guarded<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw notWritable(file, error);
  }
}

function notWritable(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return new ProblemError(
    problem('output-not-writable', `what the search measures cannot be kept (${code})`, {
      place: { file },
      hint: 'choose another output, make room on the disk, or correct the rights of the folder',
    }),
  );
}
