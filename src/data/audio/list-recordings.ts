import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { systemReason } from '../regular-file.ts';

export interface RecordingList {
  /** The folder that ids are relative to. */
  readonly folder: string;
  /** Paths relative to the folder, with `/`, in the order of their UTF-16 codes. */
  readonly ids: readonly string[];
  /** Recordings in formats that are not read, and hidden files. */
  readonly unused: readonly string[];
}

const OTHER_RECORDINGS = new Set(['.aac', '.aif', '.aiff', '.flac', '.m4a', '.mp3', '.ogg', '.opus', '.wma']);

/**
 * The `.wav` files of a folder and of the folders in it, or the one file that `path` is.
 * Errors: `wav-unreadable` when there is nothing at the path or a folder cannot be listed.
 */
export async function listRecordings(
  path: string,
): Promise<Result<RecordingList, Problem<'wav-unreadable'>>> {
  try {
    if (!(await stat(path)).isDirectory()) {
      return ok({ folder: dirname(path), ids: [basename(path)], unused: [] });
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const names = entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(path, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
      .sort((a, b) => (a < b ? -1 : 1));
    return ok({
      folder: path,
      ids: names.filter((name) => isWav(name) && !isHidden(name)),
      unused: names.filter(
        (name) => OTHER_RECORDINGS.has(extension(name)) || (isWav(name) && isHidden(name)),
      ),
    });
  } catch (error) {
    return err(
      problem('wav-unreadable', `the recordings cannot be listed: ${systemReason(error)}`, {
        place: { file: path },
        hint: 'check the path and its permissions',
      }),
    );
  }
}

function extension(name: string): string {
  return extname(name).toLowerCase();
}

function isWav(name: string): boolean {
  return extension(name) === '.wav';
}

/** Some systems put a file of their own, which is no recording, beside every file that they copy. */
function isHidden(name: string): boolean {
  return name.split('/').some((part) => part.startsWith('.'));
}
