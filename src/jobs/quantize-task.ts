import type { FloatNode } from '../quantization/placement.ts';
import type { Recipe } from '../quantization/recipe.ts';

/** Quantize one model file into another. */
export interface QuantizeTask {
  readonly kind: 'quantize';
  readonly modelPath: string;
  readonly outputPath: string;
  readonly dataPath: string;
  /** The split of the data that calibrates. */
  readonly split: string;
  readonly recipe: Recipe;
  /** Threads of the runtime while calibrating; 0 for every core. */
  readonly threads: number;
  /** Named in the phases. */
  readonly subject?: string;
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
  readonly calibration: {
    readonly method: string;
    readonly samples: number;
    readonly seconds: number;
    readonly inferenceSeconds: number;
    /** Of the worker process up to the end of the calibration. */
    readonly peakRssBytes: number;
  };
  readonly sizeBytes: { readonly before: number; readonly after: number };
  readonly ops: {
    /** Nodes that the recipe quantizes. */
    readonly quantized: number;
    /** Nodes left in float32 (of those that compute on floats or carry weights). */
    readonly float: readonly FloatNode[];
    /** Quantized nodes that the runtime really runs in int8, read back from its optimized graph. */
    readonly fused: number;
    readonly notFused: readonly FloatNode[];
  };
  /** Agreement with FP32 on the first calibration samples, before the file was published. */
  readonly selfCheck: { readonly samples: number; readonly sqnrDb: number | null };
  readonly warnings: readonly string[];
}
