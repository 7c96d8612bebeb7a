/**
 * What happened, before it is written in somebody's format: planes with lines with events, as TensorFlow's profiler has
 * them (xplane.proto). All times are nanoseconds since `startNs`, as float64: exact to a nanosecond for 104 days.
 */
export interface Trace {
  /** The zero of all times, on the monotonic clock of `Clock.nowNs`. No event is before it. */
  readonly startNs: bigint;
  /** The same moment, in milliseconds since the Unix epoch. */
  readonly startWallMs: number;
  readonly durationNs: number;
  readonly hostname: string;
  /** What whoever looks at the trace has to know, such as that the runtime dropped events. */
  readonly warnings: readonly string[];
  readonly planes: readonly TracePlane[];
}

/** A processor, or whatever else has a time axis of its own. */
export interface TracePlane {
  /** Tools go by it: `/host:CPU`, `/device:GPU:0`, `/device:CUSTOM:telemetry`. */
  readonly name: string;
  /** Of the plane as a whole, such as a device's memory. */
  readonly stats: TraceStats;
  /** What its events are; events refer to them by their place here. */
  readonly kinds: readonly EventKind[];
  readonly lines: readonly TraceLine[];
}

/** What many events have in common. */
export interface EventKind {
  readonly name: string;
  /** What people read instead of the name. */
  readonly displayName?: string;
  readonly stats?: TraceStats;
}

/** By name. Whole numbers must be marked, as formats keep them apart. */
export type TraceStats = Readonly<Record<string, TraceStat>>;

export type TraceStat = string | { readonly int: number } | { readonly double: number };

/** Events of one thread, stream or meter, in the order of their beginnings; what lies in another stands behind it. */
export interface TraceLine {
  /** Unique in its plane. */
  readonly id: number;
  readonly name: string;
  readonly events: EventColumns;
}

/** Events in columns, as there may be millions. */
export interface EventColumns {
  readonly count: number;
  /** Places in `TracePlane.kinds`. */
  readonly kinds: Uint32Array;
  readonly startsNs: Float64Array;
  readonly durationsNs: Float64Array;
  /** What differs from event to event. */
  readonly stats: readonly StatColumn[];
}

/** NaN where an event has no such stat. */
export interface StatColumn {
  readonly name: string;
  readonly type: 'int' | 'double';
  readonly values: Float64Array;
}
