import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/log.ts';

/** What a configuration is read from. */
export interface ConfigPlaces {
  /** Single files, such as that of the settings. */
  readonly files: readonly string[];
  /** The folder of profiles: its YAML files, those of the folders in it, and of their `suites`. */
  readonly profilesDir: string;
}

export interface WatchOptions {
  /** What `configStamp` told before the configuration was read. */
  readonly since: string;
  /** Asked at every look, as settings may name another folder. */
  readonly places: () => ConfigPlaces;
  /** Called when a file was changed, added, removed or replaced, and all of them have been at rest for a while. */
  readonly onChange: () => Promise<void>;
  /** Called at every look on which nothing has changed. */
  readonly onRest: () => Promise<void>;
  readonly logger: Logger;
  /** How long nothing may happen before files count as written; 500 ms unless given. */
  readonly restMs?: number;
  /** How often files are looked at where the kernel tells nothing of them; 10 s unless given. */
  readonly lookEveryMs?: number;
}

const REST_MS = 500;
const LOOK_EVERY_MS = 10_000;
const YAML = /\.ya?ml$/;

/**
 * Watches the files of a configuration. The kernel's word (inotify) only has them looked at sooner: it says nothing of network
 * file systems, of what a link outside of the folder leads to, and where its watches are used up. What counts is what `stat`
 * tells of each file, links followed, which is how a mounted ConfigMap changes: all at once, by a link `..data` that is renamed.
 * Files count as written once two looks tell the same. Returns what ends it.
 */
export function watchConfig({
  since,
  places,
  onChange,
  onRest,
  logger,
  restMs = REST_MS,
  lookEveryMs = LOOK_EVERY_MS,
}: WatchOptions): () => Promise<void> {
  let isOver = false;
  let taken = since;
  let before = since;
  let looking: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let dueMs = Number.POSITIVE_INFINITY;
  const watchers = new Map<string, FSWatcher>();

  const lookIn = (ms: number): void => {
    if (isOver) return;
    const at = performance.now() + ms;
    // Whatever happens, files are looked at: a look that is due sooner stays.
    if (timer !== undefined && dueMs <= at) return;
    clearTimeout(timer);
    dueMs = at;
    timer = setTimeout(() => {
      timer = undefined;
      looking = look().catch((error: unknown) =>
        logger.error('configuration cannot be watched', { error: String(error) }),
      );
    }, ms);
    timer.unref();
  };

  const follow = (folders: ReadonlySet<string>): void => {
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of folders) {
      if (watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, () => lookIn(restMs));
        // A folder that is removed or unmounted ends its watch; the next look finds out what is there instead.
        watcher.on('error', () => {
          watcher.close();
          watchers.delete(folder);
        });
        watchers.set(folder, watcher);
      } catch {
        // It is gone, or the kernel has no watch left: looks find what changes.
      }
    }
  };

  const look = async (): Promise<void> => {
    const now = await lookAt(places());
    if (isOver) return;
    follow(now.folders);
    const isAtRest = now.stamp === before;
    before = now.stamp;
    if (!isAtRest) return lookIn(restMs);
    if (now.stamp === taken) await onRest();
    else {
      taken = now.stamp;
      await onChange();
    }
    lookIn(lookEveryMs);
  };

  lookIn(0);
  return async () => {
    isOver = true;
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
    await looking;
  };
}

/** Tells the files of a configuration apart from how they were; see `watchConfig`. */
export async function configStamp(places: ConfigPlaces): Promise<string> {
  return (await lookAt(places)).stamp;
}

interface Look {
  /** Differs when one of the files does. */
  readonly stamp: string;
  /** Where files lie. */
  readonly folders: ReadonlySet<string>;
}

async function lookAt({ files, profilesDir }: ConfigPlaces): Promise<Look> {
  const folders = new Set(files.map((file) => join(file, '..')));
  const found = [...files];
  const addFolder = async (folder: string): Promise<readonly string[]> => {
    const names = (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
    if (names.length > 0) folders.add(folder);
    found.push(...names.filter((name) => YAML.test(name)).map((name) => join(folder, name)));
    return names.filter((name) => !YAML.test(name)).map((name) => join(folder, name));
  };
  folders.add(profilesDir);
  for (const inside of await addFolder(profilesDir)) {
    for (const deeper of await addFolder(inside)) if (deeper.endsWith('/suites')) await addFolder(deeper);
  }
  // Suites that several profiles share may lie beside their folder.
  await addFolder(join(profilesDir, '../suites'));
  const stamps = await Promise.all(found.map(stampOf));
  return { stamp: found.map((file, index) => `${file} ${stamps[index]}`).join('\n'), folders };
}

async function stampOf(file: string): Promise<string> {
  try {
    const { size, mtimeMs, ino, dev } = await stat(file);
    return `${size} ${mtimeMs} ${ino} ${dev}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}
