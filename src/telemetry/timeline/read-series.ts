import { attemptAsync, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { ColumnChoice, type ColumnProblem } from './column-choice.ts';
import { isCounter } from './column-names.ts';
import { FileWindow } from './file-window.ts';
import { type Row, readRows } from './read-rows.ts';
import { decode, overlaps, type TimeRange } from './read-timeline.ts';
import { DIGEST_INTERVAL_NS, decodeDigest } from './segment-digest.ts';
import { axisOf, axisOfSteps, type SeriesAxis, type SeriesColumn, SeriesGatherer } from './series.ts';
import type { Leaf } from './snapshot-leaves.ts';
import { earlier, later } from './ticks.ts';
import {
  indexTimeline,
  readPayload,
  type SegmentRef,
  type TimelineIndex,
  withTimeline,
} from './timeline-index.ts';
import type { TimelineReadProblem } from './timeline-problems.ts';

export interface SeriesRequest extends TimeRange {
  /** At most so many points, over the range or the whole timeline. */
  readonly points: number;
  /** Points of this length instead, however many they are. */
  readonly stepNs?: bigint;
  /** Patterns of names (see `matchesColumn`); every column of numbers when absent. */
  readonly columns?: readonly string[];
  /** Counters as growth per second; otherwise as the numbers they are. */
  readonly rates: boolean;
}

/** Columns of a timeline over time, ready to be plotted. */
export interface TimelineSeries {
  /** Where the first point begins, on the monotonic clock. */
  readonly startNs: bigint;
  readonly stepNs: bigint;
  /** The same moment, in milliseconds since the Unix epoch. Absent where nothing was sampled. */
  readonly startWallMs?: number;
  readonly points: number;
  /** By name. */
  readonly columns: readonly SeriesColumn[];
  readonly phases: TimelineIndex['phases'];
}

export type SeriesProblem = TimelineReadProblem | ColumnProblem;

/** What a view can hold, and a browser draw. */
const MOST_COLUMNS = 1_000;

/**
 * Columns of numbers at a resolution: least, mean, most and last of every point. Where points are a minute or longer, digests of minutes are
 * read, whose middle decides to which point they count, so that the ends of points are exact to a minute; otherwise all samples of the range are. Points in which nothing was sampled are null.
 * Memory is bounded by points and columns.
 */
export function readSeries(
  file: string,
  request: SeriesRequest,
): Promise<Result<TimelineSeries, SeriesProblem>> {
  return attemptAsync<TimelineSeries, SeriesProblem['kind']>(() =>
    withTimeline(file, async (handle) => {
      const index = await indexTimeline(file, handle);
      const segments = index.segments.filter((segment) => overlaps(segment, request));
      const gathered = new ColumnsGatherer(request, axisOver(segments, request));
      const source = new FileWindow(file, handle);
      for (const segment of segments) await readOne(file, source, segment, request, gathered);
      return gathered.finish(index.phases);
    }),
  );
}

function axisOver(
  segments: readonly SegmentRef[],
  { fromNs, toNs, points, stepNs }: SeriesRequest,
): SeriesAxis {
  const firstNs = segments
    .map(({ startNs }) => startNs)
    .reduce<bigint | undefined>((a, b) => (a === undefined ? b : earlier(a, b)), undefined);
  const lastNs = segments
    .map(({ endNs }) => endNs)
    .reduce<bigint | undefined>((a, b) => (a === undefined ? b : later(a, b)), undefined);
  const start = fromNs ?? firstNs ?? 0n;
  const end = toNs ?? lastNs ?? start;
  return stepNs === undefined ? axisOf(start, end, points) : axisOfSteps(start, end, stepNs);
}

async function readOne(
  file: string,
  source: FileWindow,
  segment: SegmentRef,
  range: TimeRange,
  gathered: ColumnsGatherer,
): Promise<void> {
  const { digest } = segment;
  const isInside =
    (range.fromNs === undefined || segment.startNs >= range.fromNs) &&
    (range.toNs === undefined || segment.endNs <= range.toNs);
  if (digest !== undefined && isInside && gathered.axis.stepNs >= DIGEST_INTERVAL_NS) {
    const payload = await readPayload(file, source, digest);
    gathered.addDigest(decode(file, digest, () => decodeDigest(payload, gathered.isPathWanted)));
    return;
  }
  for await (const rows of readRows(file, source, segment, range, gathered.isWanted)) {
    for (const row of rows) gathered.addRow(row);
  }
}

/** Sorts what is read into columns. */
class ColumnsGatherer {
  readonly axis: SeriesAxis;
  readonly #request: SeriesRequest;
  readonly #columns = new Map<string, SeriesGatherer>();
  readonly #choice: ColumnChoice;
  #offsetMs: number | undefined;

  constructor(request: SeriesRequest, axis: SeriesAxis) {
    this.#request = request;
    this.#choice = new ColumnChoice(request.columns);
    this.axis = axis;
  }

  readonly isWanted = (leaf: Leaf): boolean => this.#choice.isWanted(leaf);

  readonly isPathWanted = (path: Leaf['path']): boolean =>
    path[1] === 'wallMs' || this.#choice.wantedName(path) !== undefined;

  addRow({ tickNs, wallMs, values }: Row): void {
    if (wallMs !== undefined) this.#noteWall(tickNs, wallMs);
    for (const { leaf, value } of values) {
      const name = this.#choice.wantedName(leaf.path);
      if (name !== undefined) this.#columnOf(name).add(tickNs, value);
    }
  }

  addDigest(entries: ReturnType<typeof decodeDigest>): void {
    const ticks = new Map(
      entries.flatMap(({ path, ticks: ofSource }) =>
        ofSource === undefined ? [] : [[path[0], ofSource] as const],
      ),
    );
    for (const { kind, path, numbers } of entries) {
      const name = path[1] === 'wallMs' ? undefined : this.#choice.wantedName(path);
      for (const [interval, figures] of (numbers ?? []).entries()) {
        const times = ticks.get(path[0])?.[interval];
        if (figures === undefined || times === undefined) continue;
        // A clock is kept as how far it is ahead of the ticks.
        if (kind === 'clock') this.#offsetMs ??= figures.first;
        if (name !== undefined) this.#columnOf(name).addDigest(times.firstNs, times.lastNs, figures);
      }
    }
  }

  finish(phases: TimelineIndex['phases']): TimelineSeries {
    const { startNs, stepNs, points } = this.axis;
    this.#choice.names();
    const named = [...this.#columns].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      startNs,
      stepNs,
      ...(this.#offsetMs === undefined
        ? {}
        : { startWallMs: Math.round(Number(startNs) / 1e6 + this.#offsetMs) }),
      points,
      columns: named.map(([, column]) => column.finish()),
      phases,
    };
  }

  #columnOf(name: string): SeriesGatherer {
    let column = this.#columns.get(name);
    if (column === undefined) {
      if (this.#columns.size === MOST_COLUMNS) throw tooManyColumns();
      column = new SeriesGatherer(name, this.axis, this.#request.rates && isCounter(name));
      this.#columns.set(name, column);
    }
    return column;
  }

  /** How far the wall clock is ahead of the monotonic one; later corrections of the clock move no point. */
  #noteWall(tickNs: bigint, wallMs: number): void {
    this.#offsetMs ??= wallMs - Number(tickNs) / 1e6;
  }
}

function tooManyColumns(): ProblemError<'too-many-columns'> {
  return new ProblemError(
    problem('too-many-columns', `these are more than ${MOST_COLUMNS} columns`, {
      hint: 'choose some, such as cpu, memory, disks.*.writtenBytes or processes.*.rssBytes',
    }),
  );
}
