import { renameSync, statSync, utimesSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Database } from 'libsql';
import { ulid } from 'ulid';
import type { Clock } from '../core/clock.ts';
import { toJson } from '../core/json.ts';
import { attempt, type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Row } from './database.ts';
import { recordOf } from './records.ts';
import { writing } from './writing.ts';

/** What is known of an artifact before it has a file. */
export interface ArtifactDescription {
  /** See `artifactHash`. */
  readonly hash: string;
  /** The name of the profile. */
  readonly model: string;
  readonly variant: string;
  readonly recipe: unknown;
  /** What quantizing told: counts, warnings, the audit. */
  readonly report: unknown;
}

/** A variant's file. It is named by what made it and never changes. */
export interface Artifact extends ArtifactDescription {
  readonly path: string;
  /** With its external data, which lies in `<path>.data`. */
  readonly sizeBytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly createdMs: number;
}

export interface Artifacts {
  /** A path for the file of an artifact in the making, on the disk of the artifacts. What a crash leaves there goes at the next start. */
  temporaryFile(hash: string): string;
  /**
   * Moves a finished file and its external data to their place: after this returns, the artifact survives a crash; before, nothing of
   * it is seen. Where the artifact is there already, that one is kept and the new file is removed.
   * @param file `temporaryFile` of the same hash, as the model names its external data
   */
  publishArtifact(
    file: string,
    description: ArtifactDescription,
  ): Promise<Result<Artifact, Problem<'artifact-not-published'>>>;
  /** The artifact, if its files are there in their full size. */
  findArtifact(hash: string): Artifact | undefined;
  /** Keeps an artifact from being removed until the function that comes back is called, which also notes that it was used. */
  holdArtifact(hash: string): () => void;
  /**
   * Removes an artifact that nobody holds. At no moment is a part of it found, and a crash leaves nothing that is not removed at
   * the next start. Whether it was removed.
   */
  removeArtifact(hash: string): Promise<boolean>;
}

/** The files of an artifact, the one that makes it an artifact last. */
const ARTIFACT_SUFFIXES = ['.json', '.onnx.data', '.onnx'] as const;

export function createArtifacts(
  db: Database,
  folder: string,
  temporaryFolder: string,
  clock: Pick<Clock, 'wallMs'>,
): Artifacts {
  const pathOf = (hash: string): string => {
    // The hash becomes a path: anything else than a hash here is a defect of the caller.
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new TypeError(`not an artifact hash: ${hash}`);
    return join(folder, `${hash}.onnx`);
  };
  const select = db.prepare('SELECT * FROM artifacts WHERE hash = @hash');
  const forget = db.prepare('DELETE FROM artifacts WHERE hash = @hash');
  const replace = db.prepare(
    `INSERT OR REPLACE INTO artifacts (hash, model, variant, recipe, report, created_ms, size_bytes)
     VALUES (@hash, @model, @variant, @recipe, @report, @created_ms, @size_bytes)`,
  );
  const holders = new Map<string, number>();

  const findArtifact = (hash: string): Artifact | undefined => {
    const path = pathOf(hash);
    const row = select.get({ hash }) as Row | undefined;
    const size = sizeOf(path);
    if (row === undefined || size === undefined) return undefined;
    return row['size_bytes'] === size + (sizeOf(`${path}.data`) ?? 0) ? toArtifact(row, path) : undefined;
  };

  const holdArtifact = (hash: string): (() => void) => {
    const record = pathOf(hash).replace(/\.onnx$/, '.json');
    holders.set(hash, (holders.get(hash) ?? 0) + 1);
    return () => {
      const left = (holders.get(hash) ?? 1) - 1;
      if (left === 0) holders.delete(hash);
      else holders.set(hash, left);
      touch(record, clock.wallMs());
    };
  };

  return {
    temporaryFile: (hash) => join(temporaryFolder, basename(pathOf(hash))),
    findArtifact,
    holdArtifact,
    publishArtifact: async (file, description) => {
      const path = pathOf(description.hash);
      const existing = findArtifact(description.hash);
      const release = holdArtifact(description.hash);
      try {
        if (existing !== undefined) {
          for (const own of [file, `${file}.data`]) await rm(own, { force: true });
          return ok(existing);
        }
        const data = sizeOf(`${file}.data`);
        const sizeBytes = (await syncFile(file)) + (data === undefined ? 0 : await syncFile(`${file}.data`));
        const createdMs = clock.wallMs();
        const { hash, model, variant, recipe, report } = description;
        const columns = { hash, model, variant, recipe: toJson(recipe), report: toJson(report) };
        const row = { ...columns, created_ms: createdMs, size_bytes: sizeBytes };
        // What makes it an artifact comes last, so that no part of it is ever taken for the whole.
        await writeFile(`${file}.json`, recordOf('artifact', row));
        await rename(`${file}.json`, path.replace(/\.onnx$/, '.json'));
        if (data === undefined) await rm(`${path}.data`, { force: true });
        else await rename(`${file}.data`, `${path}.data`);
        await rename(file, path);
        // A rename is durable only once its folder is.
        await syncFile(folder);
        replace.run(row);
        return ok({ ...description, path, sizeBytes, createdMs });
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === undefined) throw error;
        return err(
          problem('artifact-not-published', `the artifact cannot be moved to its place (${code})`, {
            place: { file },
            hint: 'check that the file is there, on the disk of the data directory, and that the disk has space',
          }),
        );
      } finally {
        release();
      }
    },
    removeArtifact: async (hash) => {
      const path = pathOf(hash);
      if (holders.has(hash)) return false;
      // Nothing else runs between here and the last rename, so nobody can come to hold it meanwhile.
      const doomed: string[] = [];
      for (const suffix of ARTIFACT_SUFFIXES.toReversed()) {
        const file = join(dirname(path), `${hash}${suffix}`);
        if (sizeOf(file) === undefined) continue;
        const away = join(temporaryFolder, `${ulid()}${suffix}`);
        renameSync(file, away);
        doomed.push(away);
      }
      forgetIfPossible(() => forget.run({ hash }));
      for (const file of doomed) await rm(file, { force: true });
      return doomed.length > 0;
    },
  };
}

/** A full disk takes no change of the database either; what is known of a file that is gone does no harm meanwhile. */
function forgetIfPossible(forget: () => unknown): void {
  const forgotten = attempt(() => writing(forget));
  if (!forgotten.ok && forgotten.error.kind !== 'store-not-written') throw new ProblemError(forgotten.error);
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

/** Notes when something was used last; that it cannot be noted is no failure. */
function touch(file: string, wallMs: number): void {
  try {
    utimesSync(file, wallMs / 1e3, wallMs / 1e3);
  } catch {
    // It is gone, or the disk is read-only.
  }
}

/** Waits until the bytes of a file or the entries of a folder are on the disk; returns the size in bytes. */
async function syncFile(path: string): Promise<number> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

function toArtifact(row: Row, path: string): Artifact {
  return {
    hash: row['hash'] as string,
    model: row['model'] as string,
    variant: row['variant'] as string,
    recipe: JSON.parse(row['recipe'] as string) as unknown,
    report: JSON.parse(row['report'] as string) as unknown,
    path,
    sizeBytes: row['size_bytes'] as number,
    createdMs: row['created_ms'] as number,
  };
}
