import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Machine } from '../../src/runtime/machine.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A machine with these files of the system, each empty unless it has a text, and with these files beside the binding. */
export function fakeMachine({
  system = {},
  beside = [],
  env = {},
  backends = ['cpu', 'webgpu', 'cuda', 'tensorrt'],
}: {
  readonly system?: Readonly<Record<string, string>>;
  readonly beside?: readonly string[];
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
  return { backends, bindingFolder, root, env };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, 'latin1');
}
