import type { EventKind, TracePlane, TraceStat, TraceStats } from '../trace.ts';
import { doubleField, intField, messageField, oneOfIntField, textField } from './fields.ts';

/** What the events of one plane refer to, and the bytes that say it. */
export interface PlaneTables {
  /** Stats of the plane, metadata of its events and of its stats: fields of XPlane. */
  readonly fields: readonly Uint8Array[];
  /** What every event of a kind begins with, by its place in `TracePlane.kinds`: fields of XEvent. */
  readonly eventBeginnings: readonly Uint8Array[];
  /** The id of a column's name. */
  statId(name: string): number;
}

/** Numbers of fields (xplane.proto of openxla/xla). */
const PLANE = { eventMetadata: 4, statMetadata: 5, stats: 6 } as const;
const EVENT_METADATA = { id: 1, name: 2, displayName: 4, stats: 5 } as const;
const STAT_METADATA = { id: 1, name: 2 } as const;
const STAT = { metadataId: 1, double: 2, uint: 3, int: 4, text: 5, ref: 7 } as const;
const EVENT = { metadataId: 1, stats: 4 } as const;
const MAP_ENTRY = { key: 1, value: 2 } as const;

/**
 * Stats that stand in the metadata cost nothing an event, but much of the tools looks at an event alone: steps and requests
 * (group_events.cc, xspace_to_inference_stats), memory (xplane_to_memory_profile.cc) and kernels (gpu_event_stats.cc,
 * xplane_to_kernel_stats_db.cc). What they look for is repeated in every event; everything else is only shown to people.
 */
const LOOKED_FOR_IN_EVENTS: ReadonlySet<string> = new Set([
  '_r',
  '_a',
  '_p',
  '_pt',
  '_c',
  '_ct',
  'flow',
  'step_num',
  'model_id',
  'correlation_id',
  'tf_op',
  'kernel_details',
  'memcpy_details',
  'allocator_name',
  'region_type',
  'data_type',
  'shape',
  'bytes_reserved',
  'bytes_allocated',
  'bytes_available',
  'peak_bytes_in_use',
  'requested_bytes',
  'allocation_bytes',
  'addr',
  'fragmentation',
  'value',
]);

/** Gives everything in a plane that is referred to its id, from 1. */
export function planeTables(plane: TracePlane): PlaneTables {
  const ids = new Map<string, number>();
  const idOf = (text: string): number => {
    const id = ids.get(text) ?? ids.size + 1;
    ids.set(text, id);
    return id;
  };
  // Names of columns come first: there are more events than anything else, and small ids are short.
  for (const line of plane.lines) for (const { name } of line.events.stats) idOf(name);

  const planeStats = statsOf(plane.stats).map(([name, value]) =>
    messageField(PLANE.stats, statParts(idOf(name), value)),
  );
  const eventBeginnings = plane.kinds.map((kind, place) => eventBeginning(place + 1, kind, idOf));
  const eventMetadata = plane.kinds.map((kind, place) =>
    mapEntry(PLANE.eventMetadata, place + 1, eventMetadataParts(place + 1, kind, idOf)),
  );
  const statMetadata = Array.from(ids, ([text, id]) => statMetadataField(id, text));
  return { fields: [...planeStats, ...eventMetadata, ...statMetadata], eventBeginnings, statId: idOf };
}

/** A field of XPlane that gives a stat its name. */
export function statMetadataField(id: number, name: string): Uint8Array {
  return mapEntry(PLANE.statMetadata, id, [
    intField(STAT_METADATA.id, id),
    textField(STAT_METADATA.name, name),
  ]);
}

/** The fields of a stat whose value has no room in a number. */
export function uint64StatParts(id: number, value: bigint): Uint8Array[] {
  return [intField(STAT.metadataId, id), oneOfIntField(STAT.uint, value)];
}

function eventBeginning(id: number, kind: EventKind, idOf: (text: string) => number): Uint8Array {
  const stats = statsOf(kind.stats)
    .filter(([name]) => LOOKED_FOR_IN_EVENTS.has(name))
    .map(([name, value]) => {
      const parts =
        typeof value === 'string'
          ? // The same text in a million events is kept once, as the name of a stat.
            [intField(STAT.metadataId, idOf(name)), oneOfIntField(STAT.ref, idOf(value))]
          : statParts(idOf(name), value);
      return messageField(EVENT.stats, parts);
    });
  return Buffer.concat([intField(EVENT.metadataId, id), ...stats]);
}

function eventMetadataParts(id: number, kind: EventKind, idOf: (text: string) => number): Uint8Array[] {
  return [
    intField(EVENT_METADATA.id, id),
    textField(EVENT_METADATA.name, kind.name),
    ...(kind.displayName === undefined ? [] : [textField(EVENT_METADATA.displayName, kind.displayName)]),
    ...statsOf(kind.stats)
      .filter(([name]) => !LOOKED_FOR_IN_EVENTS.has(name))
      .map(([name, value]) => messageField(EVENT_METADATA.stats, statParts(idOf(name), value))),
  ];
}

function statsOf(stats: TraceStats | undefined): [string, TraceStat][] {
  return Object.entries(stats ?? {});
}

/** Whole numbers are `int64`: most readers take an `uint64` for 0. */
function statParts(id: number, value: TraceStat): Uint8Array[] {
  const name = intField(STAT.metadataId, id);
  if (typeof value === 'string') return [name, textField(STAT.text, value)];
  return [name, 'int' in value ? oneOfIntField(STAT.int, value.int) : doubleField(STAT.double, value.double)];
}

function mapEntry(field: number, key: number, value: readonly Uint8Array[]): Uint8Array {
  return messageField(field, [intField(MAP_ENTRY.key, key), messageField(MAP_ENTRY.value, value)]);
}
