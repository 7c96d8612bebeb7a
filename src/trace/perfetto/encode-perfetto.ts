import { toJson } from '../../core/json.ts';
import type { Trace, TracePlane } from '../trace.ts';
import { kindJson, plainStats } from './kind-json.ts';
import { lineJson } from './line-json.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * A trace as trace-event JSON, which Perfetto and Chrome open: lines are threads, what takes time is a slice, meters and
 * memory are counter tracks, and an arrow leads from a launch to its kernel. In pieces that belong to the caller, one event a
 * line of text; memory does not grow with the number of events.
 *
 * Source: "Trace Event Format", the document of Chromium's tracing team.
 */
export function* encodePerfetto(trace: Trace): Generator<Uint8Array> {
  const { hostname, startWallMs, warnings, planes } = trace;
  const about = {
    hostname,
    startedAt: new Date(startWallMs).toISOString(),
    warnings,
    planes: Object.fromEntries(planes.map(({ name, stats }) => [name, plainStats(stats)])),
  };
  yield Buffer.from(`{"displayTimeUnit":"ns","otherData":${toJson(about)},"traceEvents":[\n`);
  for (const [place, plane] of planes.entries()) yield* encodePlane(plane, place + 1);
  // After every event is a comma, so one has to come that needs none.
  yield Buffer.from(`${metadata('trace_name', 0, 0, { name: hostname })}\n]}\n`);
}

function* encodePlane(plane: TracePlane, pid: number): Generator<Uint8Array> {
  yield Buffer.from(
    `${metadata('process_name', pid, 0, { name: plane.name })},\n${metadata('process_sort_index', pid, 0, { sort_index: pid })},\n`,
  );
  const kinds = plane.kinds.map(kindJson);
  let threads = 0;
  const newTid = () => ++threads;
  for (const line of plane.lines) {
    const writer = lineJson(line, { plane, kinds, pid, newTid });
    const cursor = { next: 0 };
    const chunkBytes = Math.max(CHUNK_BYTES, writer.maxEventBytes);
    while (cursor.next < line.events.count) {
      const bytes = Buffer.allocUnsafeSlow(chunkBytes);
      yield bytes.subarray(0, writer.fill(bytes, cursor));
    }
    yield Buffer.from(writer.tids.map((tid, track) => threadJson(pid, tid, line.name, track)).join(''));
  }
}

/** Names a thread. Ids are dealt out in the order of lines, and so are threads shown. */
function threadJson(pid: number, tid: number, name: string, track: number): string {
  const shown = track === 0 ? name : `${name} (${track + 1})`;
  return `${metadata('thread_name', pid, tid, { name: shown })},\n${metadata('thread_sort_index', pid, tid, { sort_index: tid })},\n`;
}

function metadata(name: string, pid: number, tid: number, args: Readonly<Record<string, unknown>>): string {
  return toJson({ ph: 'M', name, pid, tid, args });
}
