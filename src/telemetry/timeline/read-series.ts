import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { columnName, isCounter, matchesColumn } from './column-names.ts';
import { decode, overlaps, readSegment, type TimeRange } from './read-timeline.ts';
import { decodeDigest } from './segment-digest.ts';
import { axisOf, type SeriesAxis, type SeriesColumn, SeriesGatherer } from './series.ts';
import type { Leaf } from './snapshot-leaves.ts';
import { earlier, later } from './ticks.ts';
import {
  FileWindow,
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

export type SeriesProblem = TimelineReadProblem | Problem<'unknown-column' | 'too-many-columns'>;

/** What a view can hold, and a browser draw. */
const MOST_COLUMNS = 1_000;

/** Points at least so long are made of digests of segments, whose middle decides to which point they count. */
const DIGESTED_STEP_NS = 60_000_000_000n;

/**
 * Columns of numbers at a resolution: least, mean, most and last of every point. Where points are a minute or longer, only digests are read
 * and points are exact to a minute at their ends; otherwise all samples of the range are. Points in which nothing was sampled are null.
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

function axisOver(segments: readonly SegmentRef[], { fromNs, toNs, points }: SeriesRequest): SeriesAxis {
  const firstNs = segments
    .map(({ startNs }) => startNs)
    .reduce<bigint | undefined>((a, b) => (a === undefined ? b : earlier(a, b)), undefined);
  const lastNs = segments
    .map(({ endNs }) => endNs)
    .reduce<bigint | undefined>((a, b) => (a === undefined ? b : later(a, b)), undefined);
  const start = fromNs ?? firstNs ?? 0n;
  return axisOf(start, toNs ?? lastNs ?? start, points);
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
  if (digest !== undefined && isInside && gathered.axis.stepNs >= DIGESTED_STEP_NS) {
    const payload = await readPayload(file, source, digest);
    gathered.addDigest(decode(file, digest, () => decodeDigest(payload)));
    return;
  }
  for await (const { ref, decoder, block } of readSegment(file, source, segment, range, gathered.isWanted)) {
    decode(file, ref, () => {
      const cursors = new Map<number, number>();
      const next = (column: number) => {
        const occurrence = cursors.get(column) ?? 0;
        cursors.set(column, occurrence + 1);
        return decoder.value(block, column, occurrence);
      };
      for (const shape of block.rows) {
        const wanted = decoder.shape(shape).flatMap((id) => {
          const leaf = decoder.columns[id];
          return leaf !== undefined && gathered.isWanted(leaf) ? [{ leaf, value: next(id) }] : [];
        });
        gathered.addRow(wanted);
      }
    });
  }
}

/** Sorts what is read into columns. */
class ColumnsGatherer {
  readonly axis: SeriesAxis;
  readonly #request: SeriesRequest;
  readonly #columns = new Map<string, SeriesGatherer>();
  /** Of leaves that were met. Each segment has leaves of its own, so those of segments that are done with are let go. */
  readonly #names = new WeakMap<Leaf['path'], string>();
  /** Every name that was met, and whether it is wanted. */
  readonly #isNameWanted = new Map<string, boolean>();
  #offsetMs: number | undefined;

  constructor(request: SeriesRequest, axis: SeriesAxis) {
    this.#request = request;
    this.axis = axis;
  }

  readonly isWanted = ({ path, kind }: Leaf): boolean =>
    path[1] === 'tickNs' || path[1] === 'wallMs' || (kind === 'number' && this.#nameOf(path) !== undefined);

  addRow(values: readonly { readonly leaf: Leaf; readonly value: unknown }[]): void {
    let tickNs: bigint | undefined;
    for (const { leaf, value } of values) {
      if (leaf.path[1] === 'tickNs' && typeof value === 'bigint') tickNs = value;
    }
    if (tickNs === undefined) return;
    for (const { leaf, value } of values) {
      if (typeof value !== 'number') continue;
      if (leaf.path[1] === 'wallMs') this.#noteWall(tickNs, value);
      const name = this.#nameOf(leaf.path);
      if (name !== undefined) this.#columnOf(name).add(tickNs, value);
    }
  }

  addDigest(entries: ReturnType<typeof decodeDigest>): void {
    const ticks = new Map(
      entries.flatMap(({ path, ticks: ofSource }) =>
        ofSource === undefined ? [] : [[path[0], ofSource] as const],
      ),
    );
    for (const { path, numbers } of entries) {
      const ofSource = ticks.get(path[0]);
      if (numbers === undefined || ofSource === undefined) continue;
      if (path[1] === 'wallMs') this.#noteWall(ofSource.firstNs, numbers.first);
      const name = this.#nameOf(path);
      if (name !== undefined) this.#columnOf(name).addDigest(ofSource.firstNs, ofSource.lastNs, numbers);
    }
  }

  finish(phases: TimelineIndex['phases']): TimelineSeries {
    const { startNs, stepNs, points } = this.axis;
    const names = [...this.#isNameWanted.keys()];
    const unmatched = this.#request.columns?.find(
      (pattern) => !names.some((name) => matchesColumn(pattern, name)),
    );
    if (unmatched !== undefined && names.length > 0) throw unknownColumn(unmatched, names);
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

  /** Undefined where it is not wanted. */
  #nameOf(path: Leaf['path']): string | undefined {
    let name = this.#names.get(path);
    if (name === undefined) {
      name = columnName(path);
      this.#names.set(path, name);
    }
    let isWanted = this.#isNameWanted.get(name);
    if (isWanted === undefined) {
      const { columns } = this.#request;
      isWanted = columns === undefined || columns.some((pattern) => matchesColumn(pattern, name));
      this.#isNameWanted.set(name, isWanted);
    }
    return isWanted ? name : undefined;
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

function unknownColumn(pattern: string, names: readonly string[]): ProblemError<'unknown-column'> {
  const beginnings = [...new Set(names.map((name) => name.split('.', 1)[0]))];
  return new ProblemError(
    problem('unknown-column', `the timeline has no column '${pattern}'`, {
      hint: `its columns begin with ${beginnings.sort().join(', ')}; without a choice all of them are shown`,
    }),
  );
}

function tooManyColumns(): ProblemError<'too-many-columns'> {
  return new ProblemError(
    problem('too-many-columns', `these are more than ${MOST_COLUMNS} columns`, {
      hint: 'choose some, such as cpu, memory, disks.*.writtenBytes or processes.*.rssBytes',
    }),
  );
}
