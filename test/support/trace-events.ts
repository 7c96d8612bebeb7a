import { parseProfile } from '../../src/runtime/profile/read-profile.ts';
import type { EventKind, Trace, TraceLine, TracePlane } from '../../src/trace/trace.ts';
import type { PartEvents } from '../../src/trace/trace-input.ts';
import { type ProfileEvent, profileText } from './profile-events.ts';
import { unwrap } from './unwrap.ts';

export function partEvents(events: readonly ProfileEvent[]): PartEvents {
  return unwrap(parseProfile(Buffer.from(profileText(events))));
}

/** An event of a trace, to compare. */
export interface ReadEvent {
  readonly name: string;
  readonly startNs: number;
  readonly endNs: number;
  readonly kind: EventKind;
  readonly stats: Readonly<Record<string, number>>;
}

export function planeNamed(trace: Trace, name: string): TracePlane {
  const plane = trace.planes.find((candidate) => candidate.name === name);
  if (plane === undefined) throw new Error(`there is no plane ${name}`);
  return plane;
}

export function lineNamed(plane: TracePlane, name: string): TraceLine {
  const line = plane.lines.find((candidate) => candidate.name === name);
  if (line === undefined) throw new Error(`there is no line ${name} in ${plane.lines.map((l) => l.name)}`);
  return line;
}

export function eventsOf(plane: TracePlane, { events }: TraceLine): readonly ReadEvent[] {
  return Array.from({ length: events.count }, (_, row) => {
    const kind = plane.kinds[events.kinds[row] as number] as EventKind;
    const startNs = events.startsNs[row] as number;
    return {
      name: kind.name,
      startNs,
      endNs: startNs + (events.durationsNs[row] as number),
      kind,
      stats: Object.fromEntries(
        events.stats.flatMap(({ name, values }) => {
          const value = values[row] as number;
          return Number.isNaN(value) ? [] : [[name, value]];
        }),
      ),
    };
  });
}

/**
 * Events with how deep they lie in others, as tools see it. Throws where they are not in the order of their beginnings, or
 * reach out of what they lie in.
 */
export function nested(events: readonly ReadEvent[]): readonly (ReadEvent & { readonly depth: number })[] {
  const open: ReadEvent[] = [];
  let before: ReadEvent | undefined;
  return events.map((event) => {
    if (before !== undefined && event.startNs < before.startNs) throw new Error(`${event.name} is too late`);
    before = event;
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const isBehind =
        event.startNs >= top.endNs &&
        !(event.startNs === event.endNs && top.endNs === event.startNs && top.startNs < top.endNs);
      if (!isBehind && event.endNs <= top.endNs) break;
      if (!isBehind) throw new Error(`${event.name} reaches out of ${top.name}`);
      open.pop();
    }
    open.push(event);
    return { ...event, depth: open.length - 1 };
  });
}
