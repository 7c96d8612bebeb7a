import type { Database } from 'libsql';
import { toJson } from '../core/json.ts';
import type { Row } from './database.ts';
import { allOrNothing, writing } from './writing.ts';

/** What figures are compared along: only those with equal keys are comparable. */
export interface SeriesKey {
  readonly kind: 'latency' | 'accuracy';
  readonly model: string;
  readonly variant: string;
  /** Empty, as the next two, where accuracy is watched. */
  readonly suite: string;
  readonly measurement: string;
  readonly device: string;
  /** The processor, and GPUs where there are some. */
  readonly host: string;
}

/** A figure that is watched from run to run, and what is remembered of it. */
export interface WatchedSeries extends SeriesKey {
  readonly id: number;
  readonly state: string;
  /** When the state began, in milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  readonly updatedMs: number;
  /** Plain data that the store does not look into. */
  readonly memory: unknown;
}

/** The figure of one run. */
export interface WatchedPoint {
  readonly run: string;
  readonly finishedMs: number;
  readonly figure: number | null;
  readonly valid: boolean;
  /** What it depends on, as plain data. */
  readonly facts: unknown;
}

/** Something that happened to a series. */
export interface WatchEvent {
  readonly atMs: number;
  readonly kind: 'state' | 'baseline' | 'acknowledged' | 'confirmation' | 'layers';
  readonly fromState: string;
  readonly toState: string;
  /** Absent where no run is behind it. */
  readonly run?: string;
  /** Why, as plain data. */
  readonly detail: unknown;
}

/** What is to be remembered of a series, with what made it so. */
export interface SeriesChange {
  readonly key: SeriesKey;
  readonly state: string;
  readonly memory: unknown;
  readonly atMs: number;
  readonly point?: WatchedPoint;
  readonly events: readonly Omit<WatchEvent, 'atMs' | 'fromState' | 'toState'>[];
}

/**
 * What is watched from run to run. It outlives the runs themselves and is bounded by itself. Whatever writes throws a `ProblemError` of kind
 * `store-not-written` where the disk does not take it, and has changed nothing then.
 */
export interface Watched {
  watchedSeries(model?: string): readonly WatchedSeries[];
  findSeries(key: SeriesKey): WatchedSeries | undefined;
  /** The newest points of a series, the oldest of these first. */
  watchedPoints(series: number, limit?: number): readonly WatchedPoint[];
  /** What happened to the series of a model, the newest first. */
  watchEvents(model: string, limit: number): readonly (WatchEvent & { readonly series: number })[];
  /** Remembers all of it or nothing, and that this run was looked at where one is behind it. */
  keepWatched(changes: readonly SeriesChange[], run?: string): void;
  /** Runs that succeeded and were not looked at, in the order in which they ended. */
  unwatchedRuns(): readonly string[];
}

export interface WatchLimits {
  readonly pointsOfSeries: number;
  readonly eventsOfSeries: number;
  readonly series: number;
}

/** Room for more than a year of daily runs; about 200 MB where every series is full. */
const LIMITS: WatchLimits = { pointsOfSeries: 500, eventsOfSeries: 200, series: 1000 };

