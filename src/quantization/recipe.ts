import type { ActivationType } from './activation-grid.ts';
import type { DynamicInt8Recipe } from './dynamic/dynamic-recipe.ts';
import type { Float16Recipe } from './float16/float16-recipe.ts';
import { EMPTY_SELECTION, type NodeSelection, type RecipeScope } from './node-selection.ts';
import type { Target } from './targets.ts';
import type { TuningLevel } from './tuning/tuning-level.ts';
import type { WeightOnlyRecipe } from './weight-only/recipe.ts';

export const CALIBRATION_METHODS = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const;

export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

/** How the ranges of activations are found. */
export interface CalibrationSettings {
  readonly method: CalibrationMethod;
  /** For `percentile`: the per cent of values that are kept, such as 99.99. */
  readonly percentile?: number;
  /** At most so many samples of the calibration split; all when absent. */
  readonly samples?: number;
}

/**
 * How a quantized graph is written. `qdq`: float operators between QuantizeLinear and DequantizeLinear, which the runtime
 * fuses. `qoperator`: operators on codes (QLinearConv …), most of them ONNX Runtime's own.
 */
export const REPRESENTATIONS = ['qdq', 'qoperator'] as const;

export type Representation = (typeof REPRESENTATIONS)[number];

/** Weights in int8 and activations in 8 or 16 bits, with ranges found by calibration. */
export interface StaticRecipe extends RecipeScope {
  readonly format: 'static-int8' | 'static-int16';
  readonly target: Target;
  readonly representation: Representation;
  readonly activations: ActivationType;
  readonly calibration: CalibrationSettings;
  /** One scale for a whole weight tensor instead of one a channel. */
  readonly perTensor: boolean;
  /** Seven-bit weights. `auto`: where the processor's 8-bit products saturate, and where the processor is not known. */
  readonly reduceRange: boolean | 'auto';
  /** `measured`: what is slower in int8 than in float32 on this host stays float. Only for the target `cpu`. */
  readonly latencyGate: 'measured' | 'off';
  /** What is done after calibration to keep accuracy. */
  readonly tune: TuningLevel;
  /** Layers stay float32 until the outputs have this SQNR, in dB, on samples kept apart; absent: none does for that. */
  readonly minSqnrDb?: number;
}

/** How to quantize, as plain data with every setting filled in. */
export type Recipe = StaticRecipe | DynamicInt8Recipe | WeightOnlyRecipe | Float16Recipe;

export type RecipeFormat = Recipe['format'];

export const RECIPE_FORMATS = [
  'static-int8',
  'static-int16',
  'dynamic-int8',
  'weight-int8',
  'weight-int4',
  'float16',
] as const satisfies readonly RecipeFormat[];

/** A recipe as it is asked for: settings that the format does not have are ignored, those left out get their default. */
export interface RecipeRequest {
  readonly format: RecipeFormat;
  readonly target?: Target;
  readonly representation?: Representation;
  readonly activations?: ActivationType;
  readonly calibration?: Partial<CalibrationSettings>;
  readonly perTensor?: boolean;
  readonly reduceRange?: boolean | 'auto';
  readonly latencyGate?: StaticRecipe['latencyGate'];
  readonly tune?: TuningLevel;
  readonly minSqnrDb?: number;
  readonly form?: WeightOnlyRecipe['form'];
  readonly blockSize?: number;
  readonly symmetric?: boolean;
  readonly algorithm?: WeightOnlyRecipe['algorithm'];
  readonly accuracyLevel?: WeightOnlyRecipe['accuracyLevel'];
  readonly keepIo?: boolean;
  readonly include?: Partial<NodeSelection>;
  readonly exclude?: Partial<NodeSelection>;
}

/** The recipe with the defaults of its format and target. */
export function completeRecipe(request: RecipeRequest): Recipe {
  const { format, target = 'cpu', perTensor = false, reduceRange = 'auto' } = request;
  const scope = {
    include: { ...EMPTY_SELECTION, ...request.include },
    exclude: { ...EMPTY_SELECTION, ...request.exclude },
  };
  switch (format) {
    case 'static-int8':
    case 'static-int16':
      return {
        format,
        target,
        representation: request.representation ?? 'qdq',
        activations: request.activations ?? defaultActivations(format, target),
        calibration: { method: defaultMethod(format), ...request.calibration },
        perTensor,
        reduceRange,
        latencyGate:
          request.latencyGate ?? (format === 'static-int8' && target === 'cpu' ? 'measured' : 'off'),
        tune: request.tune ?? 'none',
        ...(request.minSqnrDb === undefined ? {} : { minSqnrDb: request.minSqnrDb }),
        ...scope,
      };
    case 'dynamic-int8':
      return { format, target, perTensor, reduceRange, ...scope };
    case 'weight-int8':
    case 'weight-int4':
      return { format, target, ...completeWeightsOnly(request, target), ...scope };
    case 'float16':
      return { format, target, keepIo: request.keepIo ?? true, ...scope };
  }
}

/** With 16 bits rounding costs so little that to clip anything costs more. */
function defaultMethod(format: StaticRecipe['format']): CalibrationMethod {
  return format === 'static-int16' ? 'minmax' : 'mse';
}

function defaultActivations(format: StaticRecipe['format'], target: Target): ActivationType {
  if (format === 'static-int16') return 'uint16';
  return target === 'tensorrt' ? 'int8' : 'uint8';
}

/** TensorRT takes blocks of 128 without zero points; MatMulNBits is known to ONNX Runtime alone. */
function completeWeightsOnly(request: RecipeRequest, target: Target) {
  const portable = target === 'portable' || target === 'tensorrt';
  return {
    form: request.form ?? (portable ? 'dequantize' : 'matmul-nbits'),
    blockSize: request.blockSize ?? (target === 'tensorrt' ? 128 : 32),
    symmetric: request.symmetric ?? target === 'tensorrt',
    algorithm: request.algorithm ?? 'rtn',
    accuracyLevel: request.accuracyLevel ?? 4,
  } as const;
}

/** What `--recipe static-int8` means without further options. */
export const STATIC_INT8 = completeRecipe({ format: 'static-int8' }) as StaticRecipe;
