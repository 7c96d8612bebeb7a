import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { ProblemError, problem } from '../../core/problem.ts';
import { unreadable } from './byte-source.ts';

/** Something in a folder: its path from there, with `/` between folders, and why it is left out where it is. */
export interface FolderEntry {
  readonly path: string;
  readonly leftOut?: string;
}

/**
 * Every regular file below a folder, in no particular order. What is hidden, is no file, or is a link that leaves the
 * folder is given with the reason and not followed; so are links to folders, which could lead round in circles. Throws
 * a `ProblemError` of the kind `data-unreadable`.
 */
export async function* walkFolder(folder: string): AsyncGenerator<FolderEntry> {
  const root = await resolveFolder(folder);
  const waiting = [''];
  for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
    for (const entry of await listFolder(join(root, prefix))) {
      const path = prefix + entry.name;
      if (entry.name.startsWith('.')) yield { path, leftOut: 'hidden' };
      else if (entry.isDirectory()) waiting.push(`${path}/`);
      else if (entry.isFile()) yield { path };
      else if (entry.isSymbolicLink()) yield await followLink(root, path);
      else yield { path, leftOut: 'not a regular file' };
    }
  }
}

/** How what is left out is listed for people. */
export function describeLeftOut({ path, leftOut }: FolderEntry): string {
  return leftOut === undefined ? path : `${path} (${leftOut})`;
}

async function resolveFolder(folder: string): Promise<string> {
  try {
    const root = await realpath(folder);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    throw unreadable(error, folder);
  }
  throw new ProblemError(
    problem('data-unreadable', 'the data is not a folder', {
      place: { file: folder },
      hint: 'name the folder that holds the items',
    }),
  );
}

async function listFolder(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    throw unreadable(error, path);
  }
}

async function followLink(root: string, path: string): Promise<FolderEntry> {
  try {
    const target = await realpath(join(root, path));
    if (target !== root && !target.startsWith(root.endsWith(sep) ? root : root + sep)) {
      return { path, leftOut: 'a link out of the folder' };
    }
    return (await stat(target)).isFile() ? { path } : { path, leftOut: 'a link, but not to a file' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return { path, leftOut: 'a link to nothing' };
  }
}
