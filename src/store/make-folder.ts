import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a folder and those above it, or throws why it cannot be: of a read-only disk Node.js says ENOENT there. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    accessSync(nearestAbove(path), constants.W_OK);
    throw error;
  }
}

function nearestAbove(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestAbove(dirname(path));
}
