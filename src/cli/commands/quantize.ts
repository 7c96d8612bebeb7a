import { Command } from 'commander';
import { runQuantization } from '../../jobs/run-quantization.ts';
import { completeRecipe } from '../../quantization/recipe.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { threadCount } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import {
  addRecipeOptions,
  type RecipeOptions,
  recipeRequest,
  refuseForeignOptions,
} from '../quantize-options.ts';
import { renderQuantization } from '../quantize-report.ts';
import {
  addRangesOptions,
  chooseRangesTask,
  type RangesOptions,
  refuseIdleRangesOptions,
} from '../ranges-option.ts';
import { requireOptions } from '../required-options.ts';
import { addStateOption, type StateOptions, statesOf } from '../state-option.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface QuantizeOptions extends RecipeOptions, StateOptions, RangesOptions {
  readonly output: string;
  readonly calibration?: string;
  readonly split?: string;
  readonly threads: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function quantizeCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('quantize')
    .description(
      'make a smaller model: INT8 calibrated on your own data, dynamic INT8, INT4 weights or float16',
    )
    .argument('<model>', 'the ONNX model, float32')
    .option('-o, --output <file>', 'required: where the quantized model goes')
    .option('--calibration <path>', `${DATA_HELP}; static recipes need it`)
    .option('--split <name>', "the split that calibrates (default: the profile's, calib, or all of it)");
  addRecipeOptions(addRangesOptions(addStateOption(command)))
    .option('--threads <n>', 'threads of the runtime while calibrating; 0 is every core', threadCount, 0)
    .option('--json', 'print the report as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (model: string, options: QuantizeOptions) => {
      refuseForeignOptions(command, options.recipe);
      refuseIdleRangesOptions(command);
      exit(await quantize(model, options, terminal));
    });
  return requireOptions(command, ['--output']);
}

async function quantize(model: string, options: QuantizeOptions, terminal: Terminal): Promise<number> {
  const { output, calibration, split, threads } = options;
  const request = await recipeRequest(options);
  if (!request.ok) return printProblems(terminal, request.error);
  const ranges = await chooseRangesTask(options, request.value);
  if (!ranges.ok) return printProblems(terminal, ranges.error);
  const data = calibration === undefined ? undefined : await resolveData(calibration, split, 'calibration');
  if (data?.ok === false) return printProblems(terminal, data.error);
  const { spec, split: chosen, profile } = data?.value ?? {};
  const progress = await createProgressView(terminal, options);
  const report = await runQuantization(
    { entry: WORKER_ENTRY },
    {
      kind: 'quantize',
      modelPath: model,
      outputPath: output,
      ...(spec === undefined || chosen === undefined ? {} : { data: { spec, split: chosen } }),
      recipe: completeRecipe(ranges.value.request),
      threads,
      ...statesOf(options, profile?.data.states),
      ...ranges.value.task,
    },
    {
      signal: abortOnInterrupt(),
      onEvent: (event) => {
        if (event.kind === 'progress') progress.update(event.progress);
      },
    },
  );
  progress.stop();
  if (!report.ok) return printProblems(terminal, [report.error]);
  printResult(terminal, report.value, options.json, renderQuantization);
  return EXIT.done;
}
