import type { StatColumn, TraceLine, TracePlane } from '../trace.ts';
import { MAX_NUMBER_BYTES, putBytes, putMicroseconds, putNumber } from './json-bytes.ts';
import { counterJson, isShown, type KindJson } from './kind-json.ts';
import { NestingTracks } from './nesting-tracks.ts';

/** A line of this name holds readings of meters (xplane_schema.cc of openxla/xla). */
const COUNTERS_LINE = '_counters_';
/** A kernel and what launched it have the same. */
const CORRELATION = 'correlation_id';
/** What an allocator holds after an event. */
const IN_USE = 'bytes_allocated';

/** Punctuation, names of fields and numbers of a slice and of its arrow. */
const MAX_FRAME_BYTES = 512;

/** Where writing the events of a line has come to. */
export interface LineCursor {
  /** The next event. */
  next: number;
}

/** Writes the events of a line as lines of text. */
export interface LineJson {
  /** What one event may take: `fill` needs that much. */
  readonly maxEventBytes: number;
  /** Puts whole events from `cursor` on into `bytes` as long as there is room, moves the cursor and returns the bytes used. */
  fill(bytes: Buffer, cursor: LineCursor): number;
  /** The threads that its slices were dealt out to so far, the line's own first. None where there were only readings. */
  readonly tids: readonly number[];
}

export interface LineSettings {
  readonly plane: TracePlane;
  /** By place in the plane. */
  readonly kinds: readonly KindJson[];
  readonly pid: number;
  /** The id of one more thread, which no other of the process has. */
  newTid(): number;
}

export function lineJson(line: TraceLine, { plane, kinds, pid, newTid }: LineSettings): LineJson {
  const { count, kinds: kindOf, startsNs, durationsNs, stats } = line.events;
  const columns = stats.filter(({ name }) => isShown(name)).map(columnJson);
  const readings = line.name === COUNTERS_LINE ? plane.kinds.map(({ name }) => counterJson(name)) : undefined;
  const inUse = columns.filter(({ name }) => name === IN_USE);
  const correlations = stats.find(({ name }) => name === CORRELATION)?.values;
  const arrow = arrowJson(pid, plane.name.startsWith('/device:'));
  const slice = Buffer.from(`{"ph":"X","pid":${pid},"tid":`);
  const counter = Buffer.from(`{"ph":"C","pid":${pid},"ts":`);
  const tracks = new NestingTracks();
  const tids: number[] = [];
  const maxEventBytes =
    MAX_FRAME_BYTES +
    columns.reduce((sum, { label }) => sum + label.byteLength + MAX_NUMBER_BYTES, 0) +
    [...kinds.map((kind) => kind.slice), ...(readings ?? [])].reduce(
      (most, { byteLength }) => Math.max(most, byteLength),
      0,
    );

  const putCounter = (
    bytes: Buffer,
    start: number,
    track: Uint8Array,
    values: readonly Column[],
    event: number,
  ): number => {
    const value = values.find((column) => Number.isFinite(column.values[event]))?.values[event];
    // A reading without a value is none.
    if (value === undefined) return start;
    const beginNs = Math.round(startsNs[event] ?? 0);
    const at = putMicroseconds(bytes, putBytes(bytes, start, counter), beginNs);
    return putBytes(bytes, putNumber(bytes, putBytes(bytes, at, track), value), END);
  };

  const putSlice = (bytes: Buffer, start: number, kind: KindJson, event: number): number => {
    const startNs = startsNs[event] ?? 0;
    // Ends are rounded like beginnings, so that a slice stays inside the one around it.
    const beginNs = Math.round(startNs);
    const endNs = Math.round(startNs + (durationsNs[event] ?? 0));
    const track = tracks.place(beginNs, endNs);
    tids[track] ??= newTid();
    const tid = tids[track] ?? 0;
    let at = putNumber(bytes, putBytes(bytes, start, slice), tid);
    at = putMicroseconds(bytes, putBytes(bytes, at, TS), beginNs);
    at = putMicroseconds(bytes, putBytes(bytes, at, DUR), endNs - beginNs);
    at = putBytes(bytes, at, kind.slice);
    at = putColumns(bytes, at, columns, event, kind.hasArguments);
    at = putBytes(bytes, at, END);
    const correlation = correlations?.[event] ?? Number.NaN;
    if (Number.isNaN(correlation)) return at;
    at = putNumber(bytes, putBytes(bytes, at, arrow), tid);
    at = putMicroseconds(bytes, putBytes(bytes, at, TS), beginNs);
    at = putNumber(bytes, putBytes(bytes, at, ID), correlation);
    return putBytes(bytes, at, ARROW_END);
  };

  const fill = (bytes: Buffer, cursor: LineCursor): number => {
    const last = bytes.byteLength - maxEventBytes;
    let at = 0;
    let event = cursor.next;
    for (; event < count && at <= last; event++) {
      const place = kindOf[event] ?? 0;
      const kind = kinds[place] as KindJson;
      const reading = readings?.[place];
      if (reading !== undefined) at = putCounter(bytes, at, reading, columns, event);
      else if (kind.memory !== undefined) at = putCounter(bytes, at, kind.memory, inUse, event);
      else at = putSlice(bytes, at, kind, event);
    }
    cursor.next = event;
    return at;
  };
  return { maxEventBytes, fill, tids };
}

const TS = Buffer.from(',"ts":');
const DUR = Buffer.from(',"dur":');
const ID = Buffer.from(',"id":');
const END = Buffer.from('}},\n');
const ARROW_END = Buffer.from('},\n');
const COMMA = Buffer.from(',');

/** An arrow begins at a launch, and ends at the kernel that lies around its time (`bp`). */
function arrowJson(pid: number, isDevice: boolean): Uint8Array {
  const phase = isDevice ? '"f","bp":"e"' : '"s"';
  return Buffer.from(`{"ph":${phase},"cat":"launch","name":"launch","pid":${pid},"tid":`);
}

interface Column {
  readonly name: string;
  readonly label: Uint8Array;
  readonly values: Float64Array;
}

function columnJson({ name, values }: StatColumn): Column {
  return { name, label: Buffer.from(`${JSON.stringify(name)}:`), values };
}

/** Puts the arguments that an event has; JSON has none that are not finite. */
function putColumns(
  bytes: Buffer,
  start: number,
  columns: readonly Column[],
  event: number,
  hasArguments: boolean,
): number {
  let at = start;
  let needsComma = hasArguments;
  for (const { label, values } of columns) {
    const value = values[event] as number;
    if (!Number.isFinite(value)) continue;
    if (needsComma) at = putBytes(bytes, at, COMMA);
    at = putNumber(bytes, putBytes(bytes, at, label), value);
    needsComma = true;
  }
  return at;
}
