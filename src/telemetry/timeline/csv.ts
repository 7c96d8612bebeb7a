import { attemptAsync } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { ColumnChoice } from './column-choice.ts';
import { columnName } from './column-names.ts';
import { FileWindow } from './file-window.ts';
import { readRows } from './read-rows.ts';
import type { SeriesProblem, TimelineSeries } from './read-series.ts';
import { isWithin, overlaps, readSegment, type TimeRange } from './read-timeline.ts';
import { indexTimeline, type TimelineIndex, withTimeline } from './timeline-index.ts';

/** Takes a piece of text and resolves when there is room for more. */
export type WriteText = (text: string) => Promise<void>;

/**
 * Writes a line for each snapshot of a range (RFC 4180): `time` (ISO 8601), `seconds` since the timeline's first snapshot, `source`, then a
 * column for every number that some snapshot has, by name. A cell is empty where the snapshot has no such number, as each source has its own.
 */
export function writeSnapshotCsv(
  file: string,
  { range, columns }: { readonly range: TimeRange; readonly columns?: readonly string[] },
  write: WriteText,
): Promise<Result<TimelineIndex, SeriesProblem>> {
  return attemptAsync<TimelineIndex, SeriesProblem['kind']>(() =>
    withTimeline(file, async (handle) => {
      const index = await indexTimeline(file, handle);
      const source = new FileWindow(file, handle);
      const choice = new ColumnChoice(columns);
      const segments = index.segments.filter((segment) => overlaps(segment, range));
      // Columns come and go; a table has to know all of them before its first line.
      for (const segment of segments) {
        for await (const { decoder } of readSegment(file, source, segment, range, () => false)) {
          for (const leaf of decoder.columns) choice.meet(leaf);
        }
      }
      const names = choice.names();
      const places = new Map(names.map((name, place) => [name, place]));
      const startNs = index.segments[0]?.startNs ?? 0n;
      await write(lineOf(['time', 'seconds', 'source', ...names]));
      for (const segment of segments) {
        for await (const rows of readRows(file, source, segment, range, (leaf) => choice.isWanted(leaf))) {
          const lines = rows
            .filter(({ tickNs, values }) => isWithin(tickNs, range) && values.length > 0)
            .map(({ tickNs, wallMs, source: from, values }) => {
              const cells = new Array<string>(names.length).fill('');
              for (const { leaf, value } of values)
                cells[places.get(columnName(leaf.path)) ?? 0] = String(value);
              return lineOf([isoTime(wallMs), String(Number(tickNs - startNs) / 1e9), from, ...cells]);
            });
          await write(lines.join(''));
        }
      }
      return index;
    }),
  );
}

/** Lines of points of equal length; of each column the mean, which of a counter is growth per second where rates were asked for. */
export function seriesCsv(series: TimelineSeries, timelineStartNs: bigint): string {
  const { startNs, stepNs, startWallMs, columns } = series;
  const header = [
    'time',
    'seconds',
    ...columns.map(({ name, isRate }) => (isRate ? `${name} per second` : name)),
  ];
  const lines = Array.from({ length: series.points }, (_, index) => {
    const atNs = startNs + BigInt(index) * stepNs;
    const wallMs = startWallMs === undefined ? undefined : startWallMs + Number(atNs - startNs) / 1e6;
    const cells = columns.map(({ mean }) => String(mean[index] ?? ''));
    return lineOf([isoTime(wallMs), String(Number(atNs - timelineStartNs) / 1e9), ...cells]);
  });
  return [lineOf(header), ...lines].join('');
}

function isoTime(wallMs: number | undefined): string {
  if (wallMs === undefined || !(Math.abs(wallMs) <= 8.64e15)) return '';
  return new Date(wallMs).toISOString();
}

function lineOf(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`;
}
