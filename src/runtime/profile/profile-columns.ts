/** What a profile of ONNX Runtime holds, in columns: an event a row, in the order of the file, which is that of their ends. */
export interface ProfileColumns {
  readonly count: number;
  /** Places in `kindList`. */
  readonly kinds: Uint32Array;
  /** Whole microseconds since the profile began; of shaders, see `ProfileKind.category`. */
  readonly startsUs: Float64Array;
  readonly durationsUs: Float64Array;
  /** The kernel's number of the thread; -1 for what ran on a device. */
  readonly threads: Int32Array;
  readonly kindList: readonly ProfileKind[];
  /** Absent where the runtime is too old to tell. */
  readonly memory?: MemoryColumns;
  readonly workers: WorkerColumns;
  /** The file ends in the middle: whoever wrote it did not come to its end. */
  readonly isTruncated: boolean;
  /** Events that are no JSON. */
  readonly unreadable: number;
}

/** Of the session's arena, in bytes; NaN for events that do not tell. */
export interface MemoryColumns {
  /** At the operator's end. */
  readonly inUse: Float64Array;
  /** What was in use more than at its beginning. */
  readonly growth: Float64Array;
  /** The most that was ever in use so far. */
  readonly peak: Float64Array;
  /** What the arena has from the system. */
  readonly held: Float64Array;
}

/** Threads of the pool that took part in operators; one row for each that did. */
export interface WorkerColumns {
  readonly count: number;
  /** Rows of the profile. */
  readonly events: Uint32Array;
  /** Places in `threads`. */
  readonly workers: Uint32Array;
  /** Blocks of the operator's work that the thread did. When, the runtime does not tell. */
  readonly blocks: Uint32Array;
  /** The runtime's names of the threads. */
  readonly threads: readonly string[];
}

/** What events of equal name and arguments have in common. */
export interface ProfileKind {
  /** `api`: a shader that WebGPU ran; `kernel`: of CUDA. The first may be on the device's own clock. */
  readonly category: 'session' | 'node' | 'api' | 'kernel';
  /** Of nodes: the name of the node in the optimized graph. */
  readonly name: string;
  readonly op: string;
  readonly provider: string;
  /** Types and shapes as the runtime writes them: `[{"float":[1,4]},{"int64":[2]}]`. Inputs that it has packed are missing. */
  readonly inputShapes: string;
  readonly outputShapes: string;
  readonly outputBytes: number;
  /** Of the weights that are still there. */
  readonly parameterBytes: number;
  /** Other arguments, of kernels and shaders alone. */
  readonly details: Readonly<Record<string, string>>;
}

/** Node events end in this; older versions also wrote events of other endings, which are no work. */
export const KERNEL_SUFFIX = '_kernel_time';

/** The runtime's own name of one call of `run`. */
export const MODEL_RUN = 'model_run';
