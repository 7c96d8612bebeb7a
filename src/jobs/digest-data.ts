import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { DataSpec } from '../core/data-spec.ts';
import { digestFile, digestText } from '../core/digest.ts';
import { ProblemError, problem } from '../core/problem.ts';
import { unwrap } from './unwrap.ts';

/**
 * SHA-256 over all that decides what the samples are: the data's files, the files that its description names, and the
 * description itself without the folders where they lie. Throws `ProblemError` where a file cannot be read.
 */
export async function digestData(spec: DataSpec): Promise<string> {
  const own = spec.path === '' ? '' : await digestPath(spec.path);
  const { path: _, format: __, onBadSample: ___, ...rest } = spec;
  // The bytes of a file that nothing else describes are all there is to it.
  if (Object.keys(rest).length === 0 && own !== '') return own;
  const named = namedFiles(spec);
  const parts = [own];
  for (const file of named) parts.push(await digestPath(file));
  const description = JSON.stringify({ ...rest, format: spec.format }, (_key, value: unknown) =>
    typeof value === 'string' && named.includes(value) ? 'file' : value,
  );
  return digestText([...parts, description].join('\n'));
}

function namedFiles({ labels, module, preprocess, inputs = {} }: DataSpec): readonly string[] {
  const tokenizers = [preprocess, ...Object.values(inputs)].map((input) => input?.tokenize?.tokenizer);
  return [labels?.file, labels?.masks, module, ...tokenizers].filter((file) => file !== undefined);
}

async function digestPath(path: string): Promise<string> {
  if (!(await isFolder(path))) return unwrap(await digestFile(path));
  const parts: string[] = [];
  for (const file of await filesBelow(path)) {
    parts.push(`${relative(path, file)} ${unwrap(await digestFile(file))}`);
  }
  return digestText(parts.join('\n'));
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ProblemError(
      problem('file-unreadable', `the data cannot be read (${code})`, {
        place: { file: path },
        hint: 'check that the path names a file or folder that this user may read',
      }),
    );
  }
}

/** Files and links to files, which data may be read through, in the order of their paths. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path)))) files.push(path);
  }
  return files.sort();
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
