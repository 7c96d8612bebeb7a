import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  addRecipeOptions,
  type RecipeOptions,
  recipeRequest,
  refuseForeignOptions,
} from '../../../src/cli/quantize-options.ts';
import { completeRecipe, RECIPE_FORMATS, type Recipe } from '../../../src/quantization/recipe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A command with the options alone, and what it writes when it refuses its arguments. */
function quantizeCommand(): { readonly command: Command; readonly written: () => string } {
  let written = '';
  const writeErr = (text: string) => {
    written += text;
  };
  const command = addRecipeOptions(new Command('quantize')).exitOverride().configureOutput({ writeErr });
  return { command, written: () => written };
}

/** The recipe that a command line asks for. Throws what commander writes when it refuses it. */
async function recipeOf(...args: readonly string[]): Promise<Recipe> {
  const { command, written } = quantizeCommand();
  try {
    command.parse(args, { from: 'user' });
  } catch {
    throw new Error(written());
  }
  const recipe = await recipeRequest(command.opts<RecipeOptions>());
  if (!recipe.ok) throw new Error(recipe.error.map(({ message }) => message).join());
  return completeRecipe(recipe.value);
}

describe('the options that say how to quantize', () => {
  it.each(RECIPE_FORMATS)('mean by %s alone what the format means by default', async (format) => {
    expect(await recipeOf('--recipe', format)).toStrictEqual(completeRecipe({ format }));
  });

  it('calibrate when nothing is said', async () => {
    expect(await recipeOf()).toStrictEqual(completeRecipe({ format: 'static-int8' }));
  });

  it('reach every setting of static recipes', async () => {
    const calibration = ['--method', 'percentile', '--percentile', '99.9', '--samples', '12'];
    const grid = ['--target', 'portable', '--activations', 'int8', '--per-tensor', '--reduce-range', 'on'];
    const how = ['--format', 'qoperator', '--latency-gate', 'off', '--tune', 'full', '--min-sqnr', '25'];
    expect(await recipeOf(...calibration, ...grid, ...how)).toEqual({
      format: 'static-int8',
      target: 'portable',
      representation: 'qoperator',
      activations: 'int8',
      calibration: { method: 'percentile', percentile: 99.9, samples: 12 },
      perTensor: true,
      reduceRange: true,
      latencyGate: 'off',
      tune: 'full',
      minSqnrDb: 25,
      include: { nodes: [], opTypes: [], tensors: [] },
      exclude: { nodes: [], opTypes: [], tensors: [] },
    });
  });

  it('reach every setting of dynamic-int8', async () => {
    expect(await recipeOf('--recipe', 'dynamic-int8', '--per-tensor', '--reduce-range', 'off')).toMatchObject(
      {
        perTensor: true,
        reduceRange: false,
      },
    );
  });

  it.each(['weight-int8', 'weight-int4'])('reach every setting of %s', async (format) => {
    const grid = ['--form', 'dequantize', '--block-size', '64', '--symmetric'];
    expect(
      await recipeOf('--recipe', format, ...grid, '--algorithm', 'hqq', '--accuracy-level', '0'),
    ).toMatchObject({
      format,
      form: 'dequantize',
      blockSize: 64,
      symmetric: true,
      algorithm: 'hqq',
      accuracyLevel: 0,
    });
  });

  it('leave to the target what they do not say', async () => {
    const request = { format: 'weight-int4', target: 'tensorrt' } as const;
    expect(await recipeOf('--recipe', 'weight-int4', '--target', 'tensorrt')).toStrictEqual(
      completeRecipe(request),
    );
  });

  it('read a recipe from a YAML file, and say with line and field what is wrong in it', async () => {
    const file = join(temporaryFolder(), 'recipe.yaml');
    writeFileSync(file, 'format: weight-int4\nblockSize: 64\nexclude:\n  tensors: [head*]\n');
    expect(await recipeOf('--recipe', file)).toStrictEqual(
      completeRecipe({ format: 'weight-int4', blockSize: 64, exclude: { tensors: ['head*'] } }),
    );
    writeFileSync(file, 'format: float16\nblockSize: 64\n');
    const { command } = quantizeCommand();
    command.parse(['--recipe', file], { from: 'user' });
    expect(await recipeRequest(command.opts<RecipeOptions>())).toEqual({
      ok: false,
      error: [
        {
          kind: 'invalid-value',
          message: 'the format float16 has no setting "blockSize"',
          place: { file, line: 2, column: 1, field: '/blockSize' },
          hint: 'it has keepIo, target, include, exclude',
        },
      ],
    });
  });

  it('turn the edges of a float16 model to float16 with --no-keep-io', async () => {
    expect(await recipeOf('--recipe', 'float16', '--no-keep-io')).toMatchObject({ keepIo: false });
  });

  it.each(RECIPE_FORMATS)('exclude from %s what is listed, however often', async (format) => {
    const args = ['--exclude', 'stem*, head', '--exclude', 'tail', '--exclude-op', 'Softmax,Gemm'];
    expect((await recipeOf('--recipe', format, ...args)).exclude).toEqual({
      nodes: ['stem*', 'head', 'tail'],
      opTypes: ['Softmax', 'Gemm'],
      tensors: [],
    });
  });

  it('leave out what is for other recipes', async () => {
    expect(await recipeOf('--recipe', 'float16', '--block-size', '64', '--method', 'entropy')).toStrictEqual(
      completeRecipe({ format: 'float16' }),
    );
  });

  it.each([
    [
      ['--recipe', 'int4'],
      'Allowed choices are static-int8, static-int16, dynamic-int8, weight-int8, weight-int4, float16, auto, or a YAML file.',
    ],
    [['--method', 'max'], 'Allowed choices are minmax, moving-average, percentile, entropy, mse.'],
    [['--percentile', '40'], "expected a number above 50 and up to 100 but found '40'"],
    [['--min-sqnr', 'high'], "expected decibels from 0 to 100 but found 'high'"],
    [['--samples', '0'], 'expected a whole number of at least 1'],
    [['--reduce-range', 'yes'], 'Allowed choices are auto, on, off.'],
    [['--form', 'qdq'], 'Allowed choices are matmul-nbits, dequantize.'],
    [['--block-size', '48'], 'Allowed choices are 16, 32, 64, 128, 256.'],
    [['--algorithm', 'awq'], 'Allowed choices are rtn, hqq, gptq.'],
    [['--accuracy-level', '2'], 'Allowed choices are 0, 1, 4.'],
    [['--keep-io'], "unknown option '--keep-io'"],
  ])('refuse %j', async (args, words) => {
    await expect(recipeOf(...args)).rejects.toThrow(words);
  });
});

