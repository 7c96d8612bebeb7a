import { mkdirSync, rmSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from 'libsql';
import { ulid } from 'ulid';
import type { Clock } from '../core/clock.ts';
import { toJson } from '../core/json.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Row } from './database.ts';

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
  readonly sizeBytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly createdMs: number;
}

export interface Artifacts {
  /** A path for a file in the making, on the disk of the artifacts. What a crash leaves there goes at the next start. */
  temporaryFile(): string;
  /** The folder of such files. */
  readonly temporaryFolder: string;
  /**
   * Moves a finished file to its place: after this returns, the artifact survives a crash; before, nothing of
   * it is seen. Where the artifact is there already, that one is kept and the new file is removed.
   */
  publishArtifact(
    file: string,
    description: ArtifactDescription,
  ): Promise<Result<Artifact, Problem<'artifact-not-published'>>>;
  /** The artifact, if its file is there in its full size. */
  findArtifact(hash: string): Artifact | undefined;
}

export function createArtifacts(db: Database, dataDir: string, clock: Clock): Artifacts {
  const folder = join(dataDir, 'artifacts');
  const temporaryFolder = join(dataDir, 'tmp');
  rmSync(temporaryFolder, { recursive: true, force: true });
  mkdirSync(temporaryFolder);

  const pathOf = (hash: string): string => {
    // The hash becomes a path: anything else than a hash here is a defect of the caller.
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new TypeError(`not an artifact hash: ${hash}`);
    return join(folder, `${hash}.onnx`);
  };
  const select = db.prepare('SELECT * FROM artifacts WHERE hash = @hash');
  const replace = db.prepare(
    `INSERT OR REPLACE INTO artifacts (hash, model, variant, recipe, report, created_ms, size_bytes)
     VALUES (@hash, @model, @variant, @recipe, @report, @createdMs, @sizeBytes)`,
  );

  const findArtifact = (hash: string): Artifact | undefined => {
    const path = pathOf(hash);
    const row = select.get({ hash }) as Row | undefined;
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    return row === undefined || row['size_bytes'] !== size ? undefined : toArtifact(row, path);
  };

  return {
    temporaryFolder,
    temporaryFile: () => join(temporaryFolder, `${ulid()}.onnx`),
    findArtifact,
    publishArtifact: async (file, description) => {
      const path = pathOf(description.hash);
      const existing = findArtifact(description.hash);
      try {
        if (existing !== undefined) {
          await rm(file);
          return ok(existing);
        }
        const sizeBytes = await syncFile(file);
        await rename(file, path);
        // A rename is durable only once its folder is.
        await syncFile(folder);
        const { hash, model, variant, recipe, report } = description;
        const columns = { hash, model, variant, recipe: toJson(recipe), report: toJson(report) };
        const createdMs = clock.wallMs();
        replace.run({ ...columns, createdMs, sizeBytes });
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
      }
    },
  };
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
