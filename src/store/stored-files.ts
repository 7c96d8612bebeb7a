import type { Dirent } from 'node:fs';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { RUN_RECORD } from './records.ts';
import { isRunId } from './run-id.ts';

/** What would be made anew when it is missed, one file each; of a search of recipes that is not over, one folder. */
export const CACHE_KINDS = ['outputs', 'golden', 'calibration', 'peaks', 'searches'] as const;

export type CacheKind = (typeof CACHE_KINDS)[number];

/** Something that can be removed as a whole. */
export interface StoredItem {
  /** Its own among those of its kind: a hash, the id of a run, or the name of a file. */
  readonly name: string;
  readonly sizeBytes: number;
  /** When it was used last, milliseconds since the Unix epoch. */
  readonly usedMs: number;
}

/** All that lies in a data directory and is ours. */
export interface StoredFiles {
  readonly artifacts: readonly StoredItem[];
  readonly caches: Readonly<Record<CacheKind, readonly StoredItem[]>>;
  /** What runs left but for their records, without those that left nothing. */
  readonly runFiles: readonly StoredItem[];
  readonly recordBytes: number;
  readonly traceBytes: number;
  readonly databaseBytes: number;
  readonly temporaryBytes: number;
  /** What killed processes left half done, as paths. */
  readonly leftovers: readonly string[];
}

const HASH = '[0-9a-f]{64}';
const ARTIFACT = new RegExp(`^(${HASH})\\.(?:onnx|onnx\\.data|json)$`);
const NAMES: Readonly<Record<CacheKind, { readonly own: RegExp; readonly leftover: RegExp }>> = {
  outputs: {
    own: new RegExp(`^${HASH}\\.outputs$`),
    leftover: new RegExp(`^${HASH}\\.outputs\\.[A-Za-z0-9]{6}$`),
  },
  golden: {
    own: new RegExp(`^${HASH}\\.outputs$`),
    leftover: new RegExp(`^${HASH}\\.outputs\\.[A-Za-z0-9]{6}$`),
  },
  calibration: {
    own: new RegExp(`^${HASH}\\.json$`),
    leftover: new RegExp(`^${HASH}\\.json\\.\\d+\\.tmp$`),
  },
  peaks: { own: /^[a-z]+-\d+-[0-9a-f]{16}\.json$/, leftover: /^[a-z]+-\d+-[0-9a-f]{16}\.json\.\d+\.tmp$/ },
  // Names of a profile and of its variant. What a killed search was making is a part of its folder.
  searches: { own: /^[a-z0-9][a-z0-9_-]*$/, leftover: /^(?!)/ },
};
const RUN_LEFTOVER = /^\.[0-9a-f]{8}\.\d+\.tmp$/;
const DATABASE = /^(?:state|lock)\.db(?:-wal|-shm|-journal)?$/;

/** Looks at everything. What disappears meanwhile counts nothing; links are not followed. */
export async function listStoredFiles(dataDir: string): Promise<StoredFiles> {
  const leftovers: string[] = [];
  const artifacts = await listArtifacts(join(dataDir, 'artifacts'), leftovers);
  const caches: Record<CacheKind, readonly StoredItem[]> = {
    outputs: [],
    golden: [],
    calibration: [],
    peaks: [],
    searches: [],
  };
  for (const kind of CACHE_KINDS) caches[kind] = await listCache(join(dataDir, kind), kind, leftovers);
  const { runFiles, recordBytes } = await listRuns(join(dataDir, 'runs'), leftovers);
  const top = (await entriesOf(dataDir)).filter(({ name }) => DATABASE.test(name));
  let databaseBytes = 0;
  for (const { name } of top) databaseBytes += (await factsOf(join(dataDir, name)))?.size ?? 0;
  return {
    artifacts,
    caches,
    runFiles,
    recordBytes,
    traceBytes: (await treeOf(join(dataDir, 'traces'))).sizeBytes,
    databaseBytes,
    temporaryBytes: (await treeOf(join(dataDir, 'tmp'))).sizeBytes,
    leftovers,
  };
}

