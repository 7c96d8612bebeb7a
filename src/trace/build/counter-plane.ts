import type { TracePlane } from '../trace.ts';
import type { CounterColumns } from '../trace-input.ts';
import { counterTracks } from './counter-tracks.ts';
import { KindTable } from './kind-table.ts';
import { LineBuilder } from './line-builder.ts';

/** TensorFlow's tools take every event of a line of this name for a sample: its name is the track, its one stat the value. */
const LINE = '_counters_';

/** What the host did, as tracks; undefined where nothing is known of the time. A value that stays is written once. */
export function counterPlane(
  counters: CounterColumns,
  startNs: bigint,
  endNs: bigint,
): TracePlane | undefined {
  const table = new KindTable();
  const line = new LineBuilder(LINE, [{ name: 'value', type: 'double' }]);
  const tracks = counterTracks(counters.columns).map(({ name, valueAt }) => ({
    kind: table.add({ name }),
    valueAt,
    before: undefined as number | undefined,
  }));
  const lastNs = Number(endNs - startNs);
  for (let point = 0; point < counters.points; point++) {
    const atNs = Number(counters.startNs + BigInt(point) * counters.stepNs - startNs);
    if (atNs < 0 || atNs > lastNs) continue;
    for (const track of tracks) {
      const value = track.valueAt(point);
      if (value === undefined || value === track.before) continue;
      track.before = value;
      line.push(track.kind, atNs, 0);
      line.set(0, value);
    }
  }
  if (line.count === 0) return undefined;
  return { name: '/device:CUSTOM:telemetry', stats: {}, kinds: table.kinds, lines: [line.finish(1)] };
}
