import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { type ProfileTask, resolveTask } from '../../config/task.ts';
import type { Problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import type { EvaluateTask, ModelEvaluation, TracedSamples } from '../../jobs/evaluate-task.ts';
import { runTask } from '../../jobs/worker-process.ts';
import { DATA_HELP, type DataChoice, resolveData } from '../data-option.ts';
import { distinctNames } from '../distinct-names.ts';
import { type BudgetOptions, evaluationBudget } from '../evaluation-budget.ts';
import { renderEvaluations } from '../evaluation-report.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { confidence, nonNegative, positiveInteger, significance, threadCount } from '../option-parsers.ts';
import { PLAIN_TASKS } from '../plain-tasks.ts';
import { createProgressView } from '../progress.ts';
import { hereOrThere } from '../remote/here-or-there.ts';
import { addOrderOptions, isOrder } from '../remote/order-options.ts';
import { requireOptions } from '../required-options.ts';
import { addStateOption, type StateOptions, statesOf } from '../state-option.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { addTraceOptions, type TraceOptions, traceWish } from '../trace-option.ts';
import { tracedCommand } from '../traced-command.ts';
import { hasFailed } from '../verdict-exit.ts';

interface EvaluateOptions extends StateOptions, BudgetOptions, TraceOptions {
  readonly data: string;
  readonly split?: string;
  readonly samples?: number;
  readonly task?: (typeof PLAIN_TASKS)[number];
  readonly changed?: string;
  readonly cache?: string;
  readonly golden?: string;
  readonly threads: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function evaluateCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('evaluate')
    .description('compare models with their float32 original on the same samples')
    .argument('<fp32>', 'the float32 model')
    .argument('[candidates...]', 'models made from it')
    .option('--data <path>', `required: ${DATA_HELP}`)
    .option('--split <name>', "the split to evaluate on (default: the profile's, eval, or all of it)")
    .option('--samples <n>', 'use at most so many samples, spread over the split', positiveInteger)
    .addOption(
      new Option('--task <name>', "what the outputs are; without it the profile's, or classification")
        .choices(PLAIN_TASKS)
        .default(undefined, "the profile's, or classification; others need settings, which a profile has"),
    )
    .option(
      '--metric <name>',
      "what is judged by: a metric of the task, agreement or sqnr_db (default: the task's first)",
    )
    .option(
      '--max-drop <loss>',
      'what may be lost, in units of the metric, such as 0.01 for one point',
      nonNegative,
    )
    .option('--relative', 'take --max-drop as a share of the float32 figure', false)
    .option(
      '--min-sqnr <dB>',
      'with --metric sqnr_db: the ratio that the first output must keep',
      nonNegative,
    )
    .option(
      '--alpha <p>',
      'a loss counts as shown when its p-value is below this (default: 0.01)',
      significance,
    )
    .option('--confidence <c>', 'of intervals and bounds (default: 0.95)', confidence)
    .option('--changed <folder>', 'write the items whose answer changed to <folder>/<model>.jsonl')
    .option('--cache <folder>', 'keep the float32 outputs there, and use them again')
    .option(
      '--golden <folder>',
      "keep every model's outputs there, and tell when a model no longer gives them",
    )
    .option(
      '--threads <n>',
      'threads inside an operator where samples come one by one; 0 is every core',
      threadCount,
      0,
    )
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(
      hereOrThere(
        'evaluate',
        { terminal, exit },
        (fp32: string, candidates: string[], options: EvaluateOptions) =>
          evaluate(fp32, candidates, options, terminal),
      ),
    );
  addOrderOptions(addTraceOptions(addStateOption(command), 'samples'), 'evaluate');
  return requireOptions(command, ['--data'], () => !isOrder(command));
}

async function evaluate(
  fp32: string,
  candidates: readonly string[],
  options: EvaluateOptions,
  terminal: Terminal,
): Promise<number> {
  const data = await resolveData(options.data, options.split, 'evaluation');
  if (!data.ok) return printProblems(terminal, data.error);
  const task = toTask(fp32, candidates, options, data.value);
  if (!task.ok) return printProblems(terminal, [task.error]);
  const wish = traceWish(options);
  if (!wish.ok) return printProblems(terminal, [wish.error]);
  const progress = await createProgressView(terminal, options);
  const signal = abortOnInterrupt();
  const traced = await tracedCommand(wish.value, { terminal, signal }, (trace) =>
    runTask(trace.host, withTrace(task.value, trace.samplesOf(basename(fp32, '.onnx'))), {
      signal,
      onEvent: (event) => {
        trace.onEvent(event);
        if (event.kind === 'progress') progress.update(event.progress);
      },
    }),
  );
  progress.stop();
  if (!traced.ok) return printProblems(terminal, [traced.error]);
  const evaluations = traced.value.result as readonly ModelEvaluation[];
  printResult(terminal, evaluations, options.json, renderEvaluations);
  traced.value.printTrace();
  return evaluations.some(hasFailed) ? EXIT.verdictFailed : EXIT.done;
}

function withTrace(task: EvaluateTask, trace: TracedSamples | undefined): EvaluateTask {
  return trace === undefined ? task : { ...task, trace };
}

function toTask(
  fp32: string,
  candidates: readonly string[],
  options: EvaluateOptions,
  { spec, split, profile }: DataChoice,
): Result<EvaluateTask, Problem> {
  const { changed, cache, golden } = options;
  // Without a candidate the model is compared with itself, which still tells its own accuracy.
  const paths = candidates.length === 0 ? [fp32] : candidates;
  const variants = distinctNames(paths);
  const samples = options.samples ?? profile?.data.evaluation.samples;
  const task = chooseTask(options.task, profile?.task);
  const budget = evaluationBudget(options, task, profile);
  if (!budget.ok) return budget;
  return ok({
    kind: 'evaluate',
    reference: { variant: 'fp32', path: fp32 },
    candidates: paths.map((path, position) => {
      const variant = variants[position] as string;
      return {
        variant,
        path,
        ...(changed === undefined ? {} : { changedItems: join(changed, `${variant}.jsonl`) }),
      };
    }),
    data: { spec, split },
    ...(samples === undefined ? {} : { samples }),
    task,
    budget: budget.value,
    threads: options.threads,
    ...(cache === undefined ? {} : { outputsCache: { folder: cache } }),
    ...(golden === undefined ? {} : { golden: { folder: golden } }),
    ...statesOf(options, profile?.data.states),
  });
}

/** A task that the profile has settings for keeps them when it is named. */
function chooseTask(named: EvaluateOptions['task'], ofProfile: ProfileTask | undefined): ProfileTask {
  if (ofProfile !== undefined && (named ?? ofProfile.name) === ofProfile.name) return ofProfile;
  return resolveTask(named ?? 'classification', '.');
}
