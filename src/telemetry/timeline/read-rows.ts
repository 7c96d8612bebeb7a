import { millisecondsOf } from './bigint-column.ts';
import type { FileWindow } from './file-window.ts';
import { decode, type ReadBlock, readSegment, type TimeRange } from './read-timeline.ts';
import { isTick } from './segment-decoder.ts';
import type { Leaf } from './snapshot-leaves.ts';
import type { SegmentRef } from './timeline-index.ts';

/** The wanted values of one snapshot. */
export interface Row {
  readonly tickNs: bigint;
  readonly wallMs: number | undefined;
  readonly source: string;
  readonly values: readonly { readonly leaf: Leaf; readonly value: number }[];
}

/**
 * The wanted numbers of a segment's blocks, snapshot by snapshot, without putting snapshots together. A block that overlaps the range
 * is given whole. Throws `ProblemError`.
 */
export async function* readRows(
  file: string,
  source: FileWindow,
  segment: SegmentRef,
  range: TimeRange,
  isWanted: (leaf: Leaf) => boolean,
): AsyncGenerator<readonly Row[]> {
  const isRead = (leaf: Leaf) => isTime(leaf) || (leaf.kind === 'number' && isWanted(leaf));
  for await (const { ref, decoder, block } of readSegment(file, source, segment, range, isRead)) {
    yield decode(file, ref, () => rowsOf(decoder, block, isWanted));
  }
}

function isTime({ path }: Leaf): boolean {
  return path.length === 2 && (path[1] === 'tickNs' || path[1] === 'wallMs');
}

function rowsOf(
  decoder: ReadBlock['decoder'],
  block: ReadBlock['block'],
  isWanted: (leaf: Leaf) => boolean,
): readonly Row[] {
  const cursors = new Map<number, number>();
  const next = (column: number) => {
    const occurrence = cursors.get(column) ?? 0;
    cursors.set(column, occurrence + 1);
    return decoder.value(block, column, occurrence);
  };
  const wanted = new Map<
    number,
    readonly { readonly id: number; readonly leaf: Leaf; readonly isShown: boolean }[]
  >();
  return block.rows.flatMap((shape) => {
    let columns = wanted.get(shape);
    if (columns === undefined) {
      columns = decoder.shape(shape).flatMap((id) => {
        const leaf = decoder.columns[id];
        if (leaf === undefined) return [];
        const isShown = leaf.kind === 'number' && isWanted(leaf);
        return isShown || isTime(leaf) ? [{ id, leaf, isShown }] : [];
      });
      wanted.set(shape, columns);
    }
    return rowOf(columns, next);
  });
}

function rowOf(
  columns: readonly { readonly id: number; readonly leaf: Leaf; readonly isShown: boolean }[],
  next: (column: number) => string | number | bigint,
): readonly Row[] {
  let tickNs: bigint | undefined;
  let wallMs: number | undefined;
  let source = '';
  const values: { readonly leaf: Leaf; readonly value: number }[] = [];
  for (const { id, leaf, isShown } of columns) {
    const value = next(id);
    if (isTick(leaf.path) && typeof value === 'bigint') {
      tickNs = value;
      source = String(leaf.path[0]);
    } else if (isTime(leaf) && typeof value === 'number') {
      wallMs = leaf.kind === 'clock' && tickNs !== undefined ? value + millisecondsOf(tickNs) : value;
    }
    if (isShown && typeof value === 'number') values.push({ leaf, value });
  }
  return tickNs === undefined ? [] : [{ tickNs, wallMs, source, values }];
}
