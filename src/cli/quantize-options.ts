import { type Command, Option } from 'commander';
import {
  CALIBRATION_METHODS,
  type CalibrationMethod,
  RECIPE_FORMATS,
  type RecipeFormat,
  type RecipeRequest,
  STATIC_INT8,
} from '../quantization/recipe.ts';
import { list, percentile, positiveInteger } from './option-parsers.ts';

/** The options of `quantize` that say how. */
export interface RecipeOptions {
  readonly recipe: RecipeFormat;
  readonly method: CalibrationMethod;
  readonly percentile?: number;
  readonly samples?: number;
  readonly perTensor: boolean;
  readonly reduceRange: 'auto' | 'on' | 'off';
  readonly form: 'matmul-nbits' | 'dequantize';
  readonly blockSize: string;
  readonly symmetric: boolean;
  readonly algorithm: 'rtn' | 'hqq';
  readonly accuracyLevel: string;
  readonly keepIo: boolean;
  readonly exclude: readonly string[];
  readonly excludeOp: readonly string[];
}

/** Adds the options that say how to quantize, each with the recipes that it is for. */
export function addRecipeOptions(command: Command): Command {
  const choice = (flags: string, description: string, choices: readonly string[], value: string) =>
    command.addOption(new Option(flags, description).choices(choices).default(value));
  choice('--recipe <name>', 'how to quantize', RECIPE_FORMATS, 'static-int8');
  const { method } = STATIC_INT8.calibration;
  choice('--method <name>', 'static: how observed activations become ranges', CALIBRATION_METHODS, method);
  command
    .option('--percentile <percent>', 'static, --method percentile: the per cent of values kept', percentile)
    .option('--samples <n>', 'static: use at most so many samples', positiveInteger)
    .option('--per-tensor', 'static, dynamic: one weight scale a tensor instead of one a channel', false);
  choice(
    '--reduce-range <when>',
    'static, dynamic: seven-bit weights; auto: where 8-bit products saturate on this CPU',
    ['auto', 'on', 'off'],
    'auto',
  );
  choice(
    '--form <name>',
    "weights: ONNX Runtime's operator, or portable",
    ['matmul-nbits', 'dequantize'],
    'matmul-nbits',
  );
  choice('--block-size <n>', 'weights: so many share a scale', ['16', '32', '64', '128', '256'], '32');
  command.option('--symmetric', 'weights: no zero points, a little smaller and coarser', false);
  choice('--algorithm <name>', 'weights: round to nearest, or half-quadratic search', ['rtn', 'hqq'], 'rtn');
  choice(
    '--accuracy-level <n>',
    'weights, matmul-nbits: 4 lets the kernel round activations to int8, 0 does not',
    ['0', '1', '4'],
    '4',
  );
  return command
    .option('--no-keep-io', 'float16: inputs and outputs become float16, too')
    .option('--exclude <nodes>', 'node names that stay float, comma-separated, * matches any run', list, [])
    .option('--exclude-op <types>', 'operator types that stay float, comma-separated', list, []);
}

/** Options that only some recipes know, by the name under which commander keeps them. */
const FOR_RECIPES: Readonly<Record<string, readonly RecipeFormat[]>> = {
  method: ['static-int8'],
  percentile: ['static-int8'],
  samples: ['static-int8'],
  perTensor: ['static-int8', 'dynamic-int8'],
  reduceRange: ['static-int8', 'dynamic-int8'],
  form: ['weight-int8', 'weight-int4'],
  blockSize: ['weight-int8', 'weight-int4'],
  symmetric: ['weight-int8', 'weight-int4'],
  algorithm: ['weight-int8', 'weight-int4'],
  accuracyLevel: ['weight-int8', 'weight-int4'],
  keepIo: ['float16'],
};

/** Ends the command with an error where an option was given that the chosen recipe does not know: it would do nothing. */
export function refuseForeignOptions(command: Command, recipe: RecipeFormat): void {
  for (const option of command.options) {
    const name = option.attributeName();
    const recipes = FOR_RECIPES[name];
    if (recipes === undefined || recipes.includes(recipe) || command.getOptionValueSource(name) !== 'cli')
      continue;
    command.error(`error: ${option.long} is for ${recipes.join(' and ')}, not for ${recipe}`);
  }
}

/** The recipe that the options ask for; the recipe itself leaves out what is not for it. */
export function recipeRequest(options: RecipeOptions): RecipeRequest {
  const { recipe, method, perTensor, reduceRange, form, symmetric, algorithm, keepIo } = options;
  return {
    format: recipe,
    calibration: {
      method,
      ...(options.percentile === undefined ? {} : { percentile: options.percentile }),
      ...(options.samples === undefined ? {} : { samples: options.samples }),
    },
    perTensor,
    reduceRange: reduceRange === 'auto' ? 'auto' : reduceRange === 'on',
    form,
    blockSize: Number(options.blockSize),
    symmetric,
    algorithm,
    accuracyLevel: Number(options.accuracyLevel) as 0 | 1 | 4,
    keepIo,
    exclude: { nodes: options.exclude, opTypes: options.excludeOp },
  };
}
