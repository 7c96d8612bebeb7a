import { type FileHandle, open, stat } from 'node:fs/promises';

/** A file that is open for reading, or the end of a sentence about why it is not: what it is, or what the system says. */
export type OpenedFile =
  | { readonly file: FileHandle; readonly sizeBytes: number }
  | { readonly refusal: 'not-regular' }
  | { readonly refusal: 'system'; readonly reason: string };

/** Opens nothing but a regular file. */
export async function openRegularFile(path: string): Promise<OpenedFile> {
  try {
    // Opening a named pipe would wait for a writer, so the kind of file is looked at first.
    const stats = await stat(path);
    if (!stats.isFile()) return { refusal: 'not-regular' };
    return { file: await open(path, 'r'), sizeBytes: stats.size };
  } catch (error) {
    return { refusal: 'system', reason: systemReason(error) };
  }
}

/** What the system says about a file that it does not let us read. An error that is not the system's is thrown. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return code === 'ENOENT' ? 'it does not exist' : message;
}
