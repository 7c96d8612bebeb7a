/** The parts of a run. Telemetry is summarised by them and progress is reported in them. */
export const PHASES = ['load', 'prepare', 'calibrate', 'quantize', 'write', 'evaluate', 'bench'] as const;

export type Phase = (typeof PHASES)[number];

/** A phase that ran, on the monotonic clock of `Clock.nowNs`. */
export interface PhaseSpan {
  readonly phase: Phase;
  /** What it worked on, such as a variant's name. */
  readonly subject?: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Absent where the process that recorded the phase did not do the work itself, or cannot read its counters. */
  readonly usage?: PhaseUsage;
}

/** A phase that has begun and not yet ended. */
export type BegunPhase = Omit<PhaseSpan, 'endNs' | 'usage'>;

/** What a process used during a phase of its own: the kernel's counters, read by the process itself at both ends. */
export interface PhaseUsage {
  readonly pid: number;
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  /** Its largest resident set so far (VmHWM), where that was reached during the phase; absent where it was reached before. */
  readonly peakRssBytes?: number;
  /** Bytes that came from and went to storage; absent where `/proc/self/io` may not be read. */
  readonly io?: { readonly readBytes: number; readonly writtenBytes: number };
}
