import { basename } from 'node:path';
import { Command, Option } from 'commander';
import type { EvaluateTask, ModelEvaluation } from '../../jobs/evaluate-task.ts';
import { runTask } from '../../jobs/worker-process.ts';
import { type DataChoice, resolveData } from '../data-option.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { positiveInteger, ratio, threadCount } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import { requireOptions } from '../required-options.ts';
import { addStateOption, type StateOptions, statesOf } from '../state-option.ts';
import { decimal, percent, renderTable } from '../table.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { isFailedVerdict } from '../verdict-exit.ts';

interface EvaluateOptions extends StateOptions {
  readonly data: string;
  readonly split?: string;
  readonly samples?: number;
  readonly task?: 'classification' | 'fidelity';
  readonly maxDrop?: number;
  readonly relative: boolean;
  readonly threads: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function evaluateCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('evaluate')
    .description('compare models with their float32 original on the same samples')
    .argument('<fp32>', 'the float32 model')
    .argument('[candidates...]', 'models made from it')
    .option('--data <file>', 'required: data (.npz: arrays <split>/<input> and labels) or a profile')
    .option('--split <name>', "the split to evaluate on (default: the profile's, or eval)")
    .option('--samples <n>', 'use at most so many samples', positiveInteger)
    .addOption(
      new Option('--task <name>', "what the first output is; without it the profile's, or classification")
        .choices(['classification', 'fidelity'])
        .default(undefined, "the profile's, or classification"),
    )
    .option('--max-drop <ratio>', 'accuracy that may be lost, such as 0.01 for one point', ratio)
    .option('--relative', 'take --max-drop as a share of the float32 accuracy', false)
    .option('--threads <n>', 'threads of the runtime; 0 is every core', threadCount, 0)
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (fp32: string, candidates: string[], options: EvaluateOptions) =>
      exit(await evaluate(fp32, candidates, options, terminal)),
    );
  return requireOptions(addStateOption(command), ['--data']);
}

async function evaluate(
  fp32: string,
  candidates: readonly string[],
  options: EvaluateOptions,
  terminal: Terminal,
): Promise<number> {
  const data = await resolveData(options.data, options.split);
  if (!data.ok) return printProblems(terminal, data.error);
  const progress = createProgressView(terminal, options);
  const report = await runTask({ entry: WORKER_ENTRY }, toTask(fp32, candidates, options, data.value), {
    signal: abortOnInterrupt(),
    onEvent: (event) => {
      if (event.kind === 'progress') progress.update(event.progress);
    },
  });
  progress.stop();
  if (!report.ok) return printProblems(terminal, [report.error]);
  const evaluations = report.value as readonly ModelEvaluation[];
  printResult(terminal, evaluations, options.json, renderEvaluations);
  return evaluations.some(({ verdict }) => isFailedVerdict(verdict)) ? EXIT.verdictFailed : EXIT.done;
}

function toTask(
  fp32: string,
  candidates: readonly string[],
  options: EvaluateOptions,
  { dataPath, split, profile }: DataChoice,
): EvaluateTask {
  // Without a candidate the model is compared with itself, which still tells its own accuracy.
  const paths = candidates.length === 0 ? [fp32] : candidates;
  const samples = options.samples ?? profile?.data.evaluation.samples;
  return {
    kind: 'evaluate',
    reference: { variant: 'fp32', path: fp32 },
    candidates: paths.map((path) => ({ variant: basename(path, '.onnx'), path })),
    dataPath,
    split,
    ...(samples === undefined ? {} : { samples }),
    task: options.task ?? profile?.task ?? 'classification',
    budget: budgetOf(options, profile),
    threads: options.threads,
    ...statesOf(options, profile?.data.states),
  };
}

function budgetOf(
  { maxDrop, relative }: EvaluateOptions,
  profile: DataChoice['profile'],
): EvaluateTask['budget'] {
  if (maxDrop !== undefined) return relative ? { relative: maxDrop } : { absolute: maxDrop };
  if (profile === undefined) return { relative: 0.01 };
  const { metric, kind, maxDrop: allowed } = profile.budget;
  return { metric, [kind]: allowed };
}

function renderEvaluations(evaluations: readonly ModelEvaluation[]): string {
  const [first] = evaluations;
  const reference = first?.reference;
  const rows = evaluations.map((evaluation) => [
    evaluation.model,
    String(evaluation.n),
    percent(evaluation.top1),
    percent(evaluation.agreement),
    evaluation.identical ? 'identical' : decimal(evaluation.sqnrDb, 2),
    decimal(evaluation.cosine, 6),
    evaluation.verdict,
  ]);
  return [
    ...(reference === undefined
      ? []
      : [`float32: top-1 ${percent(reference.top1)} on ${first?.n} samples`, '']),
    renderTable(['model', 'n', 'top-1', 'agreement', 'SQNR dB', 'cosine', 'verdict'], rows),
    '',
    ...evaluations.map(({ variant, verdictReason }) => `${variant}: ${verdictReason}`),
  ].join('\n');
}
