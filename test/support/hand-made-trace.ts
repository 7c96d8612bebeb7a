import type {
  EventKind,
  StatColumn,
  Trace,
  TraceLine,
  TracePlane,
  TraceStats,
} from '../../src/trace/trace.ts';

/** An event as one writes it down. */
export interface HandMadeEvent {
  /** Its place in the kinds of the plane. */
  readonly kind: number;
  readonly startNs: number;
  readonly durationNs?: number;
  readonly ints?: Readonly<Record<string, number>>;
  readonly doubles?: Readonly<Record<string, number>>;
}

export function lineOf(id: number, name: string, events: readonly HandMadeEvent[]): TraceLine {
  return {
    id,
    name,
    events: {
      count: events.length,
      kinds: Uint32Array.from(events, ({ kind }) => kind),
      startsNs: Float64Array.from(events, ({ startNs }) => startNs),
      durationsNs: Float64Array.from(events, ({ durationNs }) => durationNs ?? 0),
      stats: [
        ...columnsOf(
          'int',
          events.map(({ ints }) => ints ?? {}),
        ),
        ...columnsOf(
          'double',
          events.map(({ doubles }) => doubles ?? {}),
        ),
      ],
    },
  };
}

function columnsOf(
  type: StatColumn['type'],
  stats: readonly Readonly<Record<string, number>>[],
): StatColumn[] {
  return [...new Set(stats.flatMap((of) => Object.keys(of)))].map((name) => ({
    name,
    type,
    values: Float64Array.from(stats, (of) => of[name] ?? Number.NaN),
  }));
}

export function planeOf(
  name: string,
  kinds: readonly EventKind[],
  lines: readonly TraceLine[],
  stats: TraceStats = {},
): TracePlane {
  return { name, kinds, lines, stats };
}

export function traceOf(planes: readonly TracePlane[], more: Partial<Trace> = {}): Trace {
  return {
    startNs: 0n,
    startWallMs: Date.UTC(2026, 10, 26, 12),
    durationNs: 1e9,
    hostname: 'host',
    warnings: [],
    planes,
    ...more,
  };
}
