import { MAX_VARINT_BYTES, putBigVarint, putVarint, varintSizeBytes } from '../../core/varint.ts';
import type { EventColumns } from '../trace.ts';
import type { PlaneTables } from './plane-tables.ts';

/** Tags of fields: the number of the field, and its type in the last three bits. */
const LINE_EVENT = (4 << 3) | 2;
const EVENT_OFFSET_PS = 2 << 3;
const EVENT_DURATION_PS = 3 << 3;
const EVENT_STAT = (4 << 3) | 2;
const STAT_NAME = 1 << 3;
const STAT_INT = 4 << 3;
const STAT_DOUBLE = (2 << 3) | 1;

/** Whole picoseconds are exact in a float64 for two and a half hours. */
const EXACT_NS = Number.MAX_SAFE_INTEGER / 1000;

/** A stat with its tag, length, name and value. */
const MAX_STAT_BYTES = 4 + 2 * MAX_VARINT_BYTES;
/** Tag, length, offset and duration of an event, and what is left free where a length grows by a byte. */
const MAX_EVENT_FRAME_BYTES = 16 + 2 * MAX_VARINT_BYTES;

/** Where writing the events of a line has come to. */
export interface LineCursor {
  /** The next event. */
  next: number;
}

/** Writes the events of a line, as fields of XLine. */
export interface LineWriter {
  /** Puts whole events from `cursor` on into `bytes` as long as there is room, moves the cursor and returns the bytes used. */
  fill(bytes: Uint8Array, cursor: LineCursor): number;
}

export function lineWriter(events: EventColumns, tables: PlaneTables): LineWriter {
  const { count, kinds, startsNs, durationsNs } = events;
  const { eventBeginnings } = tables;
  const columns: readonly Column[] = events.stats.map(({ name, type, values }) => ({
    id: tables.statId(name),
    isInt: type === 'int',
    values,
  }));
  const longest = eventBeginnings.reduce((most, { byteLength }) => Math.max(most, byteLength), 0);
  const maxEventBytes = MAX_EVENT_FRAME_BYTES + longest + columns.length * MAX_STAT_BYTES;

  const fill = (bytes: Uint8Array, cursor: LineCursor): number => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const last = bytes.byteLength - maxEventBytes;
    let at = 0;
    let event = cursor.next;
    for (; event < count && at <= last; event++) {
      bytes[at] = LINE_EVENT;
      const start = at + 2;
      at = start;
      const beginning = eventBeginnings[kinds[event] ?? 0] as Uint8Array;
      // A few bytes are copied sooner than `set` is called.
      for (let index = 0; index < beginning.length; index++) bytes[at++] = beginning[index] as number;
      at = putTimes(bytes, at, startsNs[event] ?? 0, durationsNs[event] ?? 0);
      for (const column of columns) at = putStat(bytes, view, at, column, event);
      at = putLength(bytes, start, at);
    }
    cursor.next = event;
    return at;
  };
  return { fill };
}

interface Column {
  readonly id: number;
  readonly isInt: boolean;
  readonly values: Float64Array;
}

/** Puts a stat where the event has it, and returns the place behind it. */
function putStat(bytes: Uint8Array, view: DataView, at: number, column: Column, event: number): number {
  const value = column.values[event] as number;
  if (Number.isNaN(value)) return at;
  bytes[at] = EVENT_STAT;
  const start = at + 2;
  bytes[start] = STAT_NAME;
  let next = putVarint(bytes, start + 1, column.id);
  if (column.isInt) {
    bytes[next] = STAT_INT;
    next = putVarint(bytes, next + 1, value);
  } else {
    bytes[next] = STAT_DOUBLE;
    view.setFloat64(next + 1, value, true);
    next += 9;
  }
  bytes[start - 1] = next - start;
  return next;
}

/** Offset and duration in picoseconds. Ends are rounded like beginnings, so that an event stays inside the one around it. */
function putTimes(bytes: Uint8Array, at: number, startNs: number, durationNs: number): number {
  const endNs = startNs + durationNs;
  bytes[at] = EVENT_OFFSET_PS;
  if (endNs < EXACT_NS) {
    const startPs = Math.round(startNs * 1000);
    const next = putVarint(bytes, at + 1, startPs);
    bytes[next] = EVENT_DURATION_PS;
    return putVarint(bytes, next + 1, Math.round(endNs * 1000) - startPs);
  }
  const startPs = exactPs(startNs);
  const next = putBigVarint(bytes, at + 1, startPs);
  bytes[next] = EVENT_DURATION_PS;
  return putBigVarint(bytes, next + 1, exactPs(endNs) - startPs);
}

function exactPs(ns: number): bigint {
  const whole = Math.floor(ns);
  return BigInt(whole) * 1000n + BigInt(Math.round((ns - whole) * 1000));
}

/** Puts the length of what lies between `start` and `end` before it, where one byte is free, and returns the end. */
function putLength(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const extra = varintSizeBytes(length) - 1;
  if (extra > 0) bytes.copyWithin(start + extra, start, end);
  putVarint(bytes, start - 1, length);
  return end + extra;
}