export function createWatched(db: Database, limits: WatchLimits = LIMITS): Watched {
  const all = db.prepare('SELECT * FROM watch_series ORDER BY id');
  const ofModel = db.prepare('SELECT * FROM watch_series WHERE model = @model ORDER BY id');
  const one = db.prepare(
    `SELECT * FROM watch_series WHERE model = @model AND kind = @kind AND variant = @variant AND suite = @suite
       AND measurement = @measurement AND device = @device AND host = @host`,
  );
  const points = db.prepare(
    'SELECT * FROM watch_points WHERE series = @series ORDER BY finished_ms DESC, run DESC LIMIT @limit',
  );
  const events = db.prepare(
    `SELECT watch_events.* FROM watch_events JOIN watch_series ON watch_series.id = series
     WHERE model = @model ORDER BY watch_events.id DESC LIMIT @limit`,
  );
  const put = db.prepare(
    `INSERT INTO watch_series (kind, model, variant, suite, measurement, device, host, state, since_ms, updated_ms, memory)
     VALUES (@kind, @model, @variant, @suite, @measurement, @device, @host, @state, @atMs, @atMs, @memory)
     ON CONFLICT (model, kind, variant, suite, measurement, device, host) DO UPDATE SET
       since_ms = CASE WHEN state = excluded.state THEN since_ms ELSE excluded.since_ms END,
       state = excluded.state, updated_ms = excluded.updated_ms, memory = excluded.memory`,
  );
  const putPoint = db.prepare(
    `INSERT OR REPLACE INTO watch_points (series, run, finished_ms, figure, valid, facts)
     VALUES (@series, @run, @finishedMs, @figure, @valid, @facts)`,
  );
  const putEvent = db.prepare(
    `INSERT INTO watch_events (series, at_ms, kind, from_state, to_state, run, detail)
     VALUES (@series, @atMs, @kind, @fromState, @toState, @run, @detail)`,
  );
  const cutPoints = db.prepare(
    `DELETE FROM watch_points WHERE series = @series AND run NOT IN
       (SELECT run FROM watch_points WHERE series = @series ORDER BY finished_ms DESC, run DESC LIMIT @most)`,
  );
  const cutEvents = db.prepare(
    `DELETE FROM watch_events WHERE series = @series AND id NOT IN
       (SELECT id FROM watch_events WHERE series = @series ORDER BY id DESC LIMIT @most)`,
  );
  const surplus = db.prepare(
    'SELECT id FROM watch_series ORDER BY updated_ms DESC, id DESC LIMIT -1 OFFSET @most',
  );
  const forget = [
    'DELETE FROM watch_points WHERE series = @id',
    'DELETE FROM watch_events WHERE series = @id',
    'DELETE FROM watch_series WHERE id = @id',
  ].map((statement) => db.prepare(statement));
  const looked = db.prepare('UPDATE runs SET watched = 1 WHERE id = @run');
  const unwatched = db.prepare(
    "SELECT id FROM runs WHERE watched = 0 AND state = 'succeeded' ORDER BY finished_ms, id",
  );

  const find = (key: SeriesKey): WatchedSeries | undefined => {
    const row = one.get(columnsOf(key)) as Row | undefined;
    return row === undefined ? undefined : toSeries(row);
  };
  const keep = ({ key, state, memory, atMs, point, events: happened }: SeriesChange): void => {
    const fromState = find(key)?.state ?? '';
    put.run({ ...columnsOf(key), state, atMs, memory: toJson(memory) });
    const series = (find(key) as WatchedSeries).id;
    if (point !== undefined) {
      const { facts, valid, ...columns } = point;
      putPoint.run({ series, ...columns, valid: valid ? 1 : 0, facts: toJson(facts) });
      cutPoints.run({ series, most: limits.pointsOfSeries });
    }
    for (const { kind, run = null, detail } of happened)
      putEvent.run({ series, atMs, kind, fromState, toState: state, run, detail: toJson(detail) });
    if (happened.length > 0) cutEvents.run({ series, most: limits.eventsOfSeries });
  };

  const forgetSurplus = (): void => {
    for (const { id } of surplus.all({ most: limits.series }) as Row[])
      for (const statement of forget) statement.run({ id });
  };

  return {
    watchedSeries: (model) =>
      ((model === undefined ? all.all({}) : ofModel.all({ model })) as Row[]).map(toSeries),
    findSeries: find,
    watchedPoints: (series, limit = limits.pointsOfSeries) =>
      (points.all({ series, limit }) as Row[]).map(toPoint).reverse(),
    watchEvents: (model, limit) =>
      (events.all({ model, limit }) as Row[]).map((row) => ({
        series: Number(row['series']),
        atMs: Number(row['at_ms']),
        kind: row['kind'] as WatchEvent['kind'],
        fromState: String(row['from_state']),
        toState: String(row['to_state']),
        ...(row['run'] === null ? {} : { run: String(row['run']) }),
        detail: JSON.parse(String(row['detail'])) as unknown,
      })),
    keepWatched: (changes, run) =>
      writing(() =>
        allOrNothing(db, () => {
          for (const change of changes) keep(change);
          if (run !== undefined) looked.run({ run });
          if (changes.length > 0) forgetSurplus();
        }),
      ),
    unwatchedRuns: () => (unwatched.all({}) as Row[]).map(({ id }) => String(id)),
  };
}

function columnsOf({ kind, model, variant, suite, measurement, device, host }: SeriesKey) {
  return { kind, model, variant, suite, measurement, device, host };
}

function toSeries(row: Row): WatchedSeries {
  const text = (name: string) => String(row[name]);
  return {
    id: Number(row['id']),
    kind: row['kind'] as SeriesKey['kind'],
    model: text('model'),
    variant: text('variant'),
    suite: text('suite'),
    measurement: text('measurement'),
    device: text('device'),
    host: text('host'),
    state: text('state'),
    sinceMs: Number(row['since_ms']),
    updatedMs: Number(row['updated_ms']),
    memory: JSON.parse(text('memory')) as unknown,
  };
}

function toPoint(row: Row): WatchedPoint {
  return {
    run: String(row['run']),
    finishedMs: Number(row['finished_ms']),
    figure: row['figure'] === null ? null : Number(row['figure']),
    valid: row['valid'] === 1,
    facts: JSON.parse(String(row['facts'])) as unknown,
  };
}