async function listArtifacts(folder: string, leftovers: string[]): Promise<readonly StoredItem[]> {
  const found = new Map<string, { sizeBytes: number; usedMs: number; isWhole: boolean; files: string[] }>();
  for (const { name } of await entriesOf(folder)) {
    const hash = ARTIFACT.exec(name)?.[1];
    const facts = hash === undefined ? undefined : await factsOf(join(folder, name));
    if (hash === undefined || facts === undefined) continue;
    const item = found.get(hash) ?? { sizeBytes: 0, usedMs: 0, isWhole: false, files: [] };
    found.set(hash, item);
    item.sizeBytes += facts.size;
    item.usedMs = Math.max(item.usedMs, facts.mtimeMs);
    if (name.endsWith('.onnx')) item.isWhole = true;
    item.files.push(join(folder, name));
  }
  const items: StoredItem[] = [];
  for (const [name, { sizeBytes, usedMs, isWhole, files }] of found) {
    if (isWhole) items.push({ name, sizeBytes, usedMs });
    else leftovers.push(...files);
  }
  return items;
}

async function listCache(
  folder: string,
  kind: CacheKind,
  leftovers: string[],
): Promise<readonly StoredItem[]> {
  const { own, leftover } = NAMES[kind];
  const items: StoredItem[] = [];
  for (const { name } of await entriesOf(folder)) {
    if (leftover.test(name)) leftovers.push(join(folder, name));
    if (!own.test(name)) continue;
    const { sizeBytes, usedMs } = await treeOf(join(folder, name));
    if (usedMs > 0) items.push({ name, sizeBytes, usedMs });
  }
  return items;
}

async function listRuns(folder: string, leftovers: string[]) {
  const runFiles: StoredItem[] = [];
  let recordBytes = 0;
  for (const { name } of (await entriesOf(folder)).filter((entry) => entry.isDirectory())) {
    if (!isRunId(name)) continue;
    let [sizeBytes, usedMs] = [0, 0];
    for (const file of await entriesOf(join(folder, name))) {
      const path = join(folder, name, file.name);
      const facts = await factsOf(path);
      if (RUN_LEFTOVER.test(file.name)) leftovers.push(path);
      else if (file.name === RUN_RECORD) recordBytes += facts?.size ?? 0;
      else if (facts !== undefined) {
        sizeBytes += facts.size;
        usedMs = Math.max(usedMs, facts.mtimeMs);
      }
    }
    if (usedMs > 0) runFiles.push({ name, sizeBytes, usedMs });
  }
  return { runFiles, recordBytes };
}

/** Removes a part of a cache, as a whole. Whoever reads a file just now reads it to its end. */
export async function removeFromCache(
  dataDir: string,
  temporaryFolder: string,
  kind: CacheKind,
  name: string,
): Promise<void> {
  // The name becomes a path: anything else than one that was listed is a defect of the caller.
  if (!NAMES[kind].own.test(name)) throw new TypeError(`not a part of ${kind}: ${name}`);
  await removeLeftover(join(dataDir, kind, name), temporaryFolder);
}

/** Removes what a run left, but for its record. */
export async function removeRunFiles(dataDir: string, id: string): Promise<void> {
  if (!isRunId(id)) throw new TypeError(`not a run id: ${id}`);
  const folder = join(dataDir, 'runs', id);
  for (const { name } of await entriesOf(folder)) {
    if (name !== RUN_RECORD) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Removes what `listStoredFiles` called a leftover, by way of the temporary folder, as it may be a folder. */
export async function removeLeftover(path: string, temporaryFolder: string): Promise<void> {
  const away = join(temporaryFolder, ulid());
  try {
    await rename(path, away);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  await rm(away, { recursive: true, force: true });
}

/** A file, or a folder with all that is in it; nothing where there is neither. */
async function treeOf(path: string): Promise<{ readonly sizeBytes: number; readonly usedMs: number }> {
  const facts = await factsOf(path);
  if (facts === undefined) return { sizeBytes: 0, usedMs: 0 };
  if (!facts.isDirectory()) return { sizeBytes: facts.size, usedMs: facts.mtimeMs };
  let [sizeBytes, usedMs] = [0, facts.mtimeMs];
  for (const { name } of await entriesOf(path)) {
    const part = await treeOf(join(path, name));
    sizeBytes += part.sizeBytes;
    usedMs = Math.max(usedMs, part.usedMs);
  }
  return { sizeBytes, usedMs };
}

async function factsOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
