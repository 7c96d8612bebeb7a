import type { PhaseSpan } from '../core/phase.ts';
import type { NodeFacts } from './op-work.ts';
import type { Peaks } from './roofline/peaks.ts';
import type { TracePart } from './trace-part.ts';

/** All that a trace is made of. Times are those of `Clock.nowNs`. */
export interface TraceInput {
  readonly parts: readonly TracedPart[];
  readonly phases: readonly PhaseSpan[];
  /** Columns of a timeline, counters as growth per second. */
  readonly counters?: CounterColumns;
  readonly host: TraceHost;
  /**
   * Only what happened then. Requests that overlap it are kept whole, as the figures of a cut one would be wrong; phases and
   * counters are cut where the trace begins and ends.
   */
  readonly window?: { readonly fromNs: bigint; readonly toNs: bigint };
  readonly warnings: readonly string[];
}

/** One traced session with what the runtime wrote about it. */
export interface TracedPart {
  readonly part: TracePart;
  /** Absent where it was not profiled: its requests are known then, and no operators. */
  readonly events?: PartEvents;
  /** By the name of a node in the graph that the runtime made. */
  readonly facts?: (node: string) => NodeFacts | undefined;
  /** By the runtime's name of a provider: what its device can do at most, with as many threads as the session has. */
  readonly peaksOf?: (provider: string) => Peaks | undefined;
}

export interface TraceHost {
  readonly hostname: string;
  /** One moment on both clocks. */
  readonly nowNs: bigint;
  readonly wallMs: number;
  /** In the order of their numbers. */
  readonly gpus?: readonly TraceGpu[];
}

/** What is known of a GPU. */
export interface TraceGpu {
  readonly name: string;
  readonly vendor?: string;
  readonly memoryBytes?: number;
  readonly memoryBytesPerSecond?: number;
  readonly clockHertz?: number;
  readonly coreCount?: number;
  readonly computeCapability?: { readonly major: number; readonly minor: number };
  readonly peakFlopsPerSecond?: number;
}

/** A profile of the runtime in columns, in the order of the events' ends. */
export interface PartEvents {
  readonly count: number;
  /** Places in `kindList`. */
  readonly kinds: Uint32Array;
  /** Whole microseconds since the profile began. */
  readonly startsUs: Float64Array;
  readonly durationsUs: Float64Array;
  /** -1 for what ran on a device. */
  readonly threads: Int32Array;
  readonly kindList: readonly PartKind[];
  readonly memory?: {
    readonly inUse: Float64Array;
    readonly growth: Float64Array;
    readonly peak: Float64Array;
    readonly held: Float64Array;
  };
  /** Threads of the pool that did blocks of an operator's work, in the order of `events`. */
  readonly workers: {
    readonly count: number;
    readonly events: Uint32Array;
    readonly workers: Uint32Array;
    readonly blocks: Uint32Array;
    readonly threads: readonly string[];
  };
  readonly isTruncated: boolean;
  readonly unreadable: number;
}

export interface PartKind {
  readonly category: 'session' | 'node' | 'api' | 'kernel';
  readonly name: string;
  readonly op: string;
  readonly provider: string;
  readonly inputShapes: string;
  readonly outputShapes: string;
  readonly details: Readonly<Record<string, string>>;
}

/** Columns over time, in points of equal length; null where nothing was sampled. */
export interface CounterColumns {
  readonly startNs: bigint;
  readonly stepNs: bigint;
  readonly points: number;
  readonly columns: readonly CounterColumn[];
}

export interface CounterColumn {
  readonly name: string;
  /** The figures are growth per second of a counter. */
  readonly isRate: boolean;
  readonly mean: readonly (number | null)[];
}
