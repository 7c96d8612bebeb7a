import type { Device } from '../core/device.ts';
import type { Arithmetic, Peaks } from '../trace/roofline/peaks.ts';

/** Measure what the runtime can reach on a device. */
export interface PeaksTask {
  readonly kind: 'peaks';
  readonly device: Device;
  /** Inside an operator, at least 1. */
  readonly threads: number;
}

/** Peaks with what is to be known of their measurement. */
export interface MeasuredPeaks extends Peaks {
  /** The kernel that showed each peak, for people. */
  readonly kernels: Readonly<Record<Arithmetic, string | null>>;
  /** Why the figures are not to be trusted, as sentences. Empty where nothing is known against them. */
  readonly doubts: readonly string[];
  /** What limits their meaning, as sentences. */
  readonly notes: readonly string[];
  /** That measuring took. */
  readonly seconds: number;
}
