import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** No one writes a profile of so many bytes, and the daemon does nothing else while it parses one. */
const MOST_BYTES = 1024 * 1024;

/**
 * The text of a file that a person wrote. Throws what the system says, and an error whose `code` says what is wrong with what
 * is no regular file (a named pipe would never end) or too large.
 */
export async function readSmallFile(path: string): Promise<string> {
  // Without waiting: opening a named pipe would last until somebody writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw refused('not a regular file');
    if (stats.size > MOST_BYTES) throw refused('larger than 1 MiB');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function refused(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`the file is ${code}`), { code });
}
