import { toJson } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { readSeries, type SeriesRequest, type TimelineSeries } from '../telemetry/timeline/read-series.ts';
import { readTimelineIndex, type TimeRange } from '../telemetry/timeline/read-timeline.ts';
import type { TimelineIndex } from '../telemetry/timeline/timeline-index.ts';
import { unwrap } from './unwrap.ts';

/** A part of a timeline, in seconds since its first snapshot. */
export interface PartOfTimeline {
  readonly fromSeconds?: number;
  readonly toSeconds?: number;
}

/** What of a timeline is to be seen, and how finely. */
export interface SeriesQuery extends PartOfTimeline, Pick<SeriesRequest, 'points' | 'columns' | 'rates'> {
  /** Points of this length, however many they are. */
  readonly stepSeconds?: number;
}

/** Read columns of a timeline. A day is tens of megabytes, too much for the daemon's event loop. */
export interface SeriesTask extends SeriesQuery {
  readonly kind: 'series';
  readonly file: string;
}

/** Columns of a timeline as plain data for a plot: times are seconds since the timeline's first snapshot. */
export interface SeriesView {
  readonly run?: string;
  readonly model?: string;
  /** When the timeline began, ISO 8601. */
  readonly startedAt?: string;
  /** It was closed. Otherwise it is still being written, or its writer died. */
  readonly complete: boolean;
  readonly startSeconds: number;
  readonly stepSeconds: number;
  readonly points: number;
  readonly columns: TimelineSeries['columns'];
  readonly phases: readonly {
    readonly phase: string;
    readonly subject?: string;
    readonly startSeconds: number;
    readonly endSeconds: number;
  }[];
}

/** Runs in a worker process. JSON text already, as making it takes longer than sending it. Throws `ProblemError`. */
export async function readSeriesJson(task: SeriesTask): Promise<string> {
  return toJson(await readSeriesView(task.file, task));
}

/** Throws `ProblemError` where the file is no timeline, or has no such columns. */
export async function readSeriesView(file: string, query: SeriesQuery): Promise<SeriesView> {
  const index = unwrap(await readTimelineIndex(file));
  const { points, stepSeconds, columns, rates } = query;
  const request = {
    ...(stepSeconds === undefined ? {} : { stepNs: toNs(stepSeconds) }),
    points,
    rates,
    ...rangeOf(index, query),
    ...(columns === undefined ? {} : { columns }),
  };
  const series = unwrap(await readSeries(file, request));
  const secondsAt = (timeNs: bigint) => secondsSince(startOf(index), timeNs);
  const { startNs, startWallMs } = series;
  return {
    ...index.about,
    ...(startWallMs === undefined
      ? {}
      : { startedAt: new Date(startWallMs - 1000 * secondsAt(startNs)).toISOString() }),
    complete: index.complete,
    startSeconds: secondsAt(startNs),
    stepSeconds: Number(series.stepNs) / 1e9,
    points: series.points,
    columns: series.columns,
    phases: index.phases.map(({ phase, subject, startNs: from, endNs: to }) => ({
      phase,
      ...(subject === undefined ? {} : { subject }),
      startSeconds: secondsAt(from),
      endSeconds: secondsAt(to),
    })),
  };
}

/** The part on the monotonic clock. */
export function rangeOf(index: TimelineIndex, { fromSeconds, toSeconds }: PartOfTimeline): TimeRange {
  const at = (seconds: number) => startOf(index) + toNs(seconds);
  return {
    ...(fromSeconds === undefined ? {} : { fromNs: at(fromSeconds) }),
    ...(toSeconds === undefined ? {} : { toNs: at(toSeconds) }),
  };
}

export function toNs(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e9));
}

/** When the first snapshot was taken. */
export function startOf({ segments }: TimelineIndex): bigint {
  return segments[0]?.startNs ?? 0n;
}

export function secondsSince(startNs: bigint, timeNs: bigint): number {
  return Number(timeNs - startNs) / 1e9;
}

/** How long a timeline is, from its first snapshot to its last. */
export async function timelineSeconds(file: string): Promise<Result<number, Problem>> {
  const index = await readTimelineIndex(file);
  if (!index.ok) return index;
  const last = index.value.segments.at(-1);
  return ok(last === undefined ? 0 : secondsSince(startOf(index.value), last.endNs));
}
