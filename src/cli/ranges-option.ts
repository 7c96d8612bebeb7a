import type { Command } from 'commander';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { QuantizeTask } from '../jobs/quantize-task.ts';
import type { RecipeRequest } from '../quantization/recipe.ts';

/** What the options about saved ranges leave behind. */
export interface RangesOptions {
  readonly saveRanges?: string;
  readonly ranges?: string;
  readonly rangesAnyModel: boolean;
}

/** Adds the options that save what a calibration found, and use it again. */
export function addRangesOptions(command: Command): Command {
  return command
    .option(
      '--save-ranges <file.json>',
      'static: write what calibration found, to look at, edit and use again',
    )
    .option('--ranges <file.json>', 'static: take these saved ranges instead of calibrating')
    .option('--ranges-any-model', 'take --ranges also where they were found on another model', false);
}

/** Options that say how to calibrate, which nothing does where ranges are given. */
const CALIBRATING = ['method', 'percentile', 'samples', 'saveRanges'];

/** Ends the command with an error where options contradict one another. */
export function refuseIdleRangesOptions(command: Command): void {
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  if (!isGiven('ranges')) {
    if (isGiven('rangesAnyModel')) command.error('error: --ranges-any-model needs --ranges');
    return;
  }
  const idle = command.options.find((option) => {
    const name = option.attributeName();
    return CALIBRATING.includes(name) && isGiven(name);
  });
  if (idle !== undefined) {
    command.error(`error: ${idle.long} is of no use with --ranges: nothing is calibrated then`);
  }
}

export interface RangesChoice {
  /** With the settings that the ranges were found with, where they are given. */
  readonly request: RecipeRequest;
  readonly task: Pick<QuantizeTask, 'ranges' | 'saveRangesPath'>;
}

/**
 * What the options mean for a recipe. Errors: `not-a-static-recipe`, since nothing else needs ranges, and what
 * `loadRanges` finds in the file.
 */
export async function chooseRangesTask(
  { saveRanges, ranges: file, rangesAnyModel: anyModel }: RangesOptions,
  request: RecipeRequest,
): Promise<Result<RangesChoice, readonly Problem[]>> {
  const named = file === undefined ? saveRanges && '--save-ranges' : '--ranges';
  if (named !== undefined && !request.format.startsWith('static-')) {
    const what = `${named} is for static recipes, not for ${request.format}`;
    return err([
      problem('not-a-static-recipe', what, { hint: `leave it out: ${request.format} has no ranges` }),
    ]);
  }
  if (file === undefined) {
    return ok({ request, task: saveRanges === undefined ? {} : { saveRangesPath: saveRanges } });
  }
  // Loaded when needed: a schema library takes longer to load than a small model to quantize.
  const { loadRanges } = await import('../jobs/load-ranges.ts');
  const saved = await loadRanges(file);
  if (!saved.ok) return saved;
  return ok({
    request: { ...request, calibration: saved.value.calibration },
    task: { ranges: { file, saved: saved.value, anyModel } },
  });
}
