/**
 * What brings the database from version N (its index) to N + 1. A step that has shipped is never changed;
 * a new one is added at the end.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE runs (
     id TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     model TEXT NOT NULL,
     state TEXT NOT NULL,
     request TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     started_ms INTEGER,
     finished_ms INTEGER,
     result TEXT,
     problem TEXT
   ) STRICT;
   CREATE INDEX runs_by_model ON runs (model, id);
   CREATE INDEX runs_by_state ON runs (state, id);
   CREATE TABLE artifacts (
     hash TEXT PRIMARY KEY,
     model TEXT NOT NULL,
     variant TEXT NOT NULL,
     recipe TEXT NOT NULL,
     report TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     size_bytes INTEGER NOT NULL
   ) STRICT;`,
  // Orders by the keys that their senders gave them, so that one sent again is not carried out again.
  `CREATE TABLE order_keys (
     key TEXT PRIMARY KEY,
     digest TEXT NOT NULL,
     run_id TEXT NOT NULL,
     created_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX order_keys_by_age ON order_keys (created_ms);`,
  // What decides whose turn it is, and what becomes of a run that ends before it is done. A rank is the time of the order and, for each level
  // below the highest, half a day (see queue-rank.ts).
  `ALTER TABLE runs ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal';
   ALTER TABLE runs ADD COLUMN rank_ms INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE runs ADD COLUMN deadline_ms INTEGER;
   ALTER TABLE runs ADD COLUMN resumes INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE runs ADD COLUMN not_before_ms INTEGER;
   ALTER TABLE runs ADD COLUMN earlier_problem TEXT;
   UPDATE runs SET rank_ms = created_ms + 43200000;
   CREATE INDEX runs_by_rank ON runs (state, rank_ms, id);`,
  // What is watched from run to run outlives the runs. Those that ended before are looked at once, at the next start.
  `ALTER TABLE runs ADD COLUMN watched INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX runs_unwatched ON runs (finished_ms) WHERE watched = 0 AND state = 'succeeded';
   CREATE TABLE watch_series (
     id INTEGER PRIMARY KEY,
     kind TEXT NOT NULL,
     model TEXT NOT NULL,
     variant TEXT NOT NULL,
     suite TEXT NOT NULL,
     measurement TEXT NOT NULL,
     device TEXT NOT NULL,
     host TEXT NOT NULL,
     state TEXT NOT NULL,
     since_ms INTEGER NOT NULL,
     updated_ms INTEGER NOT NULL,
     memory TEXT NOT NULL,
     UNIQUE (model, kind, variant, suite, measurement, device, host)
   ) STRICT;
   CREATE TABLE watch_points (
     series INTEGER NOT NULL REFERENCES watch_series (id) ON DELETE CASCADE,
     run TEXT NOT NULL,
     finished_ms INTEGER NOT NULL,
     figure REAL,
     valid INTEGER NOT NULL,
     facts TEXT NOT NULL,
     PRIMARY KEY (series, run)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE watch_events (
     id INTEGER PRIMARY KEY,
     series INTEGER NOT NULL REFERENCES watch_series (id) ON DELETE CASCADE,
     at_ms INTEGER NOT NULL,
     kind TEXT NOT NULL,
     from_state TEXT NOT NULL,
     to_state TEXT NOT NULL,
     run TEXT,
     detail TEXT NOT NULL
   ) STRICT;
   CREATE INDEX watch_events_by_series ON watch_events (series, id);`,
];
