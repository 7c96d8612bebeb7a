import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import type { RunState } from '../../src/core/run-terms.ts';
import { openSession } from '../../src/runtime/session.ts';
import { digestOf, type SeenRun } from './ledger.ts';

export interface StoredRun extends SeenRun {
  readonly model: string;
  readonly kind: string;
  /** Why a full run was ordered. */
  readonly reasons: readonly string[];
}

/** What a data folder holds. */
export interface FolderState {
  readonly runs: readonly StoredRun[];
  readonly wrong: readonly string[];
}

interface RunRow {
  readonly id: string;
  readonly model: string;
  readonly kind: string;
  readonly state: RunState;
  readonly request: string;
  readonly result: string | null;
}

/** Looks at the data folders of one torture again and again. */
export class FolderInspector {
  readonly #dataDir: string;
  /** Digests of files by the names of artifacts. */
  readonly #digests = new Map<string, string>();
  readonly #loaded = new Set<string>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  get artifactsLoaded(): number {
    return this.#loaded.size;
  }

  /** Reads a copy, so that the daemon that comes next is the first to see what the last one left. */
  async inspect(): Promise<FolderState> {
    const copy = mkdtempSync(join(tmpdir(), 'ptq-torture-db-'));
    try {
      for (const name of ['state.db', 'state.db-wal']) {
        const file = join(this.#dataDir, name);
        if (existsSync(file)) copyFileSync(file, join(copy, name));
      }
      if (!existsSync(join(copy, 'state.db'))) return { runs: [], wrong: [] };
      return await this.#read(join(copy, 'state.db'));
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }

  async #read(file: string): Promise<FolderState> {
    const db = new Database(file);
    try {
      const wrong: string[] = [];
      const [check] = db.pragma('integrity_check') as { readonly integrity_check: string }[];
      if (check?.integrity_check !== 'ok') wrong.push(`the database: ${check?.integrity_check}`);
      const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as {
        readonly name: string;
      }[];
      // The first start may have died before its first table.
      if (!tables.some(({ name }) => name === 'artifacts')) return { runs: [], wrong };
      const rows = db
        .prepare('SELECT id, model, kind, state, request, result FROM runs ORDER BY id')
        .all() as RunRow[];
      const artifacts = db.prepare('SELECT hash, size_bytes FROM artifacts').all() as {
        readonly hash: string;
        readonly size_bytes: number;
      }[];
      for (const { hash, size_bytes } of artifacts)
        wrong.push(...(await this.#checkArtifact(hash, size_bytes)));
      return { runs: rows.map(seenRun), wrong };
    } finally {
      db.close();
    }
  }

  async #checkArtifact(hash: string, sizeBytes: number): Promise<string[]> {
    const path = join(this.#dataDir, 'artifacts', `${hash}.onnx`);
    if (!existsSync(path)) return [`artifact ${hash} has a record and no file`];
    const bytes = readFileSync(path);
    if (bytes.length !== sizeBytes)
      return [`artifact ${hash} has ${bytes.length} bytes, its record says ${sizeBytes}`];
    const digest = createHash('sha256').update(bytes).digest('hex');
    const before = this.#digests.get(hash) ?? digest;
    this.#digests.set(hash, digest);
    const wrong = before === digest ? [] : [`artifact ${hash} has changed`];
    if (!this.#loaded.has(digest)) {
      this.#loaded.add(digest);
      const session = await openSession(path, { intraOpThreads: 1 });
      if (!session.ok) return [...wrong, `artifact ${hash} does not load: ${session.error.message}`];
      await session.value.close();
    }
    return wrong;
  }
}

const OF_THE_FOLDER: ReadonlySet<string> = new Set([
  'state.db',
  'state.db-wal',
  'state.db-shm',
  'lock.db',
  'daemon.pid',
  'token',
]);

const PLACES: Readonly<Record<string, RegExp>> = {
  artifacts: /^[0-9a-f]{64}\.(?:onnx|onnx\.data|json)$/,
  // Of the daemon that runs.
  tmp: /^[0-9A-HJKMNP-TV-Z]{26}$/,
  calibration: /^[0-9a-f]{64}\.json$/,
  outputs: /^[0-9a-f]{64}\.outputs$/,
  golden: /^[0-9a-f]{64}\.outputs$/,
  peaks: /^[0-9a-f]{64}\.json$/,
  traces: /^(?:plugins|perfetto)$/,
};

/** Names of what has no business in a data folder in which nothing is under way. */
export function leftovers(dataDir: string, runs: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const name of readdirSync(dataDir)) {
    const path = join(dataDir, name);
    if (!statSync(path).isDirectory()) {
      if (!OF_THE_FOLDER.has(name)) found.push(name);
      continue;
    }
    for (const entry of readdirSync(path)) {
      const place = PLACES[name];
      if (name === 'runs' ? !runs.has(entry) : place === undefined || !place.test(entry))
        found.push(`${name}/${entry}`);
      else if (name === 'runs') found.push(...hiddenIn(path, entry));
    }
  }
  return found;
}

function hiddenIn(runs: string, id: string): string[] {
  return readdirSync(join(runs, id))
    .filter((file) => file.startsWith('.'))
    .map((file) => `runs/${id}/${file}`);
}

function seenRun({ id, model, kind, state, request, result }: RunRow): StoredRun {
  const { durationSeconds, reasons = [] } = JSON.parse(request) as {
    readonly durationSeconds?: number;
    readonly reasons?: readonly string[];
  };
  return {
    id,
    model,
    kind,
    state,
    reasons,
    ...(result === null ? {} : { resultDigest: digestOf(JSON.parse(result)) }),
    ...(durationSeconds === undefined ? {} : { tag: String(durationSeconds) }),
  };
}
