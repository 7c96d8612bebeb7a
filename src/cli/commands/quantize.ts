import { basename } from 'node:path';
import { Command } from 'commander';
import type { QuantizeTask } from '../../jobs/quantize-task.ts';
import { runQuantization } from '../../jobs/run-quantization.ts';
import { completeRecipe } from '../../quantization/recipe.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { threadCount } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import type { QuantizeOptions } from '../quantize-command-options.ts';
import { addRecipeOptions, recipeRequest, refuseForeignOptions } from '../quantize-options.ts';
import { renderQuantization } from '../quantize-report.ts';
import { addRangesOptions, chooseRangesTask, refuseIdleRangesOptions } from '../ranges-option.ts';
import { hereOrThere } from '../remote/here-or-there.ts';
import { addOrderOptions, isOrder } from '../remote/order-options.ts';
import { requireOptions } from '../required-options.ts';
import { AUTO, addSearchOptions } from '../search/search-options.ts';
import { addStateOption, statesOf } from '../state-option.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { addTraceOptions, traceWish } from '../trace-option.ts';
import { tracedCommand } from '../traced-command.ts';

export function quantizeCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('quantize')
    .description(
      'make a smaller model: INT8 calibrated on your own data, dynamic INT8, INT4 weights or float16',
    )
    .argument('<model>', 'the ONNX model, float32')
    .option('-o, --output <file>', 'required: where the quantized model goes')
    .option('--calibration <path>', `${DATA_HELP}; static recipes and gptq need it`)
    .option('--split <name>', "the split that calibrates (default: the profile's, calib, or all of it)");
  addTraceOptions(addRecipeOptions(addRangesOptions(addStateOption(command))), 'samples')
    .option('--threads <n>', 'threads of the runtime while calibrating; 0 is every core', threadCount, 0)
    .option('--json', 'print the report as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(
      hereOrThere('quantize', { terminal, exit }, (model: string, options: QuantizeOptions) => {
        refuseForeignOptions(command, options.recipe);
        refuseIdleRangesOptions(command);
        return options.recipe === AUTO
          ? search(command, model, options, terminal)
          : quantize(model, options, terminal);
      }),
    );
  addSearchOptions(command);
  return requireOptions(addOrderOptions(command, 'quantize'), ['--output'], () => !isOrder(command));
}

/** Loaded when needed: it takes as long to load as a small model to quantize. */
async function search(
  command: Command,
  model: string,
  options: QuantizeOptions,
  terminal: Terminal,
): Promise<number> {
  const { refuseIdleSearchOptions, searchCommand } = await import('../search/search-command.ts');
  refuseIdleSearchOptions(command);
  return searchCommand(model, options, terminal);
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
  const wish = traceWish(options);
  if (!wish.ok) return printProblems(terminal, [wish.error]);
  const task: QuantizeTask = {
    kind: 'quantize',
    modelPath: model,
    outputPath: output,
    ...(spec === undefined || chosen === undefined ? {} : { data: { spec, split: chosen } }),
    recipe: completeRecipe(ranges.value.request),
    threads,
    ...statesOf(options, profile?.data.states),
    ...ranges.value.task,
  };
  const progress = await createProgressView(terminal, options);
  const signal = abortOnInterrupt();
  const traced = await tracedCommand(wish.value, { terminal, signal }, (trace) => {
    const samples = trace.samplesOf(basename(model, '.onnx'));
    return runQuantization(trace.host, samples === undefined ? task : { ...task, trace: samples }, {
      signal,
      onEvent: (event) => {
        trace.onEvent(event);
        if (event.kind === 'progress') progress.update(event.progress);
      },
    });
  });
  progress.stop();
  if (!traced.ok) return printProblems(terminal, [traced.error]);
  printResult(terminal, traced.value.result, options.json, renderQuantization);
  traced.value.printTrace();
  return EXIT.done;
}
