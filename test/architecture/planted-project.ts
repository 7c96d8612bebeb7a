import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

export const REPOSITORY = join(import.meta.dirname, '../..');

/**
 * A project of its own with the given files, the settings and the packages of this one; it is removed when the file of
 * tests is over.
 */
export function plantProject(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ptq-planted-')));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['biome.json', 'package.json']) copyFileSync(join(REPOSITORY, name), join(folder, name));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
