import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadProfile, type ProfileProblem } from '../../../src/config/load-profiles.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A folder with the given profiles, and the model and data that they name. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries({ 'm.onnx': '', 'd.npz': '', ...files })) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

export async function problemsOf(text: string): Promise<readonly ProfileProblem[]> {
  const folder = await folderWith({ 'profile.yaml': text });
  const result = await loadProfile(folder);
  if (result.ok) throw new Error('expected problems');
  return result.error;
}

/** `line:column field kind`, which is what a reader needs to find the error. */
export function summary(problems: readonly ProfileProblem[]): readonly string[] {
  return problems.map(({ kind, place }) => `${place?.line}:${place?.column} ${place?.field ?? '-'} ${kind}`);
}

/** All that a profile must have. */
export const SHORT = `name: tiny
model: m.onnx
data: { path: d.npz }
variants:
  - { name: int8, recipe: static-int8 }
`;
