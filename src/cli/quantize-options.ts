import { type Command, Option } from 'commander';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { ACTIVATION_TYPES, type ActivationType } from '../quantization/activation-grid.ts';
import {
  CALIBRATION_METHODS,
  type CalibrationMethod,
  RECIPE_FORMATS,
  REPRESENTATIONS,
  type RecipeFormat,
  type RecipeRequest,
  type Representation,
  STATIC_INT8,
} from '../quantization/recipe.ts';
import { TARGETS, type Target } from '../quantization/targets.ts';
import { TUNING_LEVELS, type TuningLevel } from '../quantization/tuning/tuning-level.ts';
import { WEIGHT_ALGORITHMS, type WeightOnlyRecipe } from '../quantization/weight-only/recipe.ts';
import { decibels, list, percentile, positiveInteger, recipeName } from './option-parsers.ts';
import { AUTO, SEARCH_OPTIONS } from './search/search-options.ts';
import { withoutAbsent } from './without-absent.ts';

/** The options of `quantize` that say how. What is absent gets the default of its recipe and target. */
export interface RecipeOptions {
  /** A format, or the path of a file. */
  readonly recipe: string;
  readonly target?: Target;
  readonly format?: Representation;
  readonly activations?: ActivationType;
  readonly method?: CalibrationMethod;
  readonly percentile?: number;
  readonly samples?: number;
  readonly perTensor?: boolean;
  readonly reduceRange?: 'auto' | 'on' | 'off';
  readonly latencyGate?: 'measured' | 'off';
  readonly tune?: TuningLevel;
  readonly minSqnr?: number;
  readonly form?: 'matmul-nbits' | 'dequantize';
  readonly blockSize?: string;
  readonly symmetric?: boolean;
  readonly algorithm?: WeightOnlyRecipe['algorithm'];
  readonly accuracyLevel?: string;
  readonly keepIo: boolean;
  readonly include?: readonly string[];
  readonly includeOp?: readonly string[];
  readonly includeTensor?: readonly string[];
  readonly exclude?: readonly string[];
  readonly excludeOp?: readonly string[];
  readonly excludeTensor?: readonly string[];
}

/** Adds the options that say how to quantize, each with the recipes that it is for. */
export function addRecipeOptions(command: Command): Command {
  const choice = (flags: string, description: string, choices: readonly string[]) =>
    command.addOption(new Option(flags, description).choices(choices));
  const { method } = STATIC_INT8.calibration;
  command.option(
    '--recipe <name|file>',
    `how to quantize: ${RECIPE_FORMATS.join(', ')}, auto (search the best), or a YAML file with a recipe`,
    recipeName,
    'static-int8',
  );
  choice('--target <name>', 'what the model is made for (default: cpu)', TARGETS);
  choice(
    '--format <name>',
    'static: Q/DQ around operators, or operators on codes (default: qdq)',
    REPRESENTATIONS,
  );
  choice(
    '--activations <type>',
    'static: type of the codes (default: uint8, or what the target takes)',
    ACTIVATION_TYPES,
  );
  choice(
    '--method <name>',
    `static: how observed activations become ranges (default: ${method}; static-int16: minmax)`,
    CALIBRATION_METHODS,
  );
  command
    .option('--percentile <percent>', 'static, --method percentile: the per cent of values kept', percentile)
    .option('--samples <n>', 'static: use at most so many samples, spread over the split', positiveInteger)
    .option('--per-tensor', 'static, dynamic: one weight scale a tensor instead of one a channel');
  choice(
    '--reduce-range <when>',
    'static, dynamic: seven-bit weights; auto: where 8-bit products saturate on this CPU (default: auto)',
    ['auto', 'on', 'off'],
  );
  choice(
    '--latency-gate <how>',
    'static-int8, cpu: leave float what is slower in int8 on this host (default: measured)',
    ['measured', 'off'],
  );
  choice(
    '--tune <level>',
    'static: what to do after calibration to keep accuracy (default: none)',
    TUNING_LEVELS,
  );
  command.option(
    '--min-sqnr <dB>',
    'static: leave layers float32 until the outputs have this SQNR',
    decibels,
  );
  choice('--form <name>', "weights: ONNX Runtime's operator (default: matmul-nbits), or portable", [
    'matmul-nbits',
    'dequantize',
  ]);
  choice('--block-size <n>', 'weights: so many share a scale (default: 32)', [
    '16',
    '32',
    '64',
    '128',
    '256',
  ]);
  command.option('--symmetric', 'weights: no zero points, a little smaller and coarser');
  choice(
    '--algorithm <name>',
    'weights: round to nearest (default: rtn), half-quadratic search, or gptq, which needs --calibration',
    WEIGHT_ALGORITHMS,
  );
  choice(
    '--accuracy-level <n>',
    'weights, matmul-nbits: 4 lets the kernel round activations to int8, 0 does not (default: 4)',
    ['0', '1', '4'],
  );
  return command
    .option('--no-keep-io', 'float16: inputs and outputs become float16, too')
    .option('--include <nodes>', 'quantize only these nodes: names, comma-separated, * matches any run', list)
    .option('--include-op <types>', 'quantize only these operator types, comma-separated', list)
    .option('--include-tensor <names>', 'quantize only nodes that read or make these tensors', list)
    .option('--exclude <nodes>', 'node names that stay float, comma-separated, * matches any run', list)
    .option('--exclude-op <types>', 'operator types that stay float, comma-separated', list)
    .option('--exclude-tensor <names>', 'nodes that read or make these tensors stay float', list);
}

