import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Problem, problem } from './problem.ts';
import { err, ok, type Result } from './result.ts';

/** A block of this size keeps the event loop free and costs no more than larger ones. */
const BLOCK_BYTES = 1 << 20;

/** SHA-256 of a file's bytes, in lower-case hex. Streamed, so that the size of a model does not matter. */
export async function digestFile(path: string): Promise<Result<string, Problem<'file-unreadable'>>> {
  const hash = createHash('sha256');
  try {
    for await (const block of createReadStream(path, { highWaterMark: BLOCK_BYTES })) hash.update(block);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return err(
      problem('file-unreadable', `the file cannot be read (${code})`, {
        place: { file: path },
        hint: 'check that the path names a file that this user may read',
      }),
    );
  }
  return ok(hash.digest('hex'));
}

/** SHA-256 of a text's UTF-8 bytes, in lower-case hex. */
export function digestText(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
