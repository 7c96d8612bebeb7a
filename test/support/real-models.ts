import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';

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

/** The model files among them, with their names; none where there are none to test with. */
export function listRealModels(
  models: RealModels,
): readonly { readonly name: string; readonly path: string }[] {
  const { directory } = models;
  if (directory === undefined) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => ({ name: basename(name), path: join(directory, name) }));
}

/** A test that is skipped with the reason where there are no real models, so that their absence shows in the report. */
export function skipWithoutRealModels({ directory, reason }: RealModels): void {
  it.skipIf(directory !== undefined)(`is not tested: ${reason}`, (context) => {
    context.skip(reason);
  });
}
