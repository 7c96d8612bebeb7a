import type { TracePlane } from '../trace.ts';
import type { CounterColumns } from '../trace-input.ts';
import { type CounterTrack, counterTracks } from './counter-tracks.ts';
import { KindTable } from './kind-table.ts';
import { LineBuilder } from './line-builder.ts';

/** TensorFlow's tools take every event of a line of this name for a sample: its name is the track, its one stat the value. */
const LINE = '_counters_';

/**
 * What the host did, as tracks; undefined where nothing is known of the time. A value that stays is written once, and once
 * more at the end of the trace, as viewers draw nothing of a single sample.
 */
export function counterPlane(
  counters: CounterColumns,
  startNs: bigint,
  endNs: bigint,
): TracePlane | undefined {
  const table = new KindTable();
  const line = new LineBuilder(LINE, [{ name: 'value', type: 'double' }]);
  const shown = worthShowing(counterTracks(counters.columns), counters.points);
  const tracks = shown.map(({ name, valueAt }) => ({
    kind: table.add({ name }),
    valueAt,
    before: undefined as number | undefined,
    writtenNs: Number.NaN,
  }));
  const lastNs = Number(endNs - startNs);
  for (let point = 0; point < counters.points; point++) {
    const atNs = Number(counters.startNs + BigInt(point) * counters.stepNs - startNs);
    if (atNs < 0 || atNs > lastNs) continue;
    for (const track of tracks) {
      const value = track.valueAt(point);
      if (value === undefined || value === track.before) continue;
      track.before = value;
      track.writtenNs = atNs;
      line.push(track.kind, atNs, 0);
      line.set(0, value);
    }
  }
  if (line.count === 0) return undefined;
  for (const { kind, before, writtenNs } of tracks) {
    if (before === undefined || writtenNs === lastNs) continue;
    line.push(kind, lastNs, 0);
    line.set(0, before);
  }
  return { name: '/device:CUSTOM:telemetry', stats: {}, kinds: table.kinds, lines: [line.finish(1)] };
}

/** Those that are ever something else than zero, and of each collector at least one, which says that it was read. */
function worthShowing(tracks: readonly CounterTrack[], points: number): readonly CounterTrack[] {
  const moved = tracks.filter(({ valueAt }) => {
    for (let point = 0; point < points; point++) if ((valueAt(point) ?? 0) !== 0) return true;
    return false;
  });
  const shown = new Set(moved);
  const collectors = new Set(moved.map(({ collector }) => collector));
  for (const track of tracks) {
    if (collectors.has(track.collector)) continue;
    collectors.add(track.collector);
    shown.add(track);
  }
  return tracks.filter((track) => shown.has(track));
}
