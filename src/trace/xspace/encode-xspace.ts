import type { Trace, TraceLine, TracePlane } from '../trace.ts';
import { intField, messageField, prefixOf, sizeOf, textField } from './fields.ts';
import { type LineWriter, lineWriter } from './line-events.ts';
import { type PlaneTables, planeTables, statMetadataField, uint64StatParts } from './plane-tables.ts';

/** Numbers of fields (xplane.proto of openxla/xla). */
const SPACE = { planes: 1, warnings: 3, hostnames: 4 } as const;
const PLANE = { id: 1, name: 2, lines: 3, stats: 6 } as const;
const LINE = { id: 1, name: 2 } as const;

const CHUNK_BYTES = 1024 * 1024;

/**
 * Viewers show GPUs under the ids from 1 on, what is neither host nor GPU from 501 on, and the host as 701; by these ids they
 * order them (trace_viewer's constants in openxla/xprof). Meters are many, so they get ids behind the host's lines.
 */
const FIRST_ID_AFTER_HOST = 201;

/**
 * A trace as TensorFlow's profiler keeps it: XSpace of xplane.proto, in pieces of a megabyte that belong to the caller.
 * Memory does not grow with the number of events: lengths stand before what they measure, so events are written twice, the
 * first time only to count.
 *
 * Times of lines are left at 0 and those of events counted from the start of the trace: the converters make picoseconds of
 * them in 64 bits, in which nanoseconds since 1970 have no room. When it started stands in a plane for that.
 */
export function* encodeXSpace(trace: Trace): Generator<Uint8Array> {
  const scratch = new Uint8Array(CHUNK_BYTES);
  for (const [place, plane] of trace.planes.entries()) yield* encodePlane(plane, place, scratch);
  yield Buffer.concat([
    taskEnvironment(trace),
    ...trace.warnings.map((warning) => textField(SPACE.warnings, warning)),
    // The viewers take a trace with two hosts for one of many machines.
    textField(SPACE.hostnames, trace.hostname),
  ]);
}

interface MeasuredLine {
  readonly beginning: Uint8Array;
  readonly writer: LineWriter;
  readonly count: number;
  readonly sizeBytes: number;
}

function* encodePlane(plane: TracePlane, place: number, scratch: Uint8Array): Generator<Uint8Array> {
  const tables = planeTables(plane);
  const lines = plane.lines.map((line) => measureLine(line, tables, scratch));
  const id = plane.name.startsWith('/device:CUSTOM:') ? FIRST_ID_AFTER_HOST + place : place;
  const beginning = [intField(PLANE.id, id), textField(PLANE.name, plane.name), ...tables.fields];
  const linesBytes = lines.reduce(
    (sum, { sizeBytes }) => sum + prefixOf(PLANE.lines, sizeBytes).byteLength + sizeBytes,
    0,
  );
  yield Buffer.concat([prefixOf(SPACE.planes, sizeOf(beginning) + linesBytes), ...beginning]);
  for (const line of lines) {
    yield Buffer.concat([prefixOf(PLANE.lines, line.sizeBytes), line.beginning]);
    const cursor = { next: 0 };
    while (cursor.next < line.count) {
      const bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      yield bytes.subarray(0, line.writer.fill(bytes, cursor));
    }
  }
}

function measureLine(line: TraceLine, tables: PlaneTables, scratch: Uint8Array): MeasuredLine {
  const beginning = Buffer.concat([intField(LINE.id, line.id), textField(LINE.name, line.name)]);
  const writer = lineWriter(line.events, tables);
  const { count } = line.events;
  const cursor = { next: 0 };
  let sizeBytes = beginning.byteLength;
  while (cursor.next < count) sizeBytes += writer.fill(scratch, cursor);
  return { beginning, writer, count, sizeBytes };
}

/** The one place for the time of day, in nanoseconds since 1970. */
function taskEnvironment({ startWallMs, durationNs, planes }: Trace): Uint8Array {
  const startNs = BigInt(Math.round(startWallMs * 1e3)) * 1000n;
  const times = [
    { name: 'profile_start_time', timeNs: startNs },
    { name: 'profile_stop_time', timeNs: startNs + BigInt(Math.ceil(durationNs)) },
  ];
  return messageField(SPACE.planes, [
    intField(PLANE.id, planes.length),
    textField(PLANE.name, 'Task Environment'),
    ...times.map(({ name }, place) => statMetadataField(place + 1, name)),
    ...times.map(({ timeNs }, place) => messageField(PLANE.stats, uint64StatParts(place + 1, timeNs))),
  ]);
}
