import type { Device } from '../core/device.ts';
import type { Peaks } from '../trace/roofline/peaks.ts';

/** Make a trace of what a spool folder holds, and put it where viewers look for it. */
export interface TraceTask {
  readonly kind: 'trace';
  /** With the parts of traced sessions; none need be there. */
  readonly folder: string;
  /** What the host did meanwhile, and the phases of the work. */
  readonly timeline?: string;
  /** All that was recorded unless given. */
  readonly window?: { readonly fromNs: bigint; readonly toNs: bigint };
  /** What is known of what the host can do at most. */
  readonly peaks?: readonly Peaks[];
  /** What whoever looks at the trace has to know. */
  readonly warnings: readonly string[];
  readonly output:
    | { readonly kind: 'publish'; readonly logdir: string; readonly startedMs: number }
    /** An XSpace alone. */
    | { readonly kind: 'file'; readonly file: string };
}

/** A trace that was made. */
export interface TraceReport {
  /** Its name in the viewers; absent where it is a file alone. */
  readonly run?: string;
  /** For TensorFlow's profiler. */
  readonly path: string;
  /** For Perfetto; absent where the trace is a file alone. */
  readonly perfettoPath?: string;
  /** Where its models lie under the roofs of the host (JSON); absent where no peaks are known. */
  readonly rooflinePath?: string;
  /** Of all its files. */
  readonly bytes: number;
  /** Of all planes. */
  readonly events: number;
  /** Calls of models, warm-ups left out. */
  readonly steps: number;
  readonly models: readonly TracedModel[];
  readonly warnings: readonly string[];
}

/** One model in a trace, all of its lanes together. */
export interface TracedModel {
  readonly modelId: string;
  /** On others than the CPU, times of operators are those of handing the work over; what the device did is in the trace. */
  readonly device: Device;
  /** Calls of the model, warm-ups left out. */
  readonly requests: number;
  /** That its operators took; those that hold others, such as If, are left out, as what they hold is counted. */
  readonly operatorSeconds: number;
  /** Shaders or kernels of the device that the runtime recorded; 0 on the CPU, and of CUDA in the builds that npm has. */
  readonly deviceKernels: number;
  /** By their time, the longest first. */
  readonly operators: readonly TracedOperator[];
}

export interface TracedOperator {
  readonly op: string;
  readonly calls: number;
  readonly seconds: number;
  /** Of `operatorSeconds`. */
  readonly timeRatio: number;
  /** Null where nobody knows how much work it is. */
  readonly flopsPerSecond: number | null;
}
