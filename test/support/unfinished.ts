import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What processes left in a data directory, or are making there, in the folder that each has for it. Folders of workers are not
 * among it, as they come and go with those.
 */
export function unfinished(dataDir: string): readonly string[] {
  const parent = join(dataDir, 'tmp');
  return readdirSync(parent).flatMap((process) =>
    readdirSync(join(parent, process)).flatMap((name) => {
      if (name === 'captures') return readdirSync(join(parent, process, name));
      return name.startsWith('ptq-agent-worker-') ? [] : [name];
    }),
  );
}
