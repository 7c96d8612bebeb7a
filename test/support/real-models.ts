import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with real models to test with, or why there is none: they are no part of the repository. */
export type RealModels =
  | { readonly directory: string; readonly reason: undefined }
  | { readonly directory: undefined; readonly reason: string };

/** `PTQ_MODELS`, otherwise the folder `shared/models` beside the repository where there is one. */
export function findRealModels(): RealModels {
  const named = process.env['PTQ_MODELS'];
  const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const directory = resolve(named ?? join(repository, '..', 'shared', 'models'));
  if (existsSync(directory)) return { directory, reason: undefined };
  return {
    directory: undefined,
    reason:
      named === undefined
        ? 'no real models: set PTQ_MODELS to a folder that holds some'
        : `PTQ_MODELS names ${named}, which does not exist`,
  };
}
