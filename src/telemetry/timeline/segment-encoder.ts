import { deflateRawSync } from 'node:zlib';
import type { Snapshot } from '../snapshot.ts';
import { encodeBigints, millisecondsOf } from './bigint-column.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeNumbers, type NumberState, newNumberState } from './number-column.ts';
import { encodeDigest, LeafDigest } from './segment-digest.ts';
import {
  LEAF_KINDS,
  type LeafKind,
  PathNode as Node,
  type PathNode,
  visitLeaves,
} from './snapshot-leaves.ts';

/** One leaf of the snapshots of a segment: its values in the present block, and the last before it. */
interface Column {
  readonly kind: LeafKind;
  readonly node: PathNode;
  readonly numbers: number[];
  readonly bigints: bigint[];
  carried: number | undefined;
  carriedTick: bigint | undefined;
  readonly state: NumberState;
  readonly digest: LeafDigest;
}

/**
 * Turns snapshots into the payloads of blocks. A segment is a chain of blocks that can be read without the ones before its first:
 * names, texts and last values are told once and hold for the rest of the chain, so that a block of a few seconds costs
 * little more than its share of a long one.
 *
 * A payload holds, each list led by its length: texts, columns (kind, path as JSON) and shapes that are new, and the shape of each
 * snapshot, which is the list of its columns in order, all of this deflated; then the columns' values, without those that stayed as they
 * were.
 */
export class SegmentEncoder {
  readonly #root = new Node();
  readonly #columns: Column[] = [];
  readonly #texts = new Map<string, number>();
  readonly #shapes = new Map<string, number>();
  readonly #newTexts: string[] = [];
  readonly #newColumns: Column[] = [];
  readonly #newShapes: (readonly number[])[] = [];
  #rowShapes: number[] = [];
  /** Of each source the shape of its last snapshot, which is nearly always that of the next. */
  readonly #lastShapes = new Map<string, { readonly id: number; readonly columns: readonly number[] }>();

  /** Snapshots that no block holds yet. */
  get pending(): number {
    return this.#rowShapes.length;
  }

