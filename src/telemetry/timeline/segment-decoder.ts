import type { Snapshot } from '../snapshot.ts';
import { decodeBigints, millisecondsOf } from './bigint-column.ts';
import { ByteReader, MalformedBytesError } from './byte-reader.ts';
import { inflate } from './inflate.ts';
import { decodeNumbers, type NumberState, newNumberState } from './number-column.ts';
import { parsePath } from './segment-digest.ts';
import { LEAF_KINDS, type Leaf, type LeafKind } from './snapshot-leaves.ts';
import { buildSnapshot, planSnapshot, type SnapshotPlan } from './snapshot-plan.ts';

interface Column extends Leaf {
  readonly isWanted: boolean;
  readonly state: NumberState;
  /** The last value of earlier blocks: that of all rows of a block which holds none. */
  carried: number | undefined;
  carriedTick: bigint | undefined;
}

/** What one block holds. Good until the next one is read. */
export interface DecodedBlock {
  /** The shape of each snapshot. */
  readonly rows: readonly number[];
  /** By column, the values of the snapshots that have it, in their order; none of columns that stayed as they were. */
  readonly values: ReadonlyMap<number, readonly (number | bigint)[]>;
}

/** Reads the blocks of one segment, in order. Throws `MalformedBytesError` where the bytes are not a segment's. */
export class SegmentDecoder {
  readonly #isWanted: (leaf: Leaf) => boolean;
  readonly #texts: string[] = [];
  readonly #columns: Column[] = [];
  readonly #shapes: (readonly number[])[] = [];
  readonly #plans: (SnapshotPlan | undefined)[] = [];

  /** @param isWanted  columns that are not are passed over, and snapshots come without them */
  constructor(isWanted: (leaf: Leaf) => boolean = () => true) {
    this.#isWanted = isWanted;
  }

  get columns(): readonly Leaf[] {
    return this.#columns;
  }

  shape(id: number): readonly number[] {
    return this.#shapes[id] ?? [];
  }

  /** A value of a block, of a clock how far it is ahead of its snapshot's tick: `occurrence` counts the snapshots of the block that have this column. */
  value(block: DecodedBlock, column: number, occurrence: number): string | number | bigint {
    const { kind, carried } = this.#columns[column] as Column;
    const value = block.values.get(column)?.[occurrence] ?? carried;
    if (value === undefined) throw new MalformedBytesError('a value before the first is missing');
    return kind === 'text' ? this.#text(value) : value;
  }

  read(payload: Uint8Array): DecodedBlock {
    const reader = new ByteReader(payload);
    const names = new ByteReader(inflate(reader.raw(reader.varint())));
    readList(names, () => this.#texts.push(names.text()));
    readList(names, () => this.#addColumn(LEAF_KINDS[names.byte()], names.text()));
    readList(names, () => this.#shapes.push(this.#readShape(names)));
    const rows = readList(names, () => this.#known(names.varint(), this.#shapes));
    return { rows, values: this.#readValues(reader, this.#occurrences(rows)) };
  }

  *snapshots(block: DecodedBlock): Generator<Snapshot> {
    const cursors = new Array<number>(this.#columns.length).fill(0);
    let tickMs = 0;
    const next = (column: number) => {
      const occurrence = cursors[column] ?? 0;
      cursors[column] = occurrence + 1;
      const value = this.value(block, column, occurrence);
      const { kind, path } = this.#columns[column] as Column;
      if (typeof value === 'bigint' && isTick(path)) tickMs = millisecondsOf(value);
      return kind === 'clock' ? Number(value) + tickMs : value;
    };
    for (const shape of block.rows) {
      this.#plans[shape] ??= planSnapshot(
        this.shape(shape).flatMap((id) => {
          const column = this.#columns[id] as Column;
          return column.isWanted ? [{ id, path: column.path.slice(1), kind: column.kind }] : [];
        }),
      );
      const snapshot = buildSnapshot(this.#plans[shape], next);
      if (!isSnapshot(snapshot)) throw new MalformedBytesError('a snapshot lacks what every snapshot has');
      yield snapshot;
    }
  }

  #readValues(
    reader: ByteReader,
    occurrences: readonly number[],
  ): ReadonlyMap<number, readonly (number | bigint)[]> {
    const values = new Map<number, readonly (number | bigint)[]>();
    let id = -1;
    readList(reader, () => {
      id = this.#known(id + 1 + reader.varint(), this.#columns);
      const chunk = new ByteReader(reader.raw(reader.varint()));
      const column = this.#columns[id] as Column;
      const count = occurrences[id] ?? 0;
      if (!column.isWanted) return;
      if (count === 0) throw new MalformedBytesError('a column has more values than rows');
      if (column.kind === 'bigint') {
        const ticks = decodeBigints(chunk, count, column.carriedTick);
        column.carriedTick = ticks.at(-1);
        values.set(id, ticks);
      } else {
        const numbers = decodeNumbers(chunk, count, column.state);
        column.carried = numbers.at(-1);
        values.set(id, numbers);
      }
    });
    return values;
  }

  #occurrences(rows: readonly number[]): readonly number[] {
    const counts = new Array<number>(this.#columns.length).fill(0);
    for (const shape of rows) for (const id of this.shape(shape)) counts[id] = (counts[id] ?? 0) + 1;
    return counts;
  }

  #addColumn(kind: LeafKind | undefined, pathText: string): void {
    if (kind === undefined) throw new MalformedBytesError('a column is of an unknown kind');
    const leaf = { kind, path: parsePath(pathText) };
    this.#columns.push({
      ...leaf,
      isWanted: this.#isWanted(leaf),
      state: newNumberState(),
      carried: undefined,
      carriedTick: undefined,
    });
  }

  #readShape(reader: ByteReader): readonly number[] {
    return readList(reader, () => {
      const start = reader.varint();
      const length = reader.varint();
      if (length > 0) this.#known(start + length - 1, this.#columns);
      return Array.from({ length }, (_, index) => start + index);
    }).flat();
  }

  #known(id: number, list: readonly unknown[]): number {
    if (id < list.length) return id;
    throw new MalformedBytesError('it names something that was not told before');
  }

  #text(id: number | bigint): string {
    const text = this.#texts[Number(id)];
    if (text === undefined) throw new MalformedBytesError('it names a text that was not told before');
    return text;
  }
}

/** Of the snapshot itself, not of something in it. */
export function isTick(path: Leaf['path']): boolean {
  return path.length === 2 && path[1] === 'tickNs';
}

/** Whether it has what every snapshot has; the readings are those of the writer's version. */
function isSnapshot(value: unknown): value is Snapshot {
  const { tickNs, wallMs, source, health, sampler } = value as Partial<Snapshot>;
  return (
    typeof tickNs === 'bigint' &&
    typeof wallMs === 'number' &&
    typeof source === 'string' &&
    typeof health === 'object' &&
    typeof sampler === 'object'
  );
}

function readList<T>(reader: ByteReader, read: () => T): T[] {
  return Array.from({ length: reader.count() }, read);
}
