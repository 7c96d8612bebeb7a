import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What processes left in a data directory, or are making there, in the folder that each has for it. */
export function unfinished(dataDir: string): readonly string[] {
  const parent = join(dataDir, 'tmp');
  return readdirSync(parent).flatMap((folder) => readdirSync(join(parent, folder)));
}
