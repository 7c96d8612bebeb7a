import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isValid, ulid } from 'ulid';

/** What earlier versions put into `tmp` itself. */
const EARLIER = /^(?:\.ptq-agent-|ptq-agent-spool-|[0-9A-HJKMNP-TV-Z]{26}\.onnx)/;

/** What is being made beside its place in a cache, by processes that may have been killed. */
const UNFINISHED: Readonly<Record<string, RegExp>> = {
  outputs: /^[0-9a-f]{64}\.outputs\.[A-Za-z0-9]{6}$/,
  golden: /^[0-9a-f]{64}\.outputs\.[A-Za-z0-9]{6}$/,
  calibration: /^[0-9a-f]{64}\.json\.\d+\.tmp$/,
};

/** A folder for what is being made, of one process that has the data directory. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes the folders of processes that are gone. What cannot be removed yet, as one of them is dying, goes the next time. */
  sweep(): void;
  /** Leaves nothing behind. */
  remove(): void;
}

/**
 * Makes a folder in `<dataDir>/tmp`, and removes those that earlier processes left there. What has no name of ours is somebody
 * else's, such as where `/` was named as the data directory, and stays.
 */
export function makeTemporaryFolder(dataDir: string): TemporaryFolder {
  const parent = join(dataDir, 'tmp');
  const own = ulid();
  const sweep = () => {
    for (const name of readdirSync(parent)) {
      if (name !== own && (isValid(name) || EARLIER.test(name))) removeIfPossible(join(parent, name));
    }
  };
  sweep();
  sweepCaches(dataDir);
  const path = join(parent, own);
  mkdirSync(path, { recursive: true });
  return { path, sweep, remove: () => removeIfPossible(path) };
}

function sweepCaches(dataDir: string): void {
  for (const [folder, unfinished] of Object.entries(UNFINISHED)) {
    const parent = join(dataDir, folder);
    if (!existsSync(parent)) continue;
    for (const name of readdirSync(parent)) if (unfinished.test(name)) removeIfPossible(join(parent, name));
  }
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // A worker of the dead process still writes there, or the disk is read-only.
  }
}