const STATIC = ['static-int8', 'static-int16'] as const;
const WEIGHTS = ['weight-int8', 'weight-int4'] as const;

/** Options that only some recipes know, by the name under which commander keeps them. */
const FOR_RECIPES: Readonly<Record<string, readonly (RecipeFormat | typeof AUTO)[]>> = {
  ...Object.fromEntries(SEARCH_OPTIONS.map((name) => [name, [AUTO]])),
  format: STATIC,
  activations: STATIC,
  method: STATIC,
  percentile: STATIC,
  samples: [...STATIC, AUTO],
  perTensor: [...STATIC, 'dynamic-int8'],
  reduceRange: [...STATIC, 'dynamic-int8'],
  latencyGate: ['static-int8'],
  tune: STATIC,
  minSqnr: STATIC,
  form: WEIGHTS,
  blockSize: WEIGHTS,
  symmetric: WEIGHTS,
  algorithm: WEIGHTS,
  accuracyLevel: WEIGHTS,
  keepIo: ['float16'],
};

/** Options that a recipe file does not leave to the command line. */
const IN_A_FILE: ReadonlySet<string> = new Set([
  ...Object.keys(FOR_RECIPES),
  ...['target', 'include', 'includeOp', 'includeTensor', 'exclude', 'excludeOp', 'excludeTensor'],
]);

/** Ends the command with an error where an option was given that the chosen recipe does not know: it would do nothing. */
export function refuseForeignOptions(command: Command, recipe: string): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') continue;
    if (recipe !== AUTO && !isFormat(recipe)) {
      if (IN_A_FILE.has(name)) command.error(`error: ${option.long} belongs into the recipe file ${recipe}`);
      continue;
    }
    const recipes = FOR_RECIPES[name];
    if (recipes === undefined || recipes.includes(recipe)) continue;
    command.error(`error: ${option.long} is for ${recipes.join(' and ')}, not for ${recipe}`);
  }
}

function isFormat(recipe: string): recipe is RecipeFormat {
  return (RECIPE_FORMATS as readonly string[]).includes(recipe);
}

/**
 * The recipe that the options ask for, from a file where they name one.
 * Errors: what `loadRecipe` finds in the file.
 */
export async function recipeRequest(
  options: RecipeOptions,
): Promise<Result<RecipeRequest, readonly Problem[]>> {
  if (!isFormat(options.recipe)) {
    // Loaded when needed: a YAML parser and a schema library take longer to load than a small model to quantize.
    const { loadRecipe } = await import('../config/load-recipe.ts');
    const loaded = await loadRecipe(options.recipe);
    return loaded.ok ? ok(withoutAbsent(loaded.value)) : loaded;
  }
  const { target, activations, perTensor, form, symmetric, algorithm, latencyGate, tune, keepIo } = options;
  const { format: representation, reduceRange, blockSize, accuracyLevel } = options;
  const { method, percentile: percent, samples } = options;
  return ok(
    withoutAbsent({
      format: options.recipe,
      target,
      representation,
      activations,
      calibration: withoutAbsent({ method, percentile: percent, samples }),
      perTensor,
      reduceRange: reduceRange === undefined || reduceRange === 'auto' ? reduceRange : reduceRange === 'on',
      latencyGate,
      tune,
      minSqnrDb: options.minSqnr,
      form,
      blockSize: blockSize === undefined ? undefined : Number(blockSize),
      symmetric,
      algorithm,
      accuracyLevel: accuracyLevel === undefined ? undefined : (Number(accuracyLevel) as 0 | 1 | 4),
      keepIo,
      ...selectedNodes(options),
    }),
  );
}

/** The nodes that the options choose, which every recipe knows. */
export function selectedNodes(options: RecipeOptions) {
  return {
    include: withoutAbsent({
      nodes: options.include,
      opTypes: options.includeOp,
      tensors: options.includeTensor,
    }),
    exclude: withoutAbsent({
      nodes: options.exclude,
      opTypes: options.excludeOp,
      tensors: options.excludeTensor,
    }),
  };
}
