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
}