describe('refuseForeignOptions', () => {
  function refusalOf(recipe: string, ...args: readonly string[]): string {
    const { command, written } = quantizeCommand();
    command.parse(args, { from: 'user' });
    try {
      refuseForeignOptions(command, recipe);
    } catch {
      // Commander throws what it has written already.
    }
    return written().trim();
  }

  it.each([
    [
      'float16',
      ['--block-size', '64'],
      'error: --block-size is for weight-int8 and weight-int4, not for float16',
    ],
    ['static-int8', ['--no-keep-io'], 'error: --no-keep-io is for float16, not for static-int8'],
    [
      'weight-int4',
      ['--method', 'minmax'],
      'error: --method is for static-int8 and static-int16, not for weight-int4',
    ],
    ['auto', ['--method', 'mse'], 'error: --method is for static-int8 and static-int16, not for auto'],
    ['r.yaml', ['--symmetric'], 'error: --symmetric belongs into the recipe file r.yaml'],
  ] as const)('names the option and its recipes: %s with %j', (recipe, args, refusal) =>
    expect(refusalOf(recipe, ...args)).toBe(refusal),
  );

  it.each(RECIPE_FORMATS)('lets the defaults of other recipes pass for %s', (format) =>
    expect(refusalOf(format, '--exclude', 'a')).toBe(''),
  );

  it('knows every recipe of an option', () =>
    expect(refusalOf('dynamic-int8', '--per-tensor', '--reduce-range', 'on')).toBe(''));
});
