import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Machine } from '../../src/runtime/machine.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { writeElf } from './write-elf.ts';

/** A machine with these files of the system, each empty unless it has a text, and with these files beside the binding. */
export function fakeMachine({
  system = {},
  beside = [],
  libraries = {},
  env = {},
  backends = ['cpu', 'webgpu', 'cuda', 'tensorrt'],
}: {
  readonly system?: Readonly<Record<string, string>>;
  readonly beside?: readonly string[];
  /** Beside the binding too, with the libraries that each needs. */
  readonly libraries?: Readonly<Record<string, readonly string[]>>;
  readonly env?: Machine['env'];
  readonly backends?: readonly string[];
} = {}): Machine {
  const folder = temporaryFolder();
  const root = join(folder, 'root');
  const bindingFolder = join(folder, 'binding');
  mkdirSync(root);
  mkdirSync(bindingFolder);
  for (const [path, text] of Object.entries(system)) write(join(root, path), text);
  for (const name of beside) write(join(bindingFolder, name), '');
  for (const [name, needed] of Object.entries(libraries))
    writeFileSync(join(bindingFolder, name), writeElf(needed));
  return { backends, bindingFolder, root, env };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, 'latin1');
}