  add(snapshot: Snapshot): void {
    const source = sourceOf(snapshot);
    const ids: number[] = [];
    const root = this.#root.property(source);
    const [tickNode, wallNode] = [root.property('tickNs'), root.property('wallMs')];
    let tickMs: number | undefined;
    visitLeaves(root, snapshot, (node, leafKind, leafValue) => {
      if (node === tickNode && typeof leafValue === 'bigint') tickMs = millisecondsOf(leafValue);
      // The wall clock goes on as the ticks do, so what is told of it is how far it is ahead.
      const ahead = node === wallNode && tickMs !== undefined ? aheadOf(leafValue, tickMs) : undefined;
      const [kind, value] = ahead === undefined ? [leafKind, leafValue] : (['clock', ahead] as const);
      const id = this.#columnId(node, kind);
      ids.push(id);
      const column = this.#columns[id] as Column;
      if (typeof value === 'number') column.numbers.push(value);
      else if (typeof value === 'bigint') column.bigints.push(value);
      else if (typeof value === 'string') column.numbers.push(this.#textId(value));
    });
    this.#rowShapes.push(this.#shapeId(source, ids));
  }

  /**
   * The payload of a block with the snapshots that are pending.
   * @param interval  to which interval of the segment's digest they count
   */
  takeBlock(interval: number): Uint8Array {
    const names = new ByteWriter();
    writeList(names, this.#newTexts, (text) => names.text(text));
    writeList(names, this.#newColumns, ({ kind, node }) => {
      names.byte(LEAF_KINDS.indexOf(kind));
      names.text(JSON.stringify(node.path()));
    });
    writeList(names, this.#newShapes, (shape) => writeShape(names, shape));
    writeList(names, this.#rowShapes, (shape) => names.varint(shape));
    const out = new ByteWriter();
    const deflated = deflateRawSync(names.bytes());
    out.varint(deflated.length);
    out.raw(deflated);
    this.#writeColumns(out, interval);
    this.#newTexts.length = 0;
    this.#newColumns.length = 0;
    this.#newShapes.length = 0;
    this.#rowShapes = [];
    return out.bytes();
  }

  /** What the blocks that were taken hold, by column: the payload of the segment's digest. */
  digest(): Uint8Array {
    return encodeDigest(this.#columns.map(({ kind, node, digest }) => ({ kind, path: node.path(), digest })));
  }

  #writeColumns(out: ByteWriter, interval: number): void {
    const chunk = new ByteWriter();
    const body = new ByteWriter();
    let count = 0;
    let previousId = -1;
    for (const [id, column] of this.#columns.entries()) {
      column.digest.addAll(interval, column.numbers, column.bigints);
      if (isUnchanged(column)) {
        column.numbers.length = 0;
        continue;
      }
      chunk.clear();
      if (column.kind === 'bigint') {
        encodeBigints(chunk, column.bigints, column.carriedTick);
        column.carriedTick = column.bigints.at(-1);
        column.bigints.length = 0;
      } else {
        encodeNumbers(chunk, column.numbers, column.state);
        column.carried = column.numbers.at(-1);
        column.numbers.length = 0;
      }
      body.varint(id - previousId - 1);
      body.varint(chunk.length);
      body.raw(chunk.bytes());
      previousId = id;
      count += 1;
    }
    out.varint(count);
    out.raw(body.bytes());
  }

  #columnId(node: PathNode, kind: LeafKind): number {
    const known = node.leafIds.get(kind);
    if (known !== undefined) return known;
    const id = this.#columns.length;
    node.leafIds.set(kind, id);
    const column: Column = {
      kind,
      node,
      numbers: [],
      bigints: [],
      carried: undefined,
      carriedTick: undefined,
      state: newNumberState(),
      digest: new LeafDigest(),
    };
    this.#columns.push(column);
    this.#newColumns.push(column);
    return id;
  }

  #textId(text: string): number {
    let id = this.#texts.get(text);
    if (id === undefined) {
      id = this.#texts.size;
      this.#texts.set(text, id);
      this.#newTexts.push(text);
    }
    return id;
  }

  #shapeId(source: string, columns: readonly number[]): number {
    const last = this.#lastShapes.get(source);
    if (last !== undefined && areEqual(last.columns, columns)) return last.id;
    const key = columns.join(',');
    let id = this.#shapes.get(key);
    if (id === undefined) {
      id = this.#shapes.size;
      this.#shapes.set(key, id);
      this.#newShapes.push(columns);
    }
    this.#lastShapes.set(source, { id, columns });
    return id;
  }
}

/** Undefined where the value is no number, or would not come out again to the last bit. */
function aheadOf(value: unknown, tickMs: number): number | undefined {
  if (typeof value !== 'number') return undefined;
  const ahead = value - tickMs;
  return Object.is(ahead + tickMs, value) ? ahead : undefined;
}

/** Sources have columns of their own: their ticks and costs are not each other's. */
function sourceOf(snapshot: Snapshot): string {
  return 'source' in snapshot && typeof snapshot.source === 'string' ? snapshot.source : '';
}

/** No values in this block, or all the one that the reader knows. */
function isUnchanged({ kind, numbers, bigints, carried }: Column): boolean {
  if (kind === 'bigint') return bigints.length === 0;
  return numbers.every((value) => Object.is(value, carried));
}

/** Columns are numbered as they come, so a shape is a few runs of successive numbers. */
function writeShape(out: ByteWriter, columns: readonly number[]): void {
  const runs: { readonly start: number; length: number }[] = [];
  for (const id of columns) {
    const last = runs.at(-1);
    if (last !== undefined && last.start + last.length === id) last.length += 1;
    else runs.push({ start: id, length: 1 });
  }
  writeList(out, runs, ({ start, length }) => {
    out.varint(start);
    out.varint(length);
  });
}

function writeList<T>(out: ByteWriter, items: readonly T[], write: (item: T) => void): void {
  out.varint(items.length);
  for (const item of items) write(item);
}

function areEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
