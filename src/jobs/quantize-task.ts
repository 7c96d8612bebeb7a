import type { FloatNode } from '../quantization/placement.ts';
import type { Recipe } from '../quantization/recipe.ts';

/** Quantize one model file into another. */
export interface QuantizeTask {
  readonly kind: 'quantize';
  readonly modelPath: string;
  readonly outputPath: string;
  /** Needed by recipes that calibrate; others only check their result on it. */
  readonly data?: CalibrationData;
  readonly recipe: Recipe;
  /** Threads of the runtime while calibrating; 0 for every core. */
  readonly threads: number;
  /** Named in the phases. */
  readonly subject?: string;
}

export interface CalibrationData {
  readonly path: string;
  readonly split: string;
}

export interface CalibrationReport {
  readonly method: string;
  readonly samples: number;
  readonly seconds: number;
  readonly inferenceSeconds: number;
  /** Of the worker process up to the end of the calibration. */
  readonly peakRssBytes: number;
}

/** The result against the original, before it was published. */
export interface SelfCheck {
  /** `generated`: there was no data, so numbers were made up to see that the result runs. */
  readonly on: 'data' | 'generated';
  readonly samples: number;
  /** Of the first output; null where nothing differs. */
  readonly sqnrDb: number | null;
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
  /** Absent for recipes without calibration. */
  readonly calibration?: CalibrationReport;
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
