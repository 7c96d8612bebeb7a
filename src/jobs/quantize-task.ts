import type { CarriedState } from '../data/carried-state.ts';
import type { FloatNode } from '../quantization/placement.ts';
import type { CalibrationSettings, Recipe } from '../quantization/recipe.ts';
import type { TuningReport } from '../quantization/tuning/tune.ts';
import type { InputDigests } from './digest-inputs.ts';
import type { TracedSamples } from './evaluate-task.ts';
import type { LatencyGateReport } from './latency-gate.ts';
import type { SavedRanges } from './saved-ranges.ts';
import type { TaskData } from './task-data.ts';

/** Quantize one model file into another. */
export interface QuantizeTask {
  readonly kind: 'quantize';
  readonly modelPath: string;
  readonly outputPath: string;
  /** Needed by recipes that calibrate; others only check their result on it. */
  readonly data?: TaskData;
  readonly recipe: Recipe;
  /** Of a recurrent model. */
  readonly states?: readonly CarriedState[];
  /** Ranges that were saved before; nothing is calibrated then. */
  readonly ranges?: ReusedRanges;
  /** Where the ranges that calibration finds are saved. */
  readonly saveRangesPath?: string;
  /** Lets calibrations of the same model and data be found again. */
  readonly rangesCache?: RangesCacheFolder;
  /** Threads of the runtime while calibrating; 0 for every core. */
  readonly threads: number;
  /** Named in the phases. */
  readonly subject?: string;
  /** Traces the first samples of the calibration. */
  readonly trace?: TracedSamples;
}

export interface ReusedRanges {
  /** Where they were read from, for messages. */
  readonly file: string;
  readonly saved: SavedRanges;
  /** Also takes ranges that were found on another model. */
  readonly anyModel: boolean;
}

export interface RangesCacheFolder {
  /** Made where it is missing. */
  readonly folder: string;
  /** Of the task's model and data, for those who have them already. */
  readonly digests?: InputDigests;
  /** Calibrations that will be asked for next: where samples are run anyway, those that look at the same are found, too. */
  readonly further?: readonly CalibrationSettings[];
}

export interface CalibrationReport {
  readonly method: string;
  readonly samples: number;
  readonly seconds: number;
  readonly inferenceSeconds: number;
  /** The ranges come from a file or from an earlier calibration; the seconds are 0. */
  readonly reused?: true;
  /** Of the worker process up to the end of the calibration. */
  readonly peakRssBytes: number;
}

/** The result against the original, before it was published. */
export interface SelfCheck {
  /** `generated`: there was no data, so numbers were made up to see that the result runs. */
  readonly on: 'data' | 'generated';
  readonly samples: number;
  /** Of the first output; null where nothing differs or nothing was compared. */
  readonly sqnrDb: number | null;
  /** The original was too large to be loaded beside the result, which only had to load and give finite numbers. */
  readonly alone?: true;
}

/** What a quantization did and cost. */
export interface QuantizeReport {
  readonly model: string;
  readonly output: string;
  /** The recipe with everything that `auto` decided. */
  readonly recipe: Recipe;
  readonly seconds: number;
  /** Of the worker process, from its start to its end. */
  readonly peakRssBytes: number;
  /** What the worker sent to storage, the model and all that it kept on the way; absent where the kernel does not tell. */
  readonly writtenBytes?: number;
  /** Absent for recipes without calibration. */
  readonly calibration?: CalibrationReport;
  /** What was measured where the recipe has a latency gate. */
  readonly latencyGate?: LatencyGateReport;
  /** What was done to keep accuracy, where the recipe asks for it. */
  readonly tuning?: TuningReport;
  readonly sizeBytes: { readonly before: number; readonly after: number };
  readonly ops: {
    /** Nodes that the recipe changed. */
    readonly quantized: number;
    /** Nodes that it leaves in float32 though they carry weights or, for float16, compute on floats. */
    readonly float: readonly FloatNode[];
    /**
     * Changed nodes that the runtime really runs in the small type, read back from its optimized graph; null for
     * float16, which the CPU provider mostly computes in float32 between casts.
     */
    readonly fused: number | null;
    readonly notFused: readonly FloatNode[];
  };
  readonly selfCheck: SelfCheck;
  readonly warnings: readonly string[];
}
